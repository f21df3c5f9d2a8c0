"""A regression forest as plain arrays: grown by scikit-learn, kept and evaluated without it.

Source: L. Breiman, "Random Forests", Machine Learning 45, 2001. scikit-learn is imported when a forest is grown; it
comes with the extra ``learned``.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from sodlift.errors import MissingDependencyError


@dataclass(frozen=True)
class Forest:
    """Trees whose nodes lie in common arrays; node M of them is reached from its tree's root.

    Attributes
    ----------
    roots : (T,) int32
        Root of each tree.
    feature : (M,) int16
        Column that a node asks for; -1 for a leaf.
    threshold : (M,) float32
        A sample goes left where its feature is at most this.
    left, right : (M,) int32
        Children; 0 for a leaf.
    value : (M,) float32
        Mean target of the node's samples.
    """

    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int16]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: npt.NDArray[np.float32]

    def predict(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return the mean of the trees' answers to samples (N, D) float32: (N,) float64."""
        return np.asarray(
            _predict(samples, self.roots, self.feature, self.threshold, self.left, self.right, self.value)
        )


def grow(
    samples: npt.NDArray[np.float32],
    targets: npt.NDArray[Any],
    trees: int,
    tried: int,
    drawn: int,
    smallest_leaf: int,
    seed: int,
    workers: int,
) -> Forest:
    """Grow a regression forest with scikit-learn; the same whatever the number of ``workers``.

    Parameters
    ----------
    samples : (N, D) float32
    targets : (N,)
    trees : int
        Number of trees.
    tried : int
        Features drawn for each split.
    drawn : int
        Samples drawn, with replacement, for each tree; at most N are.
    smallest_leaf : int
        Fewest samples of a leaf.
    seed : int
        Seed of all draws.
    workers : int
        Threads.

    Raises
    ------
    MissingDependencyError
        If scikit-learn is not installed.
    """
    try:
        ensemble = import_module("sklearn.ensemble")
    except ImportError as cause:
        raise MissingDependencyError(
            "growing a forest needs scikit-learn", mend="pip install 'sodlift[learned]'"
        ) from cause
    grown = ensemble.RandomForestRegressor(
        trees,
        max_features=tried,
        max_samples=min(drawn, len(samples)),
        min_samples_leaf=smallest_leaf,
        random_state=seed,
        n_jobs=workers,
    ).fit(samples, targets)
    return _from_trees([tree.tree_ for tree in grown.estimators_])


def _from_trees(trees: list[Any]) -> Forest:
    """Put scikit-learn's trees into common arrays."""
    counts = [tree.node_count for tree in trees]
    roots = np.cumsum([0, *counts[:-1]])
    offsets = np.repeat(roots, counts)
    left, right = (np.concatenate([getattr(t, f"children_{side}") for t in trees]) for side in ("left", "right"))
    leaf = left < 0
    feature = np.where(leaf, -1, np.concatenate([tree.feature for tree in trees]))
    exact = np.concatenate([tree.threshold for tree in trees])
    # for float32 samples x, x <= t holds where x is at most the largest float32 that is not above t
    threshold = exact.astype(np.float32)
    threshold = np.where(threshold > exact, np.nextafter(threshold, np.float32(-np.inf)), threshold)
    return Forest(
        roots.astype(np.int32),
        feature.astype(np.int16),
        threshold.astype(np.float32),
        np.where(leaf, 0, left + offsets).astype(np.int32),
        np.where(leaf, 0, right + offsets).astype(np.int32),
        np.concatenate([tree.value[:, 0, 0] for tree in trees]).astype(np.float32),
    )


@njit(cache=True)
def _predict(samples, roots, feature, threshold, left, right, value):  # type: ignore[no-untyped-def]
    out = np.zeros(len(samples))
    for root in roots:  # one tree at a time, which then stays in the cache
        for i in range(len(samples)):
            node = root
            while feature[node] >= 0:
                node = left[node] if samples[i, feature[node]] <= threshold[node] else right[node]
            out[i] += value[node]
    return out / len(roots)
