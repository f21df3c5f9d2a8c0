import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import time
import zipfile
import zlib

import pytest
from archive_samples import KINDS, TAR_MODES, make, make_tar, make_zip, patch_zip, refused, run, write_many

from sodlift.fetch.archive import extract
from sodlift.fetch.members import Limits


@pytest.fixture
def file(tmp_path):
    (tmp_path / "here").mkdir()
    return tmp_path / "here" / "some.bin"


def test_a_zip_of_more_than_65535_entries_is_counted_by_its_zip64_records(file):
    write_many(file, 70_000)
    refused(file, "too many members", "at most 69999", limits=Limits(max_members=69_999))
    refused(file, "has the name of 'a'", limits=Limits(max_members=70_000))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../evil", "'..'"),
        ("a/../../evil", "'..'"),
        ("a/..", "'..'"),
        ("..\\evil", "'..'"),
        ("/evil", "absolute"),
        ("\\\\host\\evil", "absolute"),
        ("C:\\evil", "drive letter"),
        ("c:evil", "drive letter"),
        ("new\nline", "control character"),
        ("x" * 256, "too long"),
        ("a/" * 600 + "b", "too long"),
        ("__MACOSX/../../evil", "'..'"),
    ],
)
def test_a_name_that_is_not_below_the_folder_is_refused(file, kind, name, said):
    make(file, [("good", b"x"), (name, b"x")], kind)
    refused(file, said, "member")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a.jpg", "a.jpg"), "has the name of 'a.jpg'"),
        (("a.jpg", "b", "A.JPG"), "has the name of 'a.jpg'"),
        (("Stra\u00dfe", "STRASSE"), "has the name of"),
        (("\u00e4.jpg", "a\u0308.jpg"), "has the name of"),
        (("b/a", "b//./a"), "has the name of"),
        (("b/a", "b\\a"), "has the name of"),
        (("b/a", "B/c"), "only in spelling"),
        (("b", "b/a"), "file and a folder"),
        (("b/a", "b"), "file and a folder"),
        (("c/b/a", "C/B"), "file and a folder"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_meet_on_some_file_system_are_refused(file, kind, names, said):
    make(file, [(name, b"x") for name in names], kind)
    refused(file, said, "member")


@pytest.mark.parametrize("mode", TAR_MODES.values())
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a fifo"),
        (b"Z", "an unknown type"),
    ],
)
def test_a_tar_with_anything_but_files_and_folders_is_refused(file, mode, kind, said):
    info = tarfile.TarInfo("odd")
    info.type, info.linkname = kind, "good"  # even a link that stays inside
    make_tar(file, [("good", b"x"), (info, b"")], mode)
    refused(file, "member 'odd'", said)


@pytest.mark.parametrize(
    ("mode", "said"), [(stat.S_IFLNK, "a symbolic link"), (stat.S_IFCHR, "a device"), (stat.S_IFIFO, "a fifo")]
)
def test_a_zip_with_anything_but_files_and_folders_is_refused(file, mode, said):
    info = zipfile.ZipInfo("odd")
    info.external_attr = (mode | 0o777) << 16
    make_zip(file, [("good", b"x"), (info, "/etc")])
    refused(file, "member 'odd'", said)


def test_a_folder_with_content_is_refused(file):
    make_zip(file, [("b/", b"xyz")])
    refused(file, "member 'b/'", "a folder and a file of 3 bytes at once")


def test_an_encrypted_zip_is_refused(file):
    make_zip(file, [("a", b"xyz")])
    patch_zip(file, flags=1)
    refused(file, "member 'a' is encrypted", "plain files")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_by_a_method_without_bound_on_memory_is_refused(file, method):
    with zipfile.ZipFile(file, "w", method) as packed:
        packed.writestr("a", b"x" * 1000)
    refused(file, f"packed by method {method}")


