"""K-means against scikit-learn's, and what it does where clusters tie or empty."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from sodlift.superpixels.kmeans import kmeans


def blobs(count, clusters, dims, seed):
    """Return ``count`` points around ``clusters`` overlapping blobs, and as many of them as there are blobs."""
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 3, (clusters, dims))[rng.integers(0, clusters, count)] + rng.normal(0, 1.5, (count, dims))
    return points, points[rng.choice(count, clusters, replace=False)]


@pytest.mark.parametrize(("clusters", "dims"), [(1, 3), (2, 1), (3, 3), (8, 8)])
@pytest.mark.parametrize("seed", range(5))
def test_it_finds_the_clusters_of_scikit_learn(clusters, dims, seed):
    points, start = blobs(300, clusters, dims, seed)
    theirs = KMeans(clusters, init=start, n_init=1, max_iter=200, tol=0, algorithm="lloyd").fit(points)
    labels, centres = kmeans(points, start)
    assert np.array_equal(labels, theirs.labels_)
    assert np.allclose(centres, theirs.cluster_centers_, rtol=0, atol=1e-10)


def test_the_result_is_at_rest():
    points, start = blobs(200, 4, 3, 9)
    labels, centres = kmeans(points, start)
    again, same = kmeans(points, centres)
    assert np.array_equal(labels, again) and np.allclose(centres, same, rtol=0, atol=1e-12)
    assert np.allclose(centres, [points[labels == k].mean(axis=0) for k in range(4)])


@pytest.mark.parametrize("iterations", [0, 1, 2])
def test_when_stopped_early_labels_fit_the_centres(iterations):
    points, start = blobs(200, 5, 2, 4)
    labels, centres = kmeans(points, start, iterations)
    distances = ((points[:, None] - centres) ** 2).sum(axis=2)
    assert np.array_equal(labels, distances.argmin(axis=1))
    assert (iterations > 0) != np.array_equal(centres, start)


def test_a_cluster_without_points_keeps_its_centre():
    points = np.array([[0.0], [1.0], [10.0], [11.0]])
    labels, centres = kmeans(points, np.array([[0.0], [100.0], [10.0]]))
    assert labels.tolist() == [0, 0, 2, 2] and centres.ravel().tolist() == [0.5, 100.0, 10.5]


def test_between_equal_centres_the_first_takes_all():
    labels, centres = kmeans(np.array([[1.0, 2.0], [3.0, 4.0]]), np.zeros((3, 2)))
    assert labels.tolist() == [0, 0] and centres.tolist() == [[2, 3], [0, 0], [0, 0]]


def test_inputs_are_left_alone():
    points, start = blobs(50, 3, 3, 1)
    before = points.copy(), start.copy()
    kmeans(points, start)
    assert np.array_equal(points, before[0]) and np.array_equal(start, before[1])
