"""What a download finds and leaves on this machine: full disks, killed processes, files that are there already."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import BinaryIO

import pytest
from download_samples import DATA, MD5, OTHER, SHA256, Clock, names, quick, refused, remote

from http_server import Site, serve, stall
from sodlift.errors import ConfigError, DataError
from sodlift.fetch.download import Patience, Remote, check, download


@pytest.fixture
def patience() -> Patience:
    return quick(Clock())


class SmallDisk:
    """A file that is appended to, on a disk with room for 200 000 bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __enter__(self) -> "SmallDisk":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        if self._file.tell() + len(data) > 200_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data)


def test_a_full_disk_is_told_and_the_part_is_kept(site, tmp_path, patience, monkeypatch):
    site.usual["/a.zip"] = serve(DATA)
    plain = Path.open

    def small(self: Path, mode: str = "r", *args: object, **kwargs: object) -> object:
        file = plain(self, mode, *args, **kwargs)
        return SmallDisk(file) if mode == "ab" else file

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", small)
        said = refused(remote(site), tmp_path / "a.zip", patience)
    kept = (tmp_path / "a.zip.part").stat().st_size
    assert "disk is full" in said
    assert f"free space ({len(DATA) - kept} bytes are missing)" in said
    assert kept > 0
    download(remote(site), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert site.requests[-1] == ("/a.zip", f"bytes={kept}-")


SMALL_DISK = """
import subprocess, sys
from pathlib import Path
from sodlift.errors import DataError
from sodlift.fetch.archive import extract
from sodlift.fetch.download import Remote, download
disk, url, size, sha256, archive = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], Path(sys.argv[5])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)], check=True)
source = Remote((url,), size, sha256)
for attempt in (lambda: download(source, disk / "a.zip", progress=False), lambda: extract(archive, disk / "set")):
    try:
        attempt()
    except DataError as error:
        print(error.what)
print(sorted(file.name for file in disk.iterdir() if not file.name.endswith(".lock")))
subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
print(download(source, disk / "a.zip", progress=False).stat().st_size, extract(archive, disk / "set").files)
"""


def test_a_real_full_disk_keeps_the_part_and_no_half_unpacked_folder(repository, site, tmp_path):
    """On a tmpfs of 256 KiB that only the child sees; where a kernel forbids that, the test above stands alone."""
    alone = ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets no user mount a small disk of their own")
    site.usual["/a.zip"] = serve(DATA)
    archive, disk = tmp_path / "set.zip", tmp_path / "disk"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.bin", OTHER)
    disk.mkdir()
    arguments = [str(disk), f"{site.url}/a.zip", str(len(DATA)), SHA256, str(archive)]
    done = subprocess.run(
        [*alone, sys.executable, "-c", SMALL_DISK, *arguments],
        env=os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    full, no_room, left, again = done.stdout.splitlines()
    assert full == "the disk is full while a.zip is downloaded"
    assert no_room.startswith("not enough disk space")
    assert left == "['a.zip.part', 'a.zip.part.json']"
    assert again == f"{len(DATA)} 1"
    assert site.requests[-1][1].startswith("bytes=2")  # it went on after what the small disk held


SCRIPT = """
import sys
from pathlib import Path
from sodlift.fetch.download import Remote, download
download(Remote((sys.argv[1],), int(sys.argv[3]), sys.argv[4]), Path(sys.argv[2]), progress=False)
"""


def process(repository: Path, site: Site, target: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, f"{site.url}/a.zip", str(target), str(len(DATA)), SHA256]
    library = str(repository / "workflow_scripts")
    return subprocess.Popen(command, env={"PYTHONPATH": library}, stderr=subprocess.PIPE, text=True)


def wait_for(condition: object) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_a_killed_process_leaves_what_the_next_one_resumes(repository, site, tmp_path):
    site.plans["/a.zip"] = [stall(DATA, after=200_000)]
    site.usual["/a.zip"] = serve(DATA)
    part = tmp_path / "a.zip.part"
    with process(repository, site, tmp_path / "a.zip") as first:
        wait_for(lambda: part.exists() and part.stat().st_size > 100_000)
        first.send_signal(signal.SIGKILL)
    kept = part.stat().st_size
    assert not (tmp_path / "a.zip").exists()
    with process(repository, site, tmp_path / "a.zip") as second:
        assert second.wait(timeout=15) == 0, second.stderr.read()
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert site.requests == [("/a.zip", ""), ("/a.zip", f"bytes={kept}-")]
    assert names(tmp_path) == ["a.zip"]


def test_of_two_processes_one_downloads_and_the_other_waits(repository, site, tmp_path):
    waiting = []

    def slow(handler: object) -> None:
        wait_for(lambda: waiting)
        time.sleep(0.3)  # for a second process that says it waits and does not
        serve(DATA)(handler)

    site.usual["/a.zip"] = slow
    with process(repository, site, tmp_path / "a.zip") as first:
        wait_for(lambda: site.requests)
        with process(repository, site, tmp_path / "a.zip") as second:
            waiting.append(second.stderr.readline())
            assert (first.wait(timeout=15), second.wait(timeout=15)) == (0, 0)
    assert "waiting for another process" in waiting[0]
    assert site.requests == [("/a.zip", "")]
    assert (tmp_path / "a.zip").read_bytes() == DATA


def test_a_part_that_was_complete_is_checked_and_named_without_another_byte(site, tmp_path, patience):
    note = {"url": f"{site.url}/a.zip", "etag": '"v1"', "last_modified": "", "size": len(DATA)}
    (tmp_path / "a.zip.part.json").write_text(json.dumps(note))
    (tmp_path / "a.zip.part").write_bytes(OTHER)
    refused(remote(site), tmp_path / "a.zip", patience)
    assert names(tmp_path) == []
    (tmp_path / "a.zip.part.json").write_text(json.dumps(note))
    (tmp_path / "a.zip.part").write_bytes(DATA)
    download(remote(site), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert site.requests == []


@pytest.mark.parametrize("offline", [True, False])
def test_a_file_that_is_there_is_checked_without_the_network(site, tmp_path, offline):
    (tmp_path / "a.zip").write_bytes(DATA)
    assert download(remote(site), tmp_path / "a.zip", offline=offline) == tmp_path / "a.zip"
    assert site.requests == []
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize(("data", "what"), [(DATA[:-1], "299999 bytes"), (OTHER, "sha256")])
def test_another_file_in_its_place_is_an_error_and_stays(site, tmp_path, data, what):
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(DataError, match=f"another file than expected: {what}"):
        download(remote(site), tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == data
    assert site.requests == []


def test_a_folder_in_its_place_is_an_error(site, tmp_path):
    with pytest.raises(DataError, match="not a file"):
        check(remote(site), tmp_path)


def test_offline_names_file_and_page_and_asks_nobody(site, tmp_path):
    with pytest.raises(DataError, match="offline") as caught:
        download(remote(site), tmp_path / "new" / "a.zip", offline=True)
    for part in ("a.zip", "https://people.example/dataset", f"{len(DATA)} bytes", str(tmp_path / "new" / "a.zip")):
        assert part in str(caught.value)
    assert site.requests == []
    assert names(tmp_path) == []


def test_a_file_that_comes_by_hand_only_says_from_where(tmp_path):
    with pytest.raises(DataError, match=r"no address.*\n(.*\n)*.*by hand from https://people\.example"):
        download(Remote((), page="https://people.example"), tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        ({"urls": ("ftp://people.example/a",)}, "not an address"),
        ({"urls": ("people.example/a",)}, "not an address"),
        ({"size": 0}, "not a size"),
        ({"sha256": MD5}, "not a sha256"),
        ({"md5": "x" * 32}, "not a md5"),
    ],
)
def test_a_source_that_cannot_be_right_is_an_error(facts, what):
    with pytest.raises(ConfigError, match=what):
        Remote(**({"urls": ()} | facts))
