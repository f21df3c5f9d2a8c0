"""What happens to each kind of odd or broken file: the documented value, or an error naming the file and the mend."""

import io
import os
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from file_samples import bomb, crc_error, encoded, grey_png, interlaced_png, npy, npy_bomb, opencv, tiff
from PIL import Image

from sodlift.arrays import read_grey, read_image, read_map, read_mask
from sodlift.datasets.sources.folder import SOURCE, FolderOptions
from sodlift.datasets.validate import build_manifest
from sodlift.errors import DataError, MapError

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)
ALPHA = 255 - GREY


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        content.writestr("a.npy", npy(GREY / 255))
    return buffer.getvalue()


# --- files that are read, with the value that the documentation gives -------------------------------------------

WHITE = np.full((6, 8), 255, np.uint8)
AS_IMAGE: dict[str, tuple[bytes, np.ndarray]] = {
    "grey": (encoded(Image.fromarray(GREY)), np.dstack([GREY] * 3)),
    "one-bit": (encoded(Image.fromarray(GREY > 100)), np.dstack([np.where(GREY > 100, WHITE, 0)] * 3)),
    "grey with alpha": (
        encoded(Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)])),
        np.dstack([GREY] * 3),
    ),
    "colour with alpha": (encoded(Image.fromarray(np.dstack([COLOUR, ALPHA]))), COLOUR),
    "transparent colour": (encoded(Image.fromarray(COLOUR), transparency=tuple(map(int, COLOUR[2, 3]))), COLOUR),
    "grey of 16 bits": (opencv(GREY.astype(np.uint16) * 256 + 99), np.dstack([GREY] * 3)),
    "colour of 16 bits": (opencv(COLOUR[..., ::-1].astype(np.uint16) * 256 + 99), COLOUR),
    "palette": (encoded(Image.fromarray(GREY).convert("P")), np.dstack([GREY] * 3)),
    "CMYK": (encoded(Image.fromarray(COLOUR).convert("CMYK"), "tiff"), COLOUR),
    "interlaced": (interlaced_png(GREY), np.dstack([GREY] * 3)),
}


@pytest.mark.parametrize("case", AS_IMAGE)
def test_an_odd_image_is_read_as_three_channels_of_8_bits(tmp_path, case):
    content, expected = AS_IMAGE[case]
    (tmp_path / "a.png").write_bytes(content)
    image = read_image(tmp_path / "a.png")
    assert (image.dtype, image.flags["C_CONTIGUOUS"]) == (np.uint8, True)
    np.testing.assert_array_equal(image, expected)


AS_MAP: dict[str, tuple[str, bytes, np.ndarray, tuple[str, ...]]] = {
    "one-bit": (".png", encoded(Image.fromarray(GREY > 100)), (GREY > 100).astype(float), ()),
    "16 bits": (".png", opencv(GREY.astype(np.uint16) * 257), GREY / 255, ("16-bit",)),
    "palette": (".png", encoded(Image.fromarray(GREY).convert("P")), GREY / 255, ("palette",)),
    "alpha": (".png", encoded(Image.fromarray(np.dstack([GREY] * 3 + [ALPHA]))), GREY / 255, ("alpha",)),
    "transparent grey": (".png", encoded(Image.fromarray(GREY), transparency=10), GREY / 255, ("alpha",)),
    "interlaced": (".png", interlaced_png(GREY), GREY / 255, ()),
    # the pixels have a checksum of their own, which holds
    "wrong checksum of a PNG chunk": (".png", crc_error(grey_png(GREY)), GREY / 255, ()),
    "no end": (".png", grey_png(GREY)[:-12], GREY / 255, ()),
    "more behind the end": (".png", grey_png(GREY) + b"more", GREY / 255, ()),
    "16 bits, big-endian": (".tif", tiff((GREY.astype(np.uint16) * 257).astype(">u2")), GREY / 255, ("16-bit",)),
    "float TIFF": (".tif", tiff((GREY / 255).astype(np.float32)), GREY / 255, ("float",)),
    "float array": (".npy", npy(GREY / 255), GREY / 255, ("float",)),
    "half floats": (".npy", npy((GREY / 255).astype(np.float16)), (GREY / 255).astype(np.float16), ("float",)),
    "boolean array": (".npy", npy(GREY > 100), (GREY > 100).astype(float), ("float",)),
}


@pytest.mark.parametrize("case", AS_MAP)
def test_an_odd_map_is_read_as_documented_and_noted(tmp_path, case):
    suffix, content, expected, notes = AS_MAP[case]
    (tmp_path / f"a{suffix}").write_bytes(content)
    assert read_grey(tmp_path / f"a{suffix}").notes == notes
    np.testing.assert_allclose(read_map(tmp_path / f"a{suffix}"), expected, atol=1e-7)


