"""Fast reading of 8-bit grey PNG: equal to Pillow on what it reads, and silent on everything else."""

import io
import zlib

import numpy as np
import pytest
from file_samples import bomb, crc_error, encoded, filtered, grey_png, interlaced_png, opencv, png_of
from PIL import Image

from sodlift import png
from sodlift.arrays import read_grey
from sodlift.errors import MapError
from sodlift.png import read_grey8

SHAPES = [(1, 1), (1, 9), (9, 1), (2, 2), (13, 17), (40, 33)]


def picture(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Noise beside a flat and a smooth part, so that every branch of the filters is taken."""
    values = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    values[shape[0] // 2 :, : shape[1] // 2] = 200
    values[: shape[0] // 3] = np.arange(shape[1]) * 3 % 256
    return values


GREY = picture((13, 17))
STREAM = zlib.compress(filtered(GREY, lambda row: row % 5))


def pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"))


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("shape", SHAPES)
def test_every_row_filter_is_undone_as_pillow_does(shape, kind):
    values = picture(shape)
    data = grey_png(values, lambda row: kind)
    found = read_grey8(data)
    assert (found.dtype, found.flags["C_CONTIGUOUS"]) == (np.uint8, True)
    np.testing.assert_array_equal(found, values)
    np.testing.assert_array_equal(found, pillow(data))


@pytest.mark.parametrize("parts", [2, 7, 60])
def test_filters_may_change_by_row_and_data_lie_in_several_chunks(parts):
    np.testing.assert_array_equal(read_grey8(grey_png(GREY, lambda row: row % 5, parts)), GREY)


@pytest.mark.parametrize("level", [0, 1, 9])
def test_what_libraries_write_is_read(level):
    for data in (encoded(Image.fromarray(GREY), compress_level=level), opencv(GREY)):
        np.testing.assert_array_equal(read_grey8(data), GREY)


def test_a_comment_before_and_bytes_behind_the_picture_do_not_matter():
    data = encoded(Image.fromarray(GREY), dpi=(72, 72)) + b"more"
    np.testing.assert_array_equal(read_grey8(data), GREY)


def test_without_libdeflate_the_pixels_are_the_same(monkeypatch):
    monkeypatch.setattr(png, "inflate", png.inflate_by_zlib)
    np.testing.assert_array_equal(read_grey8(grey_png(GREY, lambda row: row % 5, 3)), GREY)


LEFT_ALONE: dict[str, bytes] = {
    "nothing": b"",
    "text": b"<html>404 Not Found</html>",
    "JPEG": encoded(Image.fromarray(GREY), "jpeg"),
    "interlaced": interlaced_png(GREY),
    "16 bits": opencv(GREY.astype(np.uint16) * 257),
    "one bit": encoded(Image.fromarray(GREY > 100)),
    "palette": encoded(Image.fromarray(GREY).convert("P")),
    "colour": encoded(Image.fromarray(np.dstack([GREY] * 3))),
    "grey with alpha": encoded(Image.fromarray(GREY).convert("LA")),
    "transparent grey": encoded(Image.fromarray(GREY), transparency=10),
    "checksum of the header": crc_error(grey_png(GREY), b"IHDR"),
    "checksum of the data": crc_error(grey_png(GREY)),
    "checksum of the end": crc_error(grey_png(GREY), b"IEND"),
    "checksum of the pixels": grey_png(GREY, check=False),
    "cut in the signature": grey_png(GREY)[:5],
    "cut in the header": grey_png(GREY)[:30],
    "cut in the data": grey_png(GREY)[:-40],
    "no end": grey_png(GREY)[:-12],
    "too many rows": png_of(12, 17, STREAM),
    "data that do not inflate": png_of(13, 17, b"no stream"),
    "unknown row filter": grey_png(GREY, lambda row: 5),
    "no pixels": png_of(0, 17, zlib.compress(b"")),
    "bomb": bomb(50_000, 50_000),
}


@pytest.mark.parametrize("case", LEFT_ALONE)
def test_every_other_file_is_left_to_the_image_library(case):
    assert read_grey8(LEFT_ALONE[case]) is None


def test_a_whole_file_of_too_few_rows_is_refused_which_image_libraries_fill_with_black(tmp_path):
    file = tmp_path / "short.png"
    file.write_bytes(png_of(14, 17, STREAM))
    with pytest.raises(ValueError, match="its 234 bytes of pixels are not 14 rows of 18"):
        read_grey8(file.read_bytes())
    with pytest.raises(MapError, match=r"(?s)cannot decode the file.*short\.png.*fetch it again"):
        read_grey(file)


def test_no_cut_and_no_turned_bit_is_read_as_another_picture():
    whole = grey_png(GREY, lambda row: row % 5, 2)
    for at in range(len(whole)):
        assert read_grey8(whole[:at]) is None
        turned = read_grey8(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
        assert turned is None or np.array_equal(turned, GREY)
