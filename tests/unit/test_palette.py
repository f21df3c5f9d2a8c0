"""The few colours that cover most of an image."""

import numpy as np

from sodlift.priors._palette import quantise


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(120, 40, (*shape, 3)).clip(0, 255).astype(np.uint8)


def test_an_image_of_few_colours_keeps_them():
    image = np.zeros((10, 12, 3), np.uint8)
    image[:4], image[4:5, :2] = (200, 10, 90), (0, 255, 255)
    palette = quantise(image)
    assert palette.colours.tolist() == [[0, 0, 0], [200, 10, 90], [0, 255, 255]]
    assert palette.counts.tolist() == [70, 48, 2]
    assert np.array_equal(palette.colours[palette.indices], image)


def test_counts_are_those_of_the_indices():
    palette = quantise(noise((60, 70)))
    assert np.array_equal(palette.counts, np.bincount(palette.indices.ravel()))


def test_a_kept_colour_is_the_mean_of_its_cell_and_a_rare_one_joins_the_nearest():
    image = noise((50, 60), 1)
    palette = quantise(image, levels=4, coverage=0.5, fewest=1)
    cells = image.astype(int) * 4 // 256 @ [16, 4, 1]
    found, counts = np.unique(cells, return_counts=True)
    by_count = found[np.argsort(-counts, kind="stable")]
    kept = by_count[: len(palette.counts)]
    assert 1 < len(kept) < len(found)
    for k, cell in enumerate(kept):
        assert np.allclose(palette.colours[k], image[cells == cell].mean(axis=0))
        assert (palette.indices[cells == cell] == k).all()
    for cell in by_count[len(kept) :]:
        away = np.linalg.norm(palette.colours - image[cells == cell].mean(axis=0), axis=1)
        assert (palette.indices[cells == cell] == away.argmin()).all()


def test_as_many_colours_are_kept_as_cover_the_share_within_the_limits():
    image = noise((80, 90), 2)
    cells = np.unique(image.astype(int) * 12 // 256 @ [144, 12, 1], return_counts=True)[1]
    needed = int(np.searchsorted(np.cumsum(np.sort(cells)[::-1]), 0.8 * 7200)) + 1
    assert len(quantise(image, coverage=0.8, fewest=1).counts) == min(needed, 256)
    assert len(quantise(image, most=20).counts) == 20
    assert len(quantise(image, coverage=0.01, fewest=10).counts) == 10
