"""Bayesian integration of two saliency maps.

Source: X. Li, H. Lu, L. Zhang, X. Ruan, M.-H. Yang, "Saliency Detection via Dense and Sparse Reconstruction", ICCV
2013, the Bayesian integration of saliency maps.
"""

import numpy as np
import numpy.typing as npt

from sodlift.arrays import FloatMap


def posterior(prior: FloatMap, observed: FloatMap, bins: int) -> FloatMap:
    """Return the probability of salience with one map as the prior and the other as what is observed.

    Parameters
    ----------
    prior : (H, W) float32 in [0, 1]
    observed : (H, W) float32
        Its distribution inside and outside the prior's foreground gives the likelihoods.
    bins : int
        Bins of each distribution.

    Returns
    -------
    (H, W) float32
        In [0, 1].
    """
    # (1) the prior's foreground is what reaches its mean
    inside = prior >= prior.mean()
    # (2) likelihoods of the observed value, from the histograms of the two sides
    salient = _likelihood(observed, inside, bins)
    background = _likelihood(observed, ~inside, bins)
    # (3) Bayes' rule
    joint = prior * salient
    total = joint + (1 - prior) * background
    return np.asarray(np.divide(joint, total, out=np.zeros_like(prior), where=total > 0))


def _likelihood(values: FloatMap, side: npt.NDArray[np.bool_], bins: int) -> FloatMap:
    """Return for each value the share of its bin among the values on one ``side``; the bins span that side's range."""
    sample = values[side]
    if sample.size == 0:
        return np.zeros_like(values)
    low, high = float(sample.min()), float(sample.max())
    span = max(high - low, 1e-12)
    index: npt.NDArray[np.int32] = np.clip((values - low) * (bins / span), 0, bins - 1).astype(np.int32)
    shares = np.bincount(index[side], minlength=bins) / sample.size
    return shares.astype(np.float32)[index]
