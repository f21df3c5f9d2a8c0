"""Every metric against plain references, over random maps of any shape.

Small maps are scored pixel by pixel, large ones by dense NumPy and SciPy; both write out the definitions. How many
clicks a map needs (HCE) has no plain definition: the data tests hold it to its authors' numbers.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage, stats

from sodlift.arrays import Grey
from sodlift.metrics import metrics_with
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


def biou_of(binary: np.ndarray, g: np.ndarray) -> float:
    height, width = g.shape
    k = max(1, round(0.02 * math.hypot(height, width)))

    def boundary(mask: np.ndarray) -> set[tuple[int, int]]:
        within = {(y, x) for y, x in np.argwhere(mask).tolist()}
        square = [(i, j) for i in range(-k, k + 1) for j in range(-k, k + 1)]
        return {(y, x) for y, x in within if any((y + i, x + j) not in within for i, j in square)}

    a, b = boundary(binary), boundary(g)
    return len(a & b) / len(a | b) if a | b else 0.0


def dense_wf_of(x: np.ndarray, g: np.ndarray) -> float:
    if not g.any():
        return 0.0
    error = np.abs(x - g)
    distance, (rows, columns) = ndimage.distance_transform_edt(~g, return_indices=True)
    i, j = np.mgrid[-3:4, -3:4]
    kernel = np.exp(-(i * i + j * j) / 50)
    blurred = ndimage.convolve(error[rows, columns], kernel / kernel.sum(), mode="constant")
    inside = np.minimum(error, blurred)[g]
    outside = (error * (2 - 0.5 ** (distance / 5)))[~g].sum()
    recall, tp = 1 - inside.mean(), g.sum() - inside.sum()
    precision = tp / (tp + outside + EPS)
    return float(2 * recall * precision / (recall + precision + EPS))


def dense_auc_of(levels: np.ndarray, g: np.ndarray) -> float:
    ranks, positives = stats.rankdata(levels).reshape(g.shape), int(g.sum())
    return float((ranks[g].sum() - positives * (positives + 1) / 2) / (positives * int((~g).sum())))


def dense_biou_of(binary: np.ndarray, g: np.ndarray) -> float:
    k = max(1, round(0.02 * math.hypot(*g.shape)))
    a, b = (m & ~ndimage.binary_erosion(m, np.ones((3, 3)), iterations=k, border_value=0) for m in (binary, g))
    return float((a & b).sum() / (a | b).sum()) if (a | b).any() else 0.0


PIXELS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {"wF": wf_of, "AUC": auc_of, "BIoU": biou_of}
DENSE: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    **{"wF": dense_wf_of, "AUC": dense_auc_of, "BIoU": dense_biou_of}
}


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def plain_scores(values: np.ndarray, full: float, g: np.ndarray, by=PIXELS) -> dict[str, float]:
    x = normalised(values, full)
    scores = {"MAE": float(np.mean(np.abs(x - g))), "S": s_of(x, g), "wF": by["wF"](x, g)}
    adaptive, half = x >= min(2 * x.mean(), 1), x > 0.5
    scores["adpF"] = f_of((adaptive & g).sum(), adaptive.sum(), g.sum())
    both, either = (half & g).sum(), (half | g).sum()
    rates = ratio(both, g.sum()), ratio((~half & ~g).sum(), (~g).sum())
    scores |= {"IoU": ratio(both, either), "Dice": ratio(2 * both, half.sum() + g.sum()), "BER": 1 - sum(rates) / 2}
    scores["BIoU"] = by["BIoU"](half, g)
    levels = np.trunc(x * 255).astype(int)

    def at(binary: np.ndarray) -> tuple[float, float, float]:
        both = (binary & g).sum()
        e = e_of(binary, g) if g.size > 1 else 0.0
        return f_of(both, binary.sum(), g.sum()), ratio(both, (binary | g).sum()), e

    # a threshold binarises as the next level above it does; beyond the last nothing is left
    by_level = {level: at(levels >= level) for level in {*np.unique(levels).tolist(), 0}}
    nothing = at(np.zeros(g.shape, bool))
    above = [min((level for level in by_level if level >= t), default=None) for t in range(256)]
    f, iou, e = zip(*(nothing if level is None else by_level[level] for level in above), strict=True)
    scores |= {"meanF": float(np.mean(f)), "maxF": max(f), "maxIoU": max(iou), "meanIoU": float(np.mean(iou))}
    if g.size > 1:
        scores |= {"adpE": e_of(adaptive, g), "meanE": float(np.mean(e)), "maxE": max(e)}
    if g.any() and not g.all():
        scores["AUC"] = by["AUC"](levels, g)
    return scores


def our_scores(values: np.ndarray, full: float, g: np.ndarray) -> dict[str, float]:
    pair = prepare(Grey(values, full), GroundTruth(g))
    found = [score for metric in metrics_with(["boundary_iou"]) if (score := metric.score(pair))]
    iou = next(score.curves["IoU"] for score in found if "IoU" in score.curves)
    values_of = {name: value for score in found for name, value in score.values.items()}
    return values_of | {"maxIoU": float(iou.max()), "meanIoU": float(iou.mean())}


def agree(values: np.ndarray, full: float, g: np.ndarray, by=PIXELS) -> None:
    ours, plain = our_scores(values, full, g), plain_scores(values, full, g, by)
    assert ours.keys() == plain.keys()
    for name, value in plain.items():
        assert math.isfinite(ours[name]), name
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


def scene(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return soft blobs in [0, 1] and a mask of some of them; parts of the map are black, and others white."""
    y, x = np.mgrid[:height, :width]
    mask, soft = np.zeros((height, width), bool), np.zeros((height, width))
    for wanted in (True, True, False):
        cy, cx, radius = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(1, 0.4 * max(height, width) + 2)
        distance = np.hypot(y - cy, x - cx)
        mask |= (distance < radius) & wanted
        soft = np.maximum(soft, rng.uniform(0.3, 1.3) - distance / radius * rng.uniform(0.2, 1))
    return np.clip(soft + rng.choice([0.0, 0.1]) * rng.normal(size=mask.shape), 0, 1), mask


@settings(max_examples=3, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_maps_of_blobs_score_as_pixel_by_pixel(seed):
    rng = np.random.default_rng(seed)
    soft, mask = scene(rng, *rng.integers(20, 45, 2))
    agree((255 * soft).astype(np.uint8), 255.0, mask)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(1, 700), st.integers(1, 500), st.booleans(), st.integers(0, 10**6))
@example(700, 500, True, 1)
@example(700, 500, False, 2)
@example(699, 1, True, 3)
@example(1, 500, True, 4)
@example(1, 499, False, 5)
@example(2, 333, True, 6)
@example(1, 1, False, 7)
def test_maps_up_to_700_by_500_score_as_dense_formulas(height, width, eight_bit, seed):
    soft, mask = scene(np.random.default_rng(seed), height, width)
    agree((255 * soft).astype(np.uint8) if eight_bit else soft, 255.0 if eight_bit else 1.0, mask, DENSE)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data(), shapes)
def test_both_references_agree(data, shape):
    values, mask = data.draw(hnp.arrays(np.uint8, shape)), data.draw(hnp.arrays(bool, shape))
    assert plain_scores(values, 255.0, mask, DENSE) == pytest.approx(plain_scores(values, 255.0, mask), abs=1e-9)