# --- files that are refused --------------------------------------------------------------------------------------

PNG = encoded(Image.fromarray(COLOUR))
JPEG = encoded(Image.fromarray(COLOUR), "jpeg")
BROKEN: dict[str, tuple[str, bytes, str, str]] = {  # suffix, content, what the message says, its mend
    "truncated PNG": (".png", PNG[: len(PNG) // 2], "cannot decode", "fetch it again"),
    "PNG cut in its header": (".png", PNG[:20], "not an image|cannot decode", "replace the file|fetch it again"),
    "truncated JPEG": (".jpg", JPEG[:-20], "cannot decode", "fetch it again"),
    "wrong checksum of the header": (".png", crc_error(PNG, b"IHDR"), "not an image", "replace the file"),
    "wrong checksum of the pixels": (".png", grey_png(GREY, check=False), "cannot decode", "fetch it again"),
    "unknown row filter": (".png", grey_png(GREY, lambda row: 5), "cannot decode", "fetch it again"),
    "text": (".png", b"<html>404 Not Found</html>", "not an image", "replace the file"),
    "empty file": (".png", b"", "not an image", "replace the file"),
    "bomb": (".png", bomb(50_000, 50_000), "image is too large", "shrink the image"),
    "32-bit integers": (".tif", tiff(GREY.astype(np.int32)), "32-bit integers", "does not guess its range"),
}
BROKEN_MAPS: dict[str, tuple[str, bytes, str, str]] = {
    "NaN in TIFF": (".tif", tiff(np.full((6, 8), np.nan, np.float32)), "NaN or infinity", "save the map again"),
    "NaN in an array": (".npy", npy(np.full((6, 8), np.nan)), "NaN or infinity", "save the map again"),
    "infinity": (".npy", npy(np.full((6, 8), np.inf)), "NaN or infinity", "save the map again"),
    "floats up to 255": (".tif", tiff(GREY.astype(np.float32)), "map spans 0 to 235", "does not guess its range"),
    "negative floats": (".npy", npy(GREY / 255 - 0.5), "map spans -0.5 to", "does not guess its range"),
    "bytes in an array": (".npy", npy(GREY), "map spans 0 to 235", "does not guess its range"),
    "three dimensions": (".npy", npy(COLOUR / 255), r"array of shape \(6, 8, 3\)", "save one channel"),
    "no pixel": (".npy", npy(np.zeros((0, 8))), r"cannot decode|array of shape \(0, 8\)", "fetch|save one channel"),
    "complex numbers": (".npy", npy(GREY * 1j), "type complex128", "save one channel"),
    "array cut short": (".npy", npy(GREY / 255)[:-50], "cannot decode", "fetch it again"),
    "empty array file": (".npy", b"", "cannot decode", "fetch it again"),
    "array that promises terabytes": (".npy", npy_bomb(), "cannot decode", "fetch it again"),
    "archive named .npy": (".npy", archive(), "cannot decode", "fetch it again"),
}


def refused(read: Callable[[Path], object], file: Path, kind: type[Exception], what: str, mend: str) -> None:
    with pytest.raises(kind, match=what) as caught:
        read(file)
    assert type(caught.value) is kind
    assert f"where: {file}" in str(caught.value)
    with pytest.raises(kind, match=rf"mend: .*({mend})"):
        read(file)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_by_name_with_a_mend(tmp_path, case):
    suffix, content, what, mend = BROKEN[case]
    file = tmp_path / f"a{suffix}"
    file.write_bytes(content)
    refused(read_image, file, DataError, what, mend)
    refused(read_map, file, MapError, what, mend)
    refused(read_mask, file, DataError, what, mend)


@pytest.mark.parametrize("case", BROKEN_MAPS)
def test_a_broken_map_is_refused_by_name_with_a_mend(tmp_path, case):
    suffix, content, what, mend = BROKEN_MAPS[case]
    file = tmp_path / f"a{suffix}"
    file.write_bytes(content)
    refused(read_map, file, MapError, what, mend)
    refused(read_mask, file, DataError, what, mend)


def test_floats_are_no_image(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff((GREY / 255).astype(np.float32)))
    refused(read_image, tmp_path / "a.tif", DataError, "32-bit floats", "does not guess its range")


@pytest.mark.parametrize("name", ["missing.png", "missing.npy", "folder"])
def test_a_missing_file_is_refused_by_name_with_a_mend(tmp_path, name):
    (tmp_path / "folder").mkdir()
    refused(read_map, tmp_path / name, MapError, "file not found", "check the folder and the file name pattern")


def test_an_array_file_runs_no_code(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "attacked"),)

    (tmp_path / "a.npy").write_bytes(npy(np.array([[Attack()]], dtype=object)))
    refused(read_map, tmp_path / "a.npy", MapError, "cannot decode", "fetch it again")
    assert not (tmp_path / "attacked").exists()
    (tmp_path / "a.npy").write_bytes(pickle.dumps(Attack()))
    refused(read_map, tmp_path / "a.npy", MapError, "cannot decode", "fetch it again")
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize(("suffix", "content"), [(".png", bomb(50_000, 50_000)), (".npy", npy_bomb())])
def test_a_bomb_is_refused_before_memory_is_asked_for(tmp_path, suffix, content):
    (tmp_path / f"a{suffix}").write_bytes(content)
    tracemalloc.start()
    with pytest.raises(MapError):
        read_map(tmp_path / f"a{suffix}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


# --- the same files in a data set --------------------------------------------------------------------------------


@pytest.fixture
def dataset(tmp_path) -> Path:
    """Two healthy images with masks."""
    for folder, picture in (("images", COLOUR), ("masks", np.where(GREY > 100, WHITE, 0))):
        (tmp_path / folder).mkdir()
        for stem in "ab":
            Image.fromarray(picture).save(tmp_path / folder / f"{stem}.png")
    other = np.random.default_rng(0).integers(0, 256, COLOUR.shape, np.uint8)
    Image.fromarray(other).save(tmp_path / "images" / "a.png")
    return tmp_path


def everything(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_data_set_is_healthy_to_begin_with(dataset):
    manifest, report = build_manifest("set", SOURCE, FolderOptions(root=""), dataset, 2)
    assert (manifest.stems, report.findings) == (("a", "b"), ())


@pytest.mark.parametrize("folder", ["images", "masks"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_stops_the_data_set_by_name_and_leaves_it_untouched(dataset, folder, case):
    suffix, content, what, mend = BROKEN[case]
    (dataset / folder / "b.png").unlink()
    (dataset / folder / f"b{suffix}").write_bytes(content)
    before = everything(dataset)
    with pytest.raises(DataError, match=rf"{folder}/b{suffix} \(.*({what})(.|\n)*({mend})") as caught:
        build_manifest("set", SOURCE, FolderOptions(root=""), dataset, 2)
    assert f"where: {dataset}" in str(caught.value)
    assert everything(dataset) == before


@pytest.mark.parametrize("case", BROKEN_MAPS)
def test_a_broken_mask_stops_the_data_set_by_name(dataset, case):
    suffix, content, what, mend = BROKEN_MAPS[case]
    (dataset / "masks" / "b.png").unlink()
    (dataset / "masks" / f"b{suffix}").write_bytes(content)
    with pytest.raises(DataError, match=rf"masks/b{suffix} \(.*({what})(.|\n)*({mend})"):
        build_manifest("set", SOURCE, FolderOptions(root=""), dataset, 2)


KINDS = {
    "grey": {"image_grey"},
    "one-bit": {"image_grey"},
    "grey with alpha": {"image_grey", "image_alpha"},
    "colour with alpha": {"image_alpha"},
    "transparent colour": {"image_alpha"},
    "grey of 16 bits": {"image_grey", "image_16bit"},
    "colour of 16 bits": {"image_16bit"},
    "palette": {"image_grey", "image_palette"},
    "CMYK": {"image_cmyk"},
    "interlaced": {"image_grey"},
}


@pytest.mark.parametrize("case", AS_IMAGE)
def test_an_odd_image_is_a_warning_of_its_kind_and_used(dataset, case):
    (dataset / "images" / "b.png").write_bytes(AS_IMAGE[case][0])
    manifest, report = build_manifest("set", SOURCE, FolderOptions(root=""), dataset, 2)
    assert manifest.stems == ("a", "b")
    assert {f.kind: f.items for f in report.findings} == dict.fromkeys(KINDS[case], ("images/b.png",))


@pytest.mark.parametrize("case", AS_MAP)
def test_a_mask_in_an_odd_format_is_used(dataset, case):
    suffix, content, expected, notes = AS_MAP[case]
    (dataset / "masks" / "b.png").unlink()
    (dataset / "masks" / f"b{suffix}").write_bytes(content)
    manifest, report = build_manifest("set", SOURCE, FolderOptions(root=""), dataset, 2)
    assert report.masks == 2
    np.testing.assert_array_equal(read_mask(manifest.entries[1].mask), expected > 128 / 255)
    assert ("mask_format" in {f.kind for f in report.findings}) == bool(notes)
