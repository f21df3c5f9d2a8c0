"""From a release to a folder in place: the layout inside the archives, what is accepted, what a killed run leaves."""

import signal
import subprocess
import sys
import tarfile
import textwrap

import pytest

from http_server import Site, serve
from release_samples import IMAGES, MASKS, TAKE, archive, below, release, sha256, store
from sodlift.errors import DataError
from sodlift.fetch.install import install, matches
from sodlift.fetch.release import ReleaseFile

SAME = {"images": "images", "masks": "masks"}


def accept(folder):
    pass


def put(here, target, *files, takes=SAME, accept=accept, **change):
    return install(release(*files, **change), takes, target, "datasets/set", here, accept)


def test_files_go_from_the_archives_folders_to_ours_and_litter_stays_out(tmp_path):
    here, target = store(tmp_path), tmp_path / "data" / "set"
    file = ReleaseFile("set.zip", take=TAKE)
    archive(here.manual(file), {**IMAGES, **MASKS, "__MACOSX/Set/Imgs/._a.jpg": b"", "Set/readme.txt": b"read me"})
    receipt = put(here, target, file)
    assert below(target) == [f"{folder}/{s}.{x}" for folder, x in (("images", "jpg"), ("masks", "png")) for s in "abc"]
    assert (target / "images" / "b.jpg").read_bytes() == b"b"
    assert (receipt.files, receipt.bytes, receipt.target) == (6, 6, target.as_posix())
    assert receipt.sources == {"set.zip": sha256(here.manual(file))}
    assert here.trust(file).startswith("pinned")
    assert here.changes("datasets/set", target) == []


def test_two_archives_become_one_folder(tmp_path, site: Site):
    here, target = store(tmp_path), tmp_path / "set"
    site.usual["/i"] = serve(archive(tmp_path / "i.zip", IMAGES).read_bytes())
    site.usual["/m"] = serve(archive(tmp_path / "m.zip", MASKS).read_bytes())
    images = ReleaseFile("i.zip", urls=(site.url + "/i",), take={"images": TAKE["images"]})
    masks = ReleaseFile("m.zip", urls=(site.url + "/m",), take={"masks": TAKE["masks"]})
    assert put(here, target, images, masks).files == 6
    assert [path for path, _ in site.requests] == ["/i", "/m"]


def test_a_file_that_is_no_archive_is_taken_as_it_is(tmp_path):
    here, file = store(tmp_path), ReleaseFile("train.txt", take={"lists": "."})
    here.manual(file).parent.mkdir(parents=True)
    here.manual(file).write_text("a\n")
    put(here, tmp_path / "set", file, takes={"lists": "lists"})
    assert below(tmp_path / "set") == ["lists/train.txt"]


def test_maps_of_one_data_set_are_taken_from_an_archive_of_several(tmp_path):
    here = store(tmp_path)
    file = ReleaseFile("maps.zip", take={"A": "maps/A/*.png", "B": ("maps/B/*.png", "maps/B/*.jpg")})
    archive(here.manual(file), {"maps/A/1.png": b"a", "maps/B/1.jpg": b"b"})
    put(here, tmp_path / "B", file, takes={"B": ""})
    assert below(tmp_path / "B") == ["1.jpg"]


def test_files_of_a_release_that_are_not_wanted_are_not_asked_for(tmp_path, site: Site):
    here = store(tmp_path)
    other = ReleaseFile("other.zip", urls=(site.url + "/other",), take={"C": "*.png"})
    file = ReleaseFile("maps.zip", take={"A": "*.png"})
    archive(here.manual(file), {"1.png": b"a"})
    put(here, tmp_path / "A", file, other, takes={"A": ""})
    assert site.requests == []


def refused(here, target, what, *files, **change):
    with pytest.raises(DataError, match=what) as caught:
        put(here, target, *files, **change)
    assert not target.exists()
    assert not [path for path in target.parent.iterdir() if path.name.startswith(".")]
    assert not here.pins_file.exists()
    return str(caught.value)


def test_a_layout_that_is_not_the_described_one_is_told_with_what_is_there(tmp_path):
    here, file = store(tmp_path), ReleaseFile("set.zip", take=TAKE)
    archive(here.manual(file), {"elsewhere/Imgs/a.jpg": b"a", **MASKS})
    message = refused(here, tmp_path / "set", r"no file in the archive matches 'Set/Imgs/\*\.jpg'", file)
    assert "the archive holds Set/GT (3 files), elsewhere/Imgs (1 files)" in message


