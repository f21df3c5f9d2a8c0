import gzip
import itertools
import os
import shutil
import signal
import stat
import struct
import tarfile
import zipfile
from collections import namedtuple

import pytest
from archive_samples import KINDS, everything, make, make_tar, make_zip, refused, run

from sodlift.errors import DataError
from sodlift.fetch.archive import extract

FILES = {
    "images/0001.jpg": bytes(range(256)) * 9000,  # more than is read at once
    "images/two words.jpg": b"",
    "Masken/Würfel ä.png": b"\x89PNG",
    "deep/er/list.txt": b"0001\n",
}


def contents(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.fixture
def file(tmp_path):
    (tmp_path / "here").mkdir()
    return tmp_path / "here" / "some.bin"


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_archive_is_unpacked_byte_for_byte_whatever_its_suffix(file, kind):
    make(file, FILES.items(), kind)
    done = extract(file, file.parent / "set")
    assert contents(file.parent / "set") == FILES
    assert (done.files, done.bytes, done.skipped) == (4, sum(map(len, FILES.values())), 0)
    assert sorted(f.name for f in file.parent.iterdir()) == ["set", "some.bin"]


def test_stored_members_zip64_comments_and_empty_folders_are_unpacked(file):
    with zipfile.ZipFile(file, "w") as packed:
        packed.comment = b"a set" * 1000
        packed.mkdir("empty")
        with packed.open("a.bin", "w", force_zip64=True) as stream:
            stream.write(b"x" * 3_000_000)
    extract(file, file.parent / "set")
    assert everything(file.parent / "set") == {"empty": None, "a.bin": 3_000_000}


@pytest.mark.parametrize("kind", KINDS)
def test_litter_of_desktops_is_skipped_and_counted(file, kind):
    names = ["a.jpg", "__MACOSX/._a.jpg", "b/.DS_Store", "b/Thumbs.db", "b/a.jpg"]
    make(file, [(name, b"x") for name in names], kind)
    done = extract(file, file.parent / "set")
    assert (done.files, done.bytes, done.skipped) == (2, 2, 3)
    assert set(contents(file.parent / "set")) == {"a.jpg", "b/a.jpg"}


def test_dots_of_the_own_folder_and_repeated_folders_are_harmless(file):
    folder = tarfile.TarInfo("./images")
    folder.type = tarfile.DIRTYPE
    root = tarfile.TarInfo(".")
    root.type = tarfile.DIRTYPE
    make_tar(file, [(root, b""), (folder, b""), ("./images//a", b"x"), (folder, b"")])
    extract(file, file.parent / "set")
    assert contents(file.parent / "set") == {"images/a": b"x"}


def test_backslashes_of_windows_are_separators(file):
    make_zip(file, [("images\\a.jpg", b"x")])
    extract(file, file.parent / "set")
    assert contents(file.parent / "set") == {"images/a.jpg": b"x"}


def test_permissions_and_times_are_not_taken_over(file):
    info = tarfile.TarInfo("a.sh")
    info.mode, info.mtime, info.uid = 0o6777, 1, 12345
    make_tar(file, [(info, b"x")])
    extract(file, file.parent / "set")
    written = (file.parent / "set" / "a.sh").stat()
    assert not written.st_mode & (stat.S_IXUSR | stat.S_ISUID | stat.S_ISGID)
    assert written.st_mtime > 1e9
    assert written.st_uid == os.getuid()


def test_a_directory_that_belies_its_own_size_is_refused(file):
    make_zip(file, [("a", b"x"), ("b", b"x")])
    data = bytearray(file.read_bytes())
    struct.pack_into("<L", data, len(data) - 22 + 12, 1 << 30)
    file.write_bytes(data)
    refused(file, "damaged", "cut off")


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_cut_anywhere_is_refused(file, kind):
    make(file, [("a", os.urandom(3000)), ("b", os.urandom(3000))], kind)
    whole = file.read_bytes()
    content = len(whole) if kind != "tar" else 2 * (512 + 3072)  # then come the end mark and filling
    for length in itertools.chain(range(1, content, content // 20), [content - 1]):
        file.write_bytes(whole[:length])
        refused(file)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_flipped_bits_of_the_content_are_found(file, kind):
    make(file, [("a", os.urandom(30_000))], kind)
    data = bytearray(file.read_bytes())
    for place in range(2000, 28_000, 2500):
        data[place] ^= 4
        file.write_bytes(data)
        refused(file)
        data[place] ^= 4


def test_a_broken_header_in_the_middle_of_a_tar_is_not_its_end(file):
    make_tar(file, [("a", b"x"), ("b", b"x")])
    data = bytearray(file.read_bytes())
    data[1024] ^= 1
    file.write_bytes(data)
    refused(file, "damaged", "without an end mark")


def test_a_second_tar_behind_the_first_is_not_ignored(file):
    make_tar(file, [("a", b"x")])
    file.write_bytes(file.read_bytes() * 2)
    refused(file, "damaged", "more follows its end mark")


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_without_files_is_refused(file, kind):
    make(file, [], kind)
    refused(file, "holds no file")
    make(file, [("__MACOSX/a", b"x")], kind)
    refused(file, "holds no file")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "looks like a web page"),
        (b"\xef\xbb\xbf<HTML>404", "looks like a web page"),
        (b"Rar!\x1a\x07\x01", "RAR"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"", "is empty"),
        (b"\x89PNG" + bytes(1000), "is none"),
        (gzip.compress(b"no tar" * 500), "holds none"),
    ],
)
def test_a_file_that_is_no_archive_is_told_by_what_it_looks_like(file, content, said):
    file.write_bytes(content)
    refused(file, said, "expected: a zip, tar")


