"""Every metric against a slow, plain reference that goes pixel by pixel, over random maps of any shape."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sodlift.arrays import Grey
from sodlift.metrics import all_metrics
from sodlift.metrics._pair import GroundTruth, prepare

EPS = np.spacing(1)


def normalised(values: np.ndarray, full: float) -> np.ndarray:
    x = values / full
    return (x - x.min()) / (x.max() - x.min()) if x.max() != x.min() else x


def f_of(tp: int, predicted: int, positives: int) -> float:
    if tp == 0:
        return 0.0
    p, r = tp / predicted, tp / positives
    return 1.3 * p * r / (0.3 * p + r)


def e_of(binary: np.ndarray, g: np.ndarray) -> float:
    if not g.any():
        total = (~binary).sum()
    elif g.all():
        total = binary.sum()
    else:
        p, q = binary - binary.mean(), g - g.mean()
        total = ((2 * p * q / (p * p + q * q + EPS) + 1) ** 2 / 4).sum()
    return float(total / (g.size - 1 + EPS))


def s_of(x: np.ndarray, g: np.ndarray) -> float:
    if not g.any():
        return 1 - x.mean()
    if g.all():
        return x.mean()

    def uniformity(v: np.ndarray) -> float:
        m = v.mean()
        return 2 * m / (m * m + 1 + (v.std(ddof=1) if v.size > 1 else 0) + EPS)

    def similarity(p: np.ndarray, t: np.ndarray) -> float:
        if p.size == 0:
            return 0.0
        n = max(p.size - 1, 1)
        mp, mt = np.mean(p), np.mean(t)
        spp, stt = np.sum((p - mp) ** 2) / n, np.sum((t - mt) ** 2) / n
        spt = np.sum((p - mp) * (t - mt)) / n
        alpha, beta = 4 * mp * mt * spt, (mp**2 + mt**2) * (spp + stt)
        if alpha != 0:
            return alpha / (beta + EPS)
        return 1.0 if beta == 0 else 0.0

    objects = g.mean() * uniformity(x[g]) + (1 - g.mean()) * uniformity(1 - x[~g])
    rows, columns = np.nonzero(g)
    cy, cx = round(float(rows.mean())) + 1, round(float(columns.mean())) + 1  # round half to even
    regions = 0.0
    for r in (slice(0, cy), slice(cy, None)):
        for c in (slice(0, cx), slice(cx, None)):
            regions += x[r, c].size / x.size * similarity(x[r, c], g[r, c])
    return max(0.0, 0.5 * objects + 0.5 * regions)


def wf_of(x: np.ndarray, g: np.ndarray) -> float:
    if not g.any():
        return 0.0
    height, width = g.shape
    error = np.abs(x - g)
    foreground = np.argwhere(g).tolist()
    spread, distance = error.copy(), np.zeros(g.shape)
    for y, c in np.argwhere(~g).tolist():
        d2, q, p = min(((p - y) ** 2 + (q - c) ** 2, q, p) for p, q in foreground)
        spread[y, c], distance[y, c] = error[p, q], math.sqrt(d2)
    kernel = {(i, j): math.exp(-(i * i + j * j) / 50) for i in range(-3, 4) for j in range(-3, 4)}
    norm = sum(kernel.values())
    inside, outside = [], 0.0
    for y, c in np.ndindex(g.shape):
        if not g[y, c]:
            outside += error[y, c] * (2 - 0.5 ** (distance[y, c] / 5))
            continue
        blurred = sum(
            w / norm * spread[y + i, c + j]
            for (i, j), w in kernel.items()
            if 0 <= y + i < height and 0 <= c + j < width
        )
        inside.append(min(error[y, c], blurred))
    tp = len(inside) - sum(inside)
    recall, precision = 1 - sum(inside) / len(inside), tp / (tp + outside + EPS)
    return 2 * recall * precision / (recall + precision + EPS)


def auc_of(levels: np.ndarray, g: np.ndarray) -> float:
    wins = sum((a > b) + (a == b) / 2 for a in levels[g].tolist() for b in levels[~g].tolist())
    return wins / (g.sum() * (~g).sum())


def plain_scores(values: np.ndarray, full: float, g: np.ndarray) -> dict[str, float]:
    x = normalised(values, full)
    scores = {"MAE": float(np.mean(np.abs(x - g))), "S": s_of(x, g), "wF": wf_of(x, g)}
    adaptive = x >= min(2 * x.mean(), 1)
    scores["adpF"] = f_of((adaptive & g).sum(), adaptive.sum(), g.sum())
    levels = np.trunc(x * 255).astype(int)
    binaries = {level: levels >= level for level in {*np.unique(levels).tolist(), 0}}
    # a threshold binarises as the next level above it does; beyond the last nothing is left
    above = [min((level for level in binaries if level >= t), default=None) for t in range(256)]
    nothing = np.zeros(g.shape, bool)
    chosen = [nothing if level is None else binaries[level] for level in above]
    f = [f_of((b & g).sum(), b.sum(), g.sum()) for b in chosen]
    scores |= {"meanF": float(np.mean(f)), "maxF": max(f)}
    if g.size > 1:
        by_level = {level: e_of(b, g) for level, b in binaries.items()} | {None: e_of(nothing, g)}
        e = [by_level[level] for level in above]
        scores |= {"adpE": e_of(adaptive, g), "meanE": float(np.mean(e)), "maxE": max(e)}
    if g.any() and not g.all():
        scores["AUC"] = auc_of(levels, g)
    return scores


def our_scores(values: np.ndarray, full: float, g: np.ndarray) -> dict[str, float]:
    pair = prepare(Grey(values, full), GroundTruth(g))
    found = [metric.score(pair) for metric in all_metrics()]
    return {name: value for score in found if score for name, value in score.values.items()}


def agree(values: np.ndarray, full: float, g: np.ndarray) -> None:
    ours, plain = our_scores(values, full, g), plain_scores(values, full, g)
    assert ours.keys() == plain.keys()
    for name, value in plain.items():
        assert ours[name] == pytest.approx(value, abs=1e-9), name


shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data(), shapes, st.sampled_from([1, 2, 5, 255]))
def test_8_bit_maps_score_as_pixel_by_pixel(data, shape, most):
    # few different grey values make constant quadrants and values that equal a threshold
    values = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, most).map(lambda v: v * (255 // most))))
    agree(values, 255.0, data.draw(hnp.arrays(bool, shape)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data(), shapes)
def test_float_and_16_bit_maps_score_as_pixel_by_pixel(data, shape):
    values = data.draw(hnp.arrays(np.uint16, shape))
    mask = data.draw(hnp.arrays(bool, shape))
    agree(values, 65535.0, mask)
    agree(values.astype(np.float64) / 65535, 1.0, mask)


@settings(max_examples=3, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_maps_of_blobs_score_as_pixel_by_pixel(seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(20, 45, 2)
    y, x = np.mgrid[:height, :width]
    centre, radius = rng.uniform(0, 1, 2) * (height, width), rng.uniform(3, 14)
    mask = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2
    soft = 1 / (1 + np.exp((np.hypot(y - centre[0] - 2, x - centre[1]) - radius) / 2))
    values = (255 * np.clip(soft + rng.normal(0, 0.1, mask.shape), 0, 1)).astype(np.uint8)
    agree(values, 255.0, mask)
