import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from sodlift.arrays import (
    MASK_RULES,
    Grey,
    binarise,
    minmax,
    read_grey,
    read_image,
    read_map,
    read_mask,
    resize,
    to_uint8,
    write_map,
)
from sodlift.errors import MapError, UnknownNameError

RAMP = np.tile(np.linspace(0, 255, 16).astype(np.uint8), (8, 1))
COLOUR = np.stack([RAMP, 255 - RAMP, RAMP // 2], axis=-1)
unit_maps = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.floats(0, 1, width=32)
)


# --- reading -----------------------------------------------------------------------------------------------------


def test_a_colour_png_is_read_as_stored(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, COLOUR)


def test_the_exif_orientation_is_not_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(COLOUR).save(tmp_path / "a.png", exif=exif)
    assert read_image(tmp_path / "a.png").shape == COLOUR.shape


def test_every_grey_level_of_8_bits_is_read_as_its_share_of_255(tmp_path):
    levels = np.arange(256, dtype=np.uint8)[None]
    Image.fromarray(levels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_map(tmp_path / "a.png"), levels.astype(np.float32) / np.float32(255))


def test_a_16_bit_map_keeps_its_precision(tmp_path):
    levels = np.arange(0, 65536, 257 // 2, dtype=np.uint16)[None]
    cv2.imwrite(str(tmp_path / "a.png"), levels)
    grey = read_grey(tmp_path / "a.png")
    assert (grey.full, grey.notes) == (65535.0, ("16-bit",))
    np.testing.assert_array_equal(grey.values, levels)
    np.testing.assert_allclose(grey.unit(), levels / 65535, atol=1e-7)


def test_colour_maps_turn_grey_by_opencv_and_are_noted(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "a.png")
    grey = read_grey(tmp_path / "a.png")
    assert grey.notes == ("colour",)
    np.testing.assert_array_equal(grey.values, cv2.cvtColor(COLOUR, cv2.COLOR_RGB2GRAY))


def test_a_grey_map_stored_in_three_channels_is_not_noted(tmp_path):
    Image.fromarray(np.repeat(RAMP[..., None], 3, axis=2)).save(tmp_path / "a.png")
    grey = read_grey(tmp_path / "a.png")
    assert grey.notes == ()
    np.testing.assert_array_equal(grey.values, RAMP)


def test_a_palette_gives_its_colours_not_its_indices(tmp_path):
    indexed = Image.fromarray(np.array([[0, 1]], np.uint8), mode="P")
    indexed.putpalette([255] * 3 + [128] * 3)
    indexed.save(tmp_path / "a.png")
    grey = read_grey(tmp_path / "a.png")
    assert grey.notes == ("palette",)
    np.testing.assert_array_equal(grey.values, [[255, 128]])


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_dropped_and_noted_unless_all_opaque(tmp_path, mode):
    opaque = Image.fromarray(RAMP).convert(mode)
    opaque.save(tmp_path / "opaque.png")
    assert read_grey(tmp_path / "opaque.png").notes == ()
    opaque.putalpha(Image.fromarray(RAMP))
    opaque.save(tmp_path / "clear.png")
    grey = read_grey(tmp_path / "clear.png")
    assert grey.notes == ("alpha",)
    np.testing.assert_array_equal(grey.values, RAMP)


def test_a_transparent_grey_level_is_noted_as_alpha_alone(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "a.png", transparency=0)
    grey = read_grey(tmp_path / "a.png")
    assert grey.notes == ("alpha",)
    np.testing.assert_array_equal(grey.values, RAMP)


@pytest.mark.parametrize("name", ["a.npy", "A.NPY", "a.tif"])
def test_float_maps_are_used_as_they_are(tmp_path, name):
    values = np.array([[0.0, 0.25], [0.5, 1.0]], np.float32)
    if name.lower().endswith("npy"):
        with (tmp_path / name).open("wb") as handle:
            np.save(handle, values)
    else:
        Image.fromarray(values).save(tmp_path / name)
    grey = read_grey(tmp_path / name)
    assert (grey.full, grey.notes) == (1.0, ("float",))
    np.testing.assert_array_equal(grey.unit(), values)


# --- writing -----------------------------------------------------------------------------------------------------


@given(unit_maps)
def test_quantising_moves_no_value_by_more_than_half_a_level(saliency):
    assert np.abs(to_uint8(saliency) / 255.0 - saliency).max() <= 0.5 / 255 + 1e-7


def test_reading_a_written_map_and_writing_it_again_changes_nothing(tmp_path):
    levels = np.arange(256, dtype=np.float32)[None] / np.float32(255)
    write_map(tmp_path / "a.png", levels)
    write_map(tmp_path / "b.png", read_map(tmp_path / "a.png"))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    np.testing.assert_array_equal(read_grey(tmp_path / "b.png").values, np.arange(256)[None])


def test_a_mask_is_written_as_black_and_white(tmp_path):
    write_map(tmp_path / "a.png", np.array([[True, False]]))
    np.testing.assert_array_equal(read_grey(tmp_path / "a.png").values, [[255, 0]])


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.01, 1.01])
def test_a_value_outside_the_unit_range_is_not_written(tmp_path, value):
    with pytest.raises(MapError, match=r"outside \[0, 1\]") as caught:
        write_map(tmp_path / "a.png", np.array([[0.5, value]]))
    assert str(tmp_path / "a.png") in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(4,), (4, 4, 3), (0, 4), (1, 4, 4)])