def test_an_archive_that_is_missing_or_a_folder_is_told(file):
    refused(file, "No such file")
    file.mkdir()
    refused(file, "Is a directory")


def test_missing_space_is_told_before_anything_is_written(file, monkeypatch):
    make_zip(file, [("a", b"x" * 5000)])
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(9000, 8000, 1000))
    refused(file, "5000 bytes to unpack, 1000 free", "free 4000 bytes")


def test_a_write_that_fails_is_told_with_its_member_and_leaves_nothing(file):
    make_zip(file, [("a", b"x"), ("b", bytes(3_000_000))])
    script = (
        "import resource, sys; from pathlib import Path; from sodlift.fetch.archive import extract\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))\n"
        "extract(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    assert "DataError: member 'b' cannot be unpacked: File too large" in run(script, file, file.parent / "set").stderr
    assert [f.name for f in file.parent.iterdir()] == ["some.bin"]


def test_what_the_user_has_is_not_replaced(file):
    make_zip(file, [("a", b"x")])
    (file.parent / "set").mkdir()
    (file.parent / "set" / "mine").touch()
    with pytest.raises(DataError, match="not empty"):
        extract(file, file.parent / "set")
    assert everything(file.parent / "set") == {"mine": 0}


@pytest.mark.parametrize(("kind", "reader"), [("zip", "zipfile.ZipExtFile"), ("tar.gz", "tarfile.ExFileObject")])
def test_a_run_killed_amid_a_file_leaves_no_target_and_the_next_one_is_whole(file, kind, reader):
    make(file, [("a", b"x"), ("b", bytes(5_000_000))], kind)
    script = (
        "import itertools, os, signal, sys, tarfile, zipfile; from pathlib import Path\n"
        "from sodlift.fetch.archive import extract\n"
        f"calls, read = itertools.count(), {reader}.read\n"
        "def killing(*arguments):\n"
        "    if next(calls) == 4: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return read(*arguments)\n"
        f"{reader}.read = killing\n"
        "extract(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    target = file.parent / "set"
    assert run(script, file, target).returncode == -signal.SIGKILL
    assert not target.exists()
    aside = [f for f in file.parent.iterdir() if f.name.endswith(".part")]
    assert len(aside) == 1  # it was killed while it wrote
    assert extract(file, target).files == 2
    assert (target / "b").stat().st_size == 5_000_000


def test_progress_counts_the_members_on_stderr(file, capsys):
    make_zip(file, FILES.items())
    extract(file, file.parent / "set", progress=True)
    assert "unpack some.bin" in capsys.readouterr().err