def test_a_name_cut_by_nul_or_not_in_utf8_is_refused(file):
    make_zip(file, [("aXb", b"x")])
    file.write_bytes(file.read_bytes().replace(b"aXb", b"a\0b"))
    refused(file, "control character")
    make_tar(file, [("\udcff", b"x")])
    refused(file, "not UTF-8")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_size_below_what_the_stream_holds_is_found_even_with_a_fitting_checksum(file, method):
    with zipfile.ZipFile(file, "w", method) as packed:
        packed.writestr("a", b"x" * 5000)
    patch_zip(file, size=10, crc=zlib.crc32(b"x" * 10))
    refused(file, "member 'a'")


def test_a_size_above_what_the_stream_holds_is_found(file):
    make_zip(file, [("a", b"x" * 5000)])
    patch_zip(file, size=6000)
    refused(file, "member 'a' declares 6000 bytes and holds only 5000")


def test_a_ratio_bomb_is_refused_by_what_it_declares(file):
    make_zip(file, [("a", bytes(2_000_000))])
    small = Limits(ratio_from=1_000_000)
    refused(file, "member 'a'", "times its packed size", "at most 200 times", limits=small)
    assert extract(file, file.parent / "set").bytes == 2_000_000  # too small for a bomb


def test_a_hundred_megabytes_of_zeros_are_a_bomb_by_default(file):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("a", "w") as stream:
        for _ in range(100):
            stream.write(bytes(1_000_000))
    refused(file, "member 'a'", "times its packed size")


@pytest.mark.parametrize("kind", ["tar.gz", "tar.bz2", "tar.xz"])
def test_a_ratio_bomb_in_a_tar_is_refused_also_behind_its_end_mark(file, kind):
    small = Limits(ratio_from=3_000_000)
    make(file, [("a", bytes(9_000_000))], kind)
    refused(file, "member 'a'", "times its packed size", limits=small)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w:") as packed:
        packed.addfile(tarfile.TarInfo("a"))
    pack = {"tar.gz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}[kind]
    file.write_bytes(pack(plain.getvalue() + bytes(30_000_000)))
    refused(file, "unpacks to more than 200 times", limits=small)


def test_a_tar_header_that_would_fill_the_memory_is_refused(file):
    info = tarfile.TarInfo("a")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 50_000_000
    file.write_bytes(gzip.compress(info.tobuf() + bytes(50_000_000)))
    refused(file, "damaged", "one of its headers")


def test_a_negative_size_does_not_send_the_reader_round_in_circles(file):
    info = tarfile.TarInfo("a")
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = (-1024).to_bytes(12, "big", signed=True)  # base 256, as GNU tar writes what is large
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    file.write_bytes(tarfile.TarInfo("b").tobuf() + tarfile.TarInfo("c").tobuf() + bytes(header) + bytes(1024))
    refused(file, "damaged", "its members overlap")


def test_a_chain_of_tar_headers_is_refused(file):
    info = tarfile.TarInfo("a")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 512
    file.write_bytes((info.tobuf() + b"x" * 512) * 20_000)
    refused(file, "damaged")


@pytest.mark.parametrize("kind", KINDS)
def test_size_and_number_are_limited(file, kind):
    make(file, [(str(i), os.urandom(1000)) for i in range(10)], kind)
    refused(file, "member '4'", "to 5000 bytes", "at most 4500", limits=Limits(max_bytes=4500))
    refused(file, "too many members", "at most 9", limits=Limits(max_members=9))
    assert extract(file, file.parent / "set", Limits(max_bytes=10_000, max_members=10)).files == 10


def test_a_zip_of_more_than_a_million_entries_is_refused_fast_and_with_flat_memory(file):
    write_many(file, 1_000_001)
    script = (
        "import resource, sys; from pathlib import Path; from sodlift.fetch.archive import extract\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "try: extract(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except Exception as error: print(peak() - before, error)\n"
    )
    started = time.perf_counter()
    said = run(script, file, file.parent / "set").stdout
    assert time.perf_counter() - started < 20
    grown, message = said.split(" ", 1)
    assert "too many members" in message
    assert int(grown) < 20_000  # KiB; the directory alone has 47,000
    assert not (file.parent / "set").exists()
