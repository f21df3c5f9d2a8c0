"""DenseCRF: energies, inference against a brute-force mean field, presets and edge cases."""

import builtins

import mirm_samples
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from sodlift.arrays import FloatMap, Image8
from sodlift.crf import lattice, peer
from sodlift.crf.dense import Pairwise, infer, infer_labels
from sodlift.crf.unary import UNARIES, Energies
from sodlift.errors import ConfigError, MissingDependencyError
from sodlift.options import build
from sodlift.refiners.densecrf import DenseCrf, DenseCrfOptions

MAPS = arrays.arrays(np.uint8, (3, 4))


@pytest.mark.parametrize("name", UNARIES)
@given(saliency=MAPS)
def test_energies_are_finite_and_exchange_with_the_labels(name: str, saliency: Image8) -> None:
    unit = (saliency / 255).astype(np.float32)
    energies = UNARIES[name](unit)
    assert energies.shape == (2, 3, 4)
    assert energies.dtype == np.float32
    assert np.isfinite(energies).all()
    assert np.allclose(energies[::-1], UNARIES[name](1 - unit), atol=1e-4)


def test_dss_energy_is_the_published_formula() -> None:
    energies = UNARIES["dss"](np.array([[0.8]], np.float32))
    expected = [-np.log(p + 1e-8) / (1.05 / (1 + np.exp(-p))) for p in (0.2, 0.8)]
    assert energies.flatten() == pytest.approx(expected, rel=1e-5)


def test_log_energy_of_a_certain_pixel_is_clipped() -> None:
    assert UNARIES["log"](np.array([[1.0]], np.float32)).flatten() == pytest.approx([-np.log(1e-5), 0], abs=1e-6)


def test_hard_energy_holds_the_label_with_confidence_seven_tenths() -> None:
    energies = UNARIES["hard"](np.array([[0.9, 0.1]], np.float32))
    assert np.exp(-energies[1]).flatten() == pytest.approx([0.7, 0.3])