def test_two_files_for_one_place_are_refused(tmp_path):
    here, file = store(tmp_path), ReleaseFile("set.zip", take={"images": "**/*.jpg"})
    archive(here.manual(file), {"x/a.jpg": b"1", "y/a.jpg": b"2"})
    message = refused(here, tmp_path / "set", "two files would both become images/a.jpg", file)
    assert "x/a.jpg and y/a.jpg" in message


def test_two_archives_for_one_place_are_refused(tmp_path):
    here = store(tmp_path)
    files = [ReleaseFile(name, take={"images": "*.jpg"}) for name in ("1.zip", "2.zip")]
    for file in files:
        archive(here.manual(file), {"a.jpg": b"1"})
    refused(here, tmp_path / "set", "two files would both become a.jpg", *files)


def test_what_is_not_accepted_is_neither_put_in_place_nor_pinned(tmp_path):
    here, file = store(tmp_path), ReleaseFile("set.zip", take=TAKE)
    archive(here.manual(file), {**IMAGES, **MASKS})

    def accept(folder):
        raise DataError(f"{len(below(folder))} files, 7 expected")

    refused(here, tmp_path / "set", "6 files, 7 expected", file, accept=accept)


def test_a_hostile_archive_of_a_release_is_refused(tmp_path):
    here, file = store(tmp_path), ReleaseFile("set.zip", take=TAKE)
    here.manual(file).parent.mkdir(parents=True)
    with tarfile.open(here.manual(file), "w") as packed:
        link = tarfile.TarInfo("Set/Imgs/a.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    refused(here, tmp_path / "set", "is a symbolic link", file)


def test_a_folder_of_the_users_is_never_replaced(tmp_path):
    here, target, file = store(tmp_path), tmp_path / "set", ReleaseFile("set.zip", take=TAKE)
    archive(here.manual(file), {**IMAGES, **MASKS})
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="output folder exists and is not empty"):
        put(here, target, file)
    assert below(target) == ["mine.txt"]


def test_a_run_killed_amid_unpacking_leaves_nothing_in_place_and_the_next_one_sweeps_up(repository, tmp_path):
    here, target, file = store(tmp_path), tmp_path / "set", ReleaseFile("set.zip", take=TAKE)
    archive(here.manual(file), {**IMAGES, **MASKS})
    script = f"""
        import itertools, os, signal, zipfile
        from pathlib import Path
        from sodlift.fetch.install import install
        from sodlift.fetch.release import Release, ReleaseFile
        from sodlift.fetch.store import Store
        calls, read = itertools.count(), zipfile.ZipExtFile.read
        def killing(*arguments):
            if next(calls) == 4:
                os.kill(os.getpid(), signal.SIGKILL)
            return read(*arguments)
        zipfile.ZipExtFile.read = killing
        release = Release(files=(ReleaseFile("set.zip", take={TAKE!r}),))
        store = Store(Path({str(here.root)!r}), progress=False)
        install(release, {SAME!r}, Path({str(target)!r}), "datasets/set", store, lambda folder: None)
    """
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=repository / "workflow_scripts", check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    assert [path.name.startswith(".set.") for path in tmp_path.iterdir() if path.name.endswith(".part")] == [True]
    assert not here.pins_file.exists()
    assert put(here, target, file).files == 6
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_of_two_processes_at_once_one_installs_and_the_other_waits_for_it(repository, tmp_path):
    here, target, file = store(tmp_path), tmp_path / "set", ReleaseFile("set.zip", take=TAKE)
    archive(here.manual(file), {**IMAGES, **MASKS})
    script = f"""
        import time
        from pathlib import Path
        from sodlift.fetch.install import install
        from sodlift.fetch.release import Release, ReleaseFile
        from sodlift.fetch.store import Store
        release = Release(files=(ReleaseFile("set.zip", take={TAKE!r}),))
        store = Store(Path({str(here.root)!r}), progress=False)
        def accept(folder):
            print("installed", end=" ")
            time.sleep(0.5)
        print(install(release, {SAME!r}, Path({str(target)!r}), "datasets/set", store, accept).files)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    both = [
        subprocess.Popen(command, cwd=repository / "workflow_scripts", stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in both)
    assert said == ["6", "installed 6"]
    assert len(below(target)) == 6


@pytest.mark.parametrize(
    ("member", "glob", "fits"),
    [
        ("a/b.png", "a/*.png", True),
        ("A/b.PNG", "a/*.png", True),
        ("a/b/c.png", "a/*.png", False),
        ("a/b/c.png", "a/**/*.png", True),
        ("c.png", "**/*.png", True),
        ("a/c.png", "**", True),
        ("a/c.png", "c.png", False),
        ("a/c.png", "a", False),
    ],
)
def test_a_star_stands_for_one_name_and_two_for_any_folders(member, glob, fits):
    assert matches(member, glob) is fits