def test_an_array_that_is_no_map_is_not_written(tmp_path, shape):
    with pytest.raises(MapError, match="map of shape"):
        write_map(tmp_path / "a.png", np.zeros(shape))
    assert list(tmp_path.iterdir()) == []


# --- masks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("gt128", [0, 0, 0, 0, 1, 1]),
        ("half_max", [0, 0, 0, 1, 1, 1]),  # 255 / 2 = 127.5 lies below 128
        ("nonzero", [0, 1, 1, 1, 1, 1]),
        ("ge0.1", [0, 0, 1, 1, 1, 1]),
    ],
)
@pytest.mark.parametrize("full", [255, 65535, 1])
def test_a_rule_means_the_same_at_every_depth(rule, expected, full):
    levels = np.array([[0, 1, 26, 128, 129, 255]])
    values = levels / 255 if full == 1 else (levels * (full // 255)).astype(np.uint16 if full > 255 else np.uint8)
    np.testing.assert_array_equal(binarise(Grey(values, full), rule), np.array([expected], bool))


@pytest.mark.parametrize("rule", MASK_RULES)
def test_a_black_mask_is_empty_under_every_rule(rule):
    assert not binarise(Grey(np.zeros((3, 4), np.uint8), 255), rule).any()


def test_a_mask_of_zero_and_one_is_empty_at_128_and_whole_under_the_other_rules_of_its_kind(tmp_path):
    Image.fromarray(np.array([[0, 1]], np.uint8)).save(tmp_path / "a.png")
    assert not read_mask(tmp_path / "a.png").any()
    for rule in ("nonzero", "half_max"):
        np.testing.assert_array_equal(read_mask(tmp_path / "a.png", rule), [[False, True]])


def test_an_unknown_rule_is_an_error_that_lists_the_rules():
    with pytest.raises(UnknownNameError, match="did you mean 'gt128'"):
        binarise(Grey(RAMP, 255), "gt129")


# --- resizing and stretching -------------------------------------------------------------------------------------

METHODS = ["bilinear", "nearest", "area", "lanczos", "bicubic"]


@pytest.mark.parametrize("method", METHODS)
@given(saliency=unit_maps, height=st.integers(1, 20), width=st.integers(1, 20))
def test_resizing_keeps_the_unit_range_and_gives_the_size(method, saliency, height, width):
    out = resize(saliency, (height, width), method)
    assert (out.shape, out.dtype) == ((height, width), np.float32)
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_resizing_keeps_a_constant_map_constant(method):
    np.testing.assert_allclose(resize(np.full((7, 9), 0.25), (15, 4), method), 0.25, atol=1e-6)


def test_resizing_to_the_same_size_changes_nothing():
    saliency = RAMP / np.float32(255)
    np.testing.assert_array_equal(resize(saliency, (8, 16)), saliency)


def test_bilinear_resizing_is_opencvs():
    saliency = (RAMP / 255).astype(np.float32)
    np.testing.assert_array_equal(
        resize(saliency, (5, 11)), cv2.resize(saliency, (11, 5), interpolation=cv2.INTER_LINEAR)
    )


def test_an_unknown_method_is_an_error_that_lists_the_methods():
    with pytest.raises(UnknownNameError, match="did you mean 'bilinear'"):
        resize(RAMP / 255, (2, 2), "linear")


@given(unit_maps)
def test_stretching_spans_the_unit_range_or_leaves_a_constant_map(saliency):
    out = minmax(saliency)
    if saliency.max() - saliency.min() <= 1e-12:
        assert out is saliency
    else:
        assert (out.min(), out.max()) == (0, 1)


def test_stretching_with_eps_stays_below_one():
    np.testing.assert_allclose(minmax(np.array([2.0, 4.0]), eps=2.0), [0, 0.5])


# --- damaged files -----------------------------------------------------------------------------------------------


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "npy":
        np.save(buffer, RAMP / 255)
    else:
        Image.fromarray(COLOUR).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's about the tags of a TIFF that was cut
@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "tiff", "npy"])
def test_no_truncation_yields_other_pixels(tmp_path, kind):
    """Cut at every eighth byte: an error, or, where only the file's closing marks are lost, the whole picture."""
    whole, file = encoded(kind), tmp_path / f"a.{kind}"
    file.write_bytes(whole)
    expected = read_map(file)
    refused = 0
    lengths = range(0, len(whole), 8)
    for length in lengths:
        file.write_bytes(whole[:length])
        try:
            found = read_map(file)
        except MapError as error:
            assert str(file) in str(error)
            refused += 1
        else:
            np.testing.assert_array_equal(found, expected)
    assert refused >= len(lengths) - 5


@pytest.mark.filterwarnings("ignore")  # Pillow's about tags and sizes, which random bytes make up
@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "tiff", "npy"])
def test_no_corruption_escapes_as_another_error(tmp_path, kind):
    whole, file, rng = encoded(kind), tmp_path / f"a.{kind}", np.random.default_rng(0)
    for _ in range(40):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            damaged[place] = rng.integers(0, 256)
        file.write_bytes(damaged)
        try:
            saliency = read_map(file)
        except MapError as error:
            assert str(file) in str(error)
        else:
            assert saliency.min() >= 0
            assert saliency.max() <= 1
