"""Archives made for tests, good and hostile, and the check that one of them was refused."""

import io
import os
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from sodlift.errors import DataError
from sodlift.fetch.archive import extract

TAR_MODES = {"tar": "w:", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}
KINDS = ["zip", *TAR_MODES]


def make_zip(file, members):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members:
            packed.writestr(name, content)


def make_tar(file, members, mode="w:"):
    with tarfile.open(file, mode) as packed:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = info.size or len(content)
            packed.addfile(info, io.BytesIO(content))


def make(file, members, kind):
    make_zip(file, members) if kind == "zip" else make_tar(file, members, TAR_MODES[kind])


def everything(folder):
    return {str(f.relative_to(folder)): f.stat().st_size if f.is_file() else None for f in folder.rglob("*")}


def refused(archive, *said, **options):
    """Extraction is refused with a message that holds ``said``, and the parent folders are as they were."""
    before = everything(archive.parent.parent)
    with pytest.raises(DataError) as caught:
        extract(archive, archive.parent / "set", **options)
    assert everything(archive.parent.parent) == before
    for text in (*said, str(archive), "mend"):
        assert text in str(caught.value)


def patch_zip(file, **values):
    """Change fields of a zip's only member, in its local header and in the directory."""
    places = {"flags": ("<H", 6, 8), "crc": ("<L", 14, 16), "size": ("<L", 22, 24)}
    data = bytearray(file.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    for key, value in values.items():
        form, local, central = places[key]
        struct.pack_into(form, data, local, value)
        struct.pack_into(form, data, directory + central, value)
    file.write_bytes(data)


def write_many(file, count):
    """Write a zip of ``count`` entries of one name, all over one local header, with zip64 records."""
    make_zip(file, [("a", b"")])
    data = file.read_bytes()
    directory, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry, size = data[directory:end], (end - directory) * count
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, directory)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, directory + size, 1)
    last = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    with file.open("wb") as out:
        out.write(data[:directory])
        for _ in range(count // 1000):
            out.write(entry * 1000)
        out.write(entry * (count % 1000) + record + locator + last)


def run(script, *arguments):
    import sodlift

    path = {**os.environ, "PYTHONPATH": str(Path(sodlift.__file__).parents[1])}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, env=path, capture_output=True, text=True, check=False)
