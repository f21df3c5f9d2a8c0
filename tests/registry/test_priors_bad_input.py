"""Every registered prior on input that is odd, huge or wrong: a valid map, or one clear error."""

import resource
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from drfi_samples import scene
from prior_samples import assert_is_a_map, model_file, ready
from sodlift.arrays import read_image
from sodlift.errors import DataError
from sodlift.priors import PRIORS
from sodlift.priors._base import Prior

NAMES = PRIORS.names()
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return model_file(tmp_path_factory.mktemp("model"))


@pytest.fixture(params=NAMES)
def prior(request, model) -> Prior:
    return ready(request.param, model)


# --- arrays that are no image -------------------------------------------------------------------------------------

IMAGE = scene(1, 24, 32)[0]
NO_IMAGE = {
    "floats": (IMAGE / 255, "type float64"),
    "NaN": (np.full((24, 32, 3), np.nan, np.float32), "type float32"),
    "16 bits": (IMAGE.astype(np.uint16), "type uint16"),
    "booleans": (IMAGE > 100, "type bool"),
    "grey": (IMAGE[..., 0], r"shape \(24, 32\)"),
    "alpha": (np.dstack([IMAGE, IMAGE[..., 0]]), r"shape \(24, 32, 4\)"),
    "channels first": (np.moveaxis(IMAGE, 2, 0), r"shape \(3, 24, 32\)"),
    "a batch": (IMAGE[None], r"shape \(1, 24, 32, 3\)"),
    "no row": (IMAGE[:0], r"shape \(0, 32, 3\)"),
    "no column": (IMAGE[:, :0], r"shape \(24, 0, 3\)"),
    "a list": (IMAGE.tolist(), "a list"),
    "a file": (Image.fromarray(IMAGE), "a Image"),
}


@pytest.mark.parametrize("case", NO_IMAGE)
def test_an_array_that_is_no_image_is_one_error_with_its_mend(prior, case):
    wrong, what = NO_IMAGE[case]
    for call in (prior.compute, prior.steps):
        with pytest.raises(DataError, match=rf"(?s){what}.*expected: \(height, width, 3\) uint8.*mend: ") as caught:
            call(wrong, prior.params())
        assert f"the image given to {prior.title}" in str(caught.value)


# --- files of all kinds -------------------------------------------------------------------------------------------


def write_all_kinds(folder: Path) -> None:
    """Write one scene, 48 pixels high and 64 wide as stored, in each kind of file."""
    values = scene(2, 48, 64)[0]
    colour = Image.fromarray(values)
    grey, alpha = colour.convert("L"), Image.linear_gradient("L").resize((64, 48))
    turned = Image.Exif()
    turned[0x0112] = 6
    colour.save(folder / "turned.jpg", exif=turned)
    grey.save(folder / "grey.jpg")
    Image.merge("LA", [grey, alpha]).save(folder / "grey_alpha.png")
    Image.merge("RGBA", [*colour.split(), alpha]).save(folder / "colour_alpha.png")
    colour.convert("P").save(folder / "palette.png")
    colour.convert("P").save(folder / "transparent_palette.png", transparency=0)
    colour.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    grey.convert("1").save(folder / "one_bit.png")
    cv2.imwrite(str(folder / "grey_16_bit.png"), np.asarray(grey).astype(np.uint16) * 257)
    cv2.imwrite(str(folder / "colour_16_bit.png"), values[..., ::-1].astype(np.uint16) * 257)


def test_any_kind_of_file_gives_a_map_of_the_stored_size(prior, tmp_path):
    write_all_kinds(tmp_path)
    for file in tmp_path.iterdir():
        assert_is_a_map(prior.compute(read_image(file), prior.params()), (48, 64))


def test_cmyk_is_neither_inverted_nor_darkened(tmp_path):
    write_all_kinds(tmp_path)
    assert np.abs(read_image(tmp_path / "cmyk.jpg").astype(int) - scene(2, 48, 64)[0]).mean() < 8


# --- drawn frames -------------------------------------------------------------------------------------------------

COLOURS = {"black": (0, 0, 0), "white": (255, 255, 255), "as light as the scene": (200, 30, 40)}
SIDES = {"all": (1, 1, 1, 1), "top and bottom": (1, 1, 0, 0), "left and right": (0, 0, 1, 1), "top": (1, 0, 0, 0)}
HIGHEST = {**dict.fromkeys(["mb", "mb_plus", "mst", "rbd", "bsca", "mr", "gs", "sf"], 0.02), "mc": 0.2}
"""Mean saliency of a frame's pixels, at most: of methods that look for frames, and of MC, which leaves out what has
little to do with what it surrounds. The others find what is rare or unlike the rest, and a frame may be that."""


def meadow() -> np.ndarray:
    """Return a green scene with a blue object: (100, 140, 3) uint8."""
    image = np.random.default_rng(3).normal((70, 90, 60), 6, (100, 140, 3)).clip(0, 255).astype(np.uint8)
    image[35:70, 50:95] = (60, 120, 200)
    return image


def framed(
    image: np.ndarray, colour: tuple[int, int, int], thickness: int, sides: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return an image with a frame drawn around it, and where that is: (H, W, 3) uint8 and (H, W) bool."""
    top, bottom, left, right = (thickness * side for side in SIDES[sides])
    is_frame = np.pad(np.zeros(image.shape[:2], bool), ((top, bottom), (left, right)), constant_values=True)
    out = np.pad(image, ((top, bottom), (left, right), (0, 0)))
    out[is_frame] = colour
    return out, is_frame


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("name", NAMES)
def test_a_drawn_frame_gives_a_map_in_which_it_is_left_out_by_the_methods_that_do_so(name, colour, model):
    prior = ready(name, model)
    for thickness, sides in product((1, 5, 15), SIDES):
        image, is_frame = framed(meadow(), COLOURS[colour], thickness, sides)
        saliency = prior.compute(image, prior.params())
        assert_is_a_map(saliency, is_frame.shape)
        assert saliency[is_frame].mean() <= HIGHEST.get(name, 1), (thickness, sides)


@pytest.mark.parametrize("thickness", [1, 5, 15])
def test_nothing_but_frames_gives_a_map(prior, thickness):
    for innermost in (meadow()[:1, :1], meadow()[:2, :40]):
        image = innermost
        for colour in COLOURS.values():
            image, _ = framed(image, colour, thickness, "all")
            assert_is_a_map(prior.compute(image, prior.params()), image.shape[:2])


# --- huge images --------------------------------------------------------------------------------------------------

HIGHEST_MEMORY = 1.5
"""GB that a process may take in all for an image of 24 megapixels."""


def huge_image() -> np.ndarray:
    """Return a red object on smooth ground under noise: (4000, 6000, 3) uint8."""
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.integers(40, 160, (8, 12, 3), dtype=np.uint8), (6000, 4000))
    image[1400:2700, 2300:3900] = (220, 60, 40)
    image += np.resize(rng.integers(0, 24, 1_000_003, dtype=np.uint8), image.shape)
    return image


def huge_map(name: str, model: Path) -> float:
    """Check the map of a huge image and return the most memory that this process took, in GB."""
    prior = ready(name, model)
    saliency = prior.compute(huge_image(), prior.params())
    assert_is_a_map(saliency, (4000, 6000))
    assert saliency[1700:2400, 2700:3500].mean() > saliency[:800].mean() + 0.3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


@pytest.mark.parametrize("name", NAMES)
def test_a_huge_image_takes_little_memory(name, model):
    # a server forks the process: one started by this one would count this one's memory as its own
    with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as pool:
        assert pool.submit(huge_map, name, model).result() < HIGHEST_MEMORY