def brute_force(image: Image8, energies: Energies, pairwise: Pairwise) -> FloatMap:
    """The same mean field with full kernel matrices, symmetrically normalised, each pixel included."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width]
    position = np.stack([x.ravel(), y.ravel()], 1).astype(float)
    colour = image.reshape(-1, 3) / pairwise.bilateral_srgb
    features = [
        (position / pairwise.smooth_sxy, pairwise.smooth_weight),
        (np.concatenate([position / pairwise.bilateral_sxy, colour], 1), pairwise.bilateral_weight),
    ]
    message = np.zeros((height * width,) * 2)
    for points, weight in features:
        kernel = np.exp(-0.5 * ((points[:, None] - points[None]) ** 2).sum(-1))
        scale = 1 / np.sqrt(kernel.sum(1))
        message += weight * scale[:, None] * kernel * scale[None]
    unary = -energies.reshape(2, -1).astype(float)
    q = np.exp(unary) / np.exp(unary).sum(0)
    for _ in range(pairwise.steps):
        logits = unary + q @ message
        q = np.exp(logits - logits.max(0))
        q /= q.sum(0)
    return q[1].reshape(height, width).astype(np.float32)


def test_inference_follows_the_brute_force_mean_field() -> None:
    image, _ = mirm_samples.scene(0, (18, 20))
    rng = np.random.default_rng(0)
    saliency = np.clip(image[..., 0] / 255 + rng.normal(0, 0.2, (18, 20)), 0.05, 0.95).astype(np.float32)
    energies = UNARIES["log"](saliency)
    pairwise = Pairwise(bilateral_sxy=20, bilateral_srgb=30, bilateral_weight=2, smooth_weight=1)
    difference = np.abs(infer(image, energies, pairwise) - brute_force(image, energies, pairwise))
    assert difference.mean() < 0.03


@pytest.mark.parametrize("preset", DenseCrfOptions.presets())
def test_inference_is_the_packages_under_every_preset(preset: str) -> None:
    image, _ = mirm_samples.scene(1, (61, 83))
    options = DenseCrfOptions.presets()[preset]
    saliency = np.random.default_rng(1).random((61, 83), np.float32)
    energies = UNARIES[options.unary](saliency)
    ours, theirs = (run(image, energies, options.pairwise) for run in (infer, peer.infer))
    assert np.abs(ours - theirs).mean() < 1e-5
    assert ((ours > 0.5) == (theirs > 0.5)).mean() >= 0.999


def test_two_labels_in_one_channel_are_two_labels_in_two() -> None:
    image, prior = mirm_samples.scene(2, (40, 50))
    energies = UNARIES["log"](prior)
    pairwise = Pairwise(bilateral_srgb=13, steps=5)
    assert np.allclose(infer_labels(image, energies, pairwise)[1], infer(image, energies, pairwise), atol=1e-5)


def test_labels_are_exchangeable_and_sum_to_one() -> None:
    image, _ = mirm_samples.scene(2, (30, 40))
    energies = np.random.default_rng(0).random((4, 30, 40), np.float32) * 3
    order = [2, 0, 3, 1]
    labels = infer_labels(image, energies, Pairwise(steps=3))
    assert np.allclose(labels.sum(0), 1, atol=1e-5)
    assert np.allclose(infer_labels(image, energies[order], Pairwise(steps=3)), labels[order], atol=1e-5)


@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_lattice_filters_linearly_symmetrically_and_near_the_gaussian(dimensions: int) -> None:
    rng = np.random.default_rng(dimensions)
    points = rng.normal(0, 1.5, (400, dimensions)).astype(np.float32)
    a, b = rng.random((2, 400), np.float32)
    on = lattice.build(points)
    assert np.allclose(on.weights.sum(1), 1, atol=1e-5) and on.weights.min() > -1e-5
    assert np.allclose(on.filter(2 * a + b), 2 * on.filter(a) + on.filter(b), rtol=1e-4)
    assert np.dot(b, on.filter(a)) == pytest.approx(np.dot(a, on.filter(b)), rel=0.02)  # axes are blurred in an order
    kernel = np.exp(-0.5 * ((points[:, None] - points[None]) ** 2).sum(-1))
    ours, exact = on.filter(a) / on.filter(np.ones(400, np.float32)), kernel @ a / kernel.sum(1)
    assert np.abs(ours - exact).mean() < 0.05  # of values in [0, 1]; 400 points leave much of five dimensions empty


def test_vertices_and_their_neighbours_agree_in_both_directions() -> None:
    points = np.random.default_rng(3).normal(0, 4, (500, 3)).astype(np.float32)
    neighbours = lattice.build(points).neighbours
    nowhere = neighbours.shape[1] - 1
    for along in neighbours:
        there = np.flatnonzero(along[:, 0] != nowhere)
        assert np.array_equal(along[along[there, 0], 1], there)
        assert (along[nowhere] == nowhere).all()


def test_deviations_too_small_for_the_lattice_are_refused() -> None:
    with pytest.raises(ConfigError, match="raise sxy or srgb"):
        lattice.build(np.array([[0, 0, 0, 0, 0], [1e6, 1e6, 1e6, 1e6, 1e6]], np.float32))


def test_refined_map_follows_the_images_edge() -> None:
    image = np.full((40, 60, 3), (30, 90, 160), np.uint8)
    image[:, 30:] = (210, 60, 40)
    prior = np.full((40, 60), 0.15, np.float32)
    prior[:, 34:] = 0.85  # four pixels off the edge
    soft, strong = (DenseCrf(DenseCrfOptions.presets()[name]).refine(image, prior) for name in ("dss", "deepusps"))
    assert soft.saliency[:, 30:34].mean() > 0.2
    assert soft.saliency[:, :29].max() < 0.15
    assert strong.saliency[:, 31:34].min() > 0.5
    assert strong.saliency[:, :29].max() < 0.5


@pytest.mark.parametrize("preset", DenseCrfOptions.presets())
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (33, 40)])
def test_constant_maps_and_small_images_give_valid_maps(preset: str, value: float, size: tuple[int, int]) -> None:
    image, _ = mirm_samples.scene(0, size)
    refined = DenseCrf(DenseCrfOptions.presets()[preset]).refine(image, np.full(size, value, np.float32))
    assert refined.saliency.shape == size
    assert refined.saliency.dtype == np.float32
    assert np.isfinite(refined.saliency).all()
    assert 0 <= refined.saliency.min() <= refined.saliency.max() <= 1
    if value != 0.5:
        assert np.allclose(refined.saliency, value, atol=0.05)


def test_hard_output_is_binary_and_cleaned_by_the_median() -> None:
    image = np.full((30, 30, 3), 40, np.uint8)
    image[5:25, 5:25] = 200
    prior = np.zeros((30, 30), np.float32)
    prior[5:25, 5:25] = 1
    prior[1, 1] = 1
    refined = DenseCrf(DenseCrfOptions.presets()["a2s"]).refine(image, prior)
    assert set(np.unique(refined.saliency)) == {0.0, 1.0}
    assert refined.saliency[15, 15] == 1
    assert refined.saliency[1, 1] == 0


def test_image_is_not_written_to() -> None:
    image, prior = mirm_samples.scene(0)
    before = image.copy()
    image.setflags(write=False)
    DenseCrf(DenseCrfOptions()).refine(image, prior)
    assert np.array_equal(image, before)


def test_presets_hold_the_papers_settings() -> None:
    presets = DenseCrfOptions.presets()
    assert presets["dss"].pairwise == Pairwise(3, 3, 60, 5, 5, 1)
    assert presets["deepusps"].pairwise == Pairwise(3, 3, 80, 13, 10, 5)
    assert presets["a2s_soft"].pairwise == Pairwise(3, 3, 80, 13, 10, 10)
    assert presets["a2s"].pairwise == Pairwise(3, 3, 50, 5, 10, 10)
    for name, deviations in (("mijr_aggressive", (2, 5, 1)), ("mijr_conservative", (20, 200, 50))):
        kernels = presets[name].pairwise
        assert (kernels.smooth_sxy, kernels.bilateral_sxy, kernels.bilateral_srgb) == deviations
    assert [p.output for p in presets.values()] == ["soft", "soft", "hard", "soft", "hard", "hard"]


@pytest.mark.parametrize(
    ("mapping", "key"),
    [({"pairwise": {"steps": 0}}, "pairwise.steps"), ({"median": 4}, "median"), ({"unary": "x"}, "unary")],
)
def test_senseless_options_are_refused_naming_the_key(mapping: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        build(DenseCrfOptions, mapping, "crf")


def test_missing_package_of_the_other_backend_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str, *rest: object) -> object:
        if name.startswith("pydensecrf"):
            raise ImportError(name)
        return original(name, *rest)

    original = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without)
    image, prior = mirm_samples.scene(0, (8, 8))
    DenseCrf(DenseCrfOptions()).refine(image, prior)
    with pytest.raises(MissingDependencyError, match=r"sodlift\[crf\]"):
        DenseCrf(DenseCrfOptions(backend="pydensecrf")).refine(image, prior)
