"""SLIC: what a segmentation keeps, and how it compares with scikit-image's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage import data
from skimage.segmentation import slic as skimage_slic

from sodlift.superpixels.colour import lab_colours, lab_planes
from sodlift.superpixels.connectivity import connect
from sodlift.superpixels.slic import _cells, slic, slic_lab

CROSS = ndimage.generate_binary_structure(2, 1)


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(data.chelsea()[:300, :400])


def components(labels, label):
    return ndimage.label(labels == label, CROSS)[1]


def undersegmentation_error(labels, truth):
    """Return the share of pixels that superpixels spill over the edges of ``truth``."""
    spilled = 0
    for label in range(labels.max() + 1):
        counts = np.bincount(truth[labels == label])
        spilled += counts.sum() - counts.max(initial=0)
    return spilled / truth.size


def test_labels_are_consecutive_and_every_region_is_connected(photo):
    labels, count = slic(photo, 250)
    assert labels.dtype == np.int32 and labels.shape == photo.shape[:2]
    assert np.array_equal(np.unique(labels), np.arange(count))
    assert all(components(labels, label) == 1 for label in range(count))


def test_the_number_of_regions_is_about_what_was_asked_for(photo):
    for asked in (50, 250, 500):
        assert 0.7 * asked < slic(photo, asked)[1] < 1.3 * asked


def test_two_runs_agree_bit_for_bit(photo):
    assert np.array_equal(slic(photo, 200)[0], slic(photo, 200)[0])


def test_regions_follow_edges_as_closely_as_scikit_images():
    rng = np.random.default_rng(3)
    yy, xx = np.mgrid[:300, :400]
    truth = ((yy - 140) ** 2 / 90**2 + (xx - 220) ** 2 / 120**2 < 1).astype(int) + 2 * (xx + yy < 180)
    colours = np.array([[60, 90, 160], [200, 120, 40], [90, 160, 70]])
    image = (colours[truth] + rng.normal(0, 8, (300, 400, 3))).clip(0, 255).astype(np.uint8)
    ours, count = slic(image, 250)
    theirs = skimage_slic(image, 250, compactness=20, max_num_iter=10, start_label=0)
    assert undersegmentation_error(ours, truth) <= 1.1 * undersegmentation_error(theirs, truth) < 0.02
    assert abs(count - (theirs.max() + 1)) <= 0.15 * count


def test_two_colours_are_split_at_their_edge():
    image = np.zeros((60, 80, 3), np.uint8)
    image[:, 33:] = 255
    labels, _ = slic(image, 12)
    assert not set(labels[:, :33].ravel()) & set(labels[:, 33:].ravel())


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (2, 300), (49, 49), (3, 3)])
def test_any_size_gives_a_segmentation(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    for regions in (1, 4, 10_000):
        labels, count = slic(image, regions)
        assert labels.shape == shape and labels.min() == 0 and labels.max() == count - 1


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.int32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 2)))
def test_connecting_without_merging_is_connected_component_labelling(labels):
    out, count = connect(labels, 0)
    expected = sum(components(labels, label) for label in np.unique(labels))
    assert count == expected
    assert all(components(out, label) == 1 for label in range(count))
    assert all(np.unique(labels[out == label]).size == 1 for label in range(count))


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.int32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 2)),
    st.integers(1, 20),
)
def test_merging_leaves_connected_regions_larger_than_the_smallest(labels, smallest):
    out, count = connect(labels, smallest)
    sizes = np.bincount(out.ravel(), minlength=count)
    assert (sizes > smallest).all() or count == 1
    assert all(components(out, label) == 1 for label in range(count))


def test_lab_of_a_row_of_colours_is_the_images():
    colours = np.random.default_rng(1).integers(0, 256, (50, 3), dtype=np.uint8)
    assert np.array_equal(lab_colours(colours), lab_planes(colours[None])[:, 0].T)
    assert np.allclose(lab_colours(np.array([[255, 255, 255], [0, 0, 0]])), [[100, 0, 0], [0, 0, 0]], atol=0.02)


def plain_slic(planes, regions, compactness, iterations):
    """Return SLIC's labels by the book, pixel by pixel, the means taken over all pixels anew in each round."""
    height, width = planes.shape[1:]
    interval = (height * width / regions) ** 0.5
    reach = int(interval)
    spatial = np.float32((compactness / reach) ** 2)
    centres, labels = _cells(planes, round(interval))
    yy, xx = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(iterations):
        distance, before = np.full((height, width), np.inf, np.float32), labels.copy()
        for k, (light, a, b, cy, cx) in enumerate(centres):
            window = (np.abs(yy - int(cy) + 0.5) < reach) & (np.abs(xx - int(cx) + 0.5) < reach)
            colour = (planes[0] - light) ** 2 + (planes[1] - a) ** 2 + (planes[2] - b) ** 2
            d = colour + ((xx - cx) ** 2 + (yy - cy) ** 2) * spatial
            nearer = window & (d < distance)
            distance[nearer], labels[nearer] = d[nearer], k
        if np.array_equal(before, labels):
            break
        for k in np.unique(labels):
            inside = labels == k
            values = [plane[inside].astype(np.float64).mean() for plane in planes]
            centres[k] = [*values, yy[inside].mean(dtype=np.float64), xx[inside].mean(dtype=np.float64)]
    return connect(labels, reach * reach // 4)


@pytest.mark.parametrize(("regions", "compactness"), [(30, 20.0), (12, 5.0), (200, 10.0)])
def test_labels_are_those_of_the_plain_algorithm(photo, regions, compactness):
    planes = lab_planes(np.ascontiguousarray(photo[60:120:2, 100:260:2]))
    ours, count = slic_lab(planes, regions, compactness)
    theirs, expected = plain_slic(planes, regions, compactness, 10)
    assert count == expected and np.array_equal(ours, theirs)


def test_carried_sums_lose_nothing_because_lab_planes_are_multiples_of_a_power_of_two(photo):
    for image in (photo, np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)):
        scaled = lab_planes(image).astype(np.float64) * 2**24
        assert np.array_equal(scaled, np.rint(scaled))
