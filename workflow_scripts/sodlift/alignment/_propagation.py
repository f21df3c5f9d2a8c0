"""Belief propagation on the two layers of SIFT flow.

Rows are swept down and up in turn. Each row first exchanges messages between its layers, then along the row, then sends
on to the next row. Innermost loops run along a row, so that the compiler makes vector instructions of them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Descriptors = npt.NDArray[np.uint8]

_LEFT, _RIGHT, _ABOVE, _BELOW = 0, 1, 2, 3
"""Whence a message comes."""
_SENT, _HELD, _KEPT, _FLOOR = 1, 2, 3, 4
"""Parts of the work space of a row."""
_FAR = np.float32(1e30)
_OUTSIDE = np.float32(1.5)
"""A displacement out of the image costs so many times the dearest one within it: it is taken only where all do."""


@njit(nogil=True, cache=True)
def halved(descriptors: Descriptors) -> Descriptors:
    """Return means over 2x2 pixels (ceil H/2, ceil W/2, C); an odd last row or column is repeated."""
    height, width, depth = descriptors.shape
    made = np.empty(((height + 1) // 2, (width + 1) // 2, depth), np.uint8)
    for y in range(made.shape[0]):
        top, bottom = 2 * y, min(2 * y + 1, height - 1)
        for x in range(made.shape[1]):
            left, right = 2 * x, min(2 * x + 1, width - 1)
            for k in range(depth):
                total = np.uint16(descriptors[top, left, k]) + np.uint16(descriptors[top, right, k])
                total += np.uint16(descriptors[bottom, left, k]) + np.uint16(descriptors[bottom, right, k])
                made[y, x, k] = np.uint8((total + 2) // 4)
    return made


@njit(nogil=True, cache=True)
def data_costs(first: Descriptors, second: Descriptors, centre: Integers, reach: int) -> Floats:
    """Return the L1 distances of descriptors over a window of displacements around ``centre`` (H, W, 2).

    (H, n, n, W) with n = 2 reach + 1: of each row, over v, u and the column.
    """
    height, width, depth = first.shape
    n = 2 * reach + 1
    costs = np.empty((height, n, n, width), np.float32)
    for y in range(height):
        for x in range(width):
            worst = np.int32(0)
            for j in range(n):
                row = y + centre[y, x, 1] + j - reach
                for i in range(n):
                    column = x + centre[y, x, 0] + i - reach
                    if 0 <= row < height and 0 <= column < width:
                        total = np.int32(0)
                        for k in range(depth):
                            total += abs(np.int16(first[y, x, k]) - np.int16(second[row, column, k]))
                        costs[y, j, i, x] = total
                        worst = max(worst, total)
                    else:
                        costs[y, j, i, x] = -1
            for j in range(n):
                for i in range(n):
                    if costs[y, j, i, x] < 0:
                        costs[y, j, i, x] = _OUTSIDE * (worst + np.float32(255))
    return costs


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz", "ninf"})
def beliefs(costs: Floats, centre: Floats, sweeps: int, alpha: float, truncation: float, gamma: float) -> Integers:
    """Return the displacements of least energy (H, 2, W) as numbers in the window, of u and of v.

    Parameters
    ----------
    costs : (H, n, n, W) float32
        The data term, over v and u.
    centre : (H, 2, W) float32
        The middles of each pixel's window, of u and of v.
    sweeps : int
        Alternately down and up.
    alpha, truncation, gamma : float
        Weights of the energy.
    """
    height, n, _, width = costs.shape
    messages = np.zeros((height, 2, 4, n, width), np.float32)
    believed, space = np.empty((2, n, width), np.float32), np.empty((5, n, width), np.float32)
    chosen = np.empty((height, 2, width), np.int32)
    for sweep in range(sweeps):
        down = sweep % 2 == 0
        for step in range(height):
            y = step if down else height - 1 - step
            _believe(costs[y], messages[y], centre[y], gamma, believed, space)
            for layer in range(2):
                _along(believed[layer], messages[y, layer], centre[y, layer], alpha, truncation, space)
                other = y + 1 if down else y - 1
                if 0 <= other < height:
                    back, there = (_BELOW, _ABOVE) if down else (_ABOVE, _BELOW)
                    slope = centre[y, layer] - centre[other, layer]
                    _send(believed[layer], messages[y, layer, back], slope, alpha, truncation, space)
                    messages[other, layer, there] = space[_SENT]
    for y in range(height):
        _believe(costs[y], messages[y], centre[y], gamma, believed, space)
        for layer in range(2):
            for x in range(width):
                chosen[y, layer, x] = np.argmin(believed[layer, :, x])
    return chosen


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz", "ninf"})
def _believe(costs: Floats, messages: Floats, centre: Floats, gamma: float, believed: Floats, space: Floats) -> None:
    """Write to ``believed`` (2, n, w) what a row holds of each state: all messages, those between its layers too."""
    n, width = costs.shape[0], costs.shape[2]
    for layer in range(2):
        for i in range(n):
            for x in range(width):
                total = np.float32(gamma) * abs(centre[layer, x] + np.float32(i - n // 2))
                for source in range(4):
                    total += messages[layer, source, i, x]
                believed[layer, i, x] = total
    across = space[:2]
    across[:] = _FAR
    for j in range(n):
        for i in range(n):
            for x in range(width):
                cost = costs[j, i, x]
                across[0, i, x] = min(across[0, i, x], cost + believed[1, j, x])
                across[1, j, x] = min(across[1, j, x], cost + believed[0, i, x])
    believed += across


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz", "ninf"})
def _along(belief: Floats, received: Floats, centre: Floats, alpha: float, truncation: float, space: Floats) -> None:
    """Exchange messages between the pixels of a row, all at once."""
    n, width = belief.shape
    slope, rightward = np.zeros(width, np.float32), space[_KEPT]
    slope[:-1] = centre[:-1] - centre[1:]
    _send(belief, received[_RIGHT], slope, alpha, truncation, space)
    rightward[:] = space[_SENT]
    slope[1:] = -slope[:-1].copy()
    _send(belief, received[_LEFT], slope, alpha, truncation, space)
    for i in range(n):
        for x in range(width - 1):
            received[_RIGHT, i, x] = space[_SENT, i, x + 1]
            received[_LEFT, i, x + 1] = rightward[i, x]


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz", "ninf"})
def _send(belief: Floats, back: Floats, slope: Floats, alpha: float, truncation: float, space: Floats) -> None:
    """Write to ``space[_SENT]`` the messages of pixels with a ``belief`` (n, w) to neighbours, from whom came ``back``.

    ``slope`` (w,) is the middle of the sender's window less the receiver's. The least of a message is 0.
    """
    n, width = belief.shape
    sent, held, floor = space[_SENT], space[_HELD], space[_FLOOR, 0]
    floor[:] = _FAR
    for i in range(n):
        for x in range(width):
            held[i, x] = belief[i, x] - back[i, x]
            floor[x] = min(floor[x], held[i, x])
    if np.any(slope):
        _spread(held, slope, np.float32(alpha), sent)
    else:  # windows share one middle, as on the coarsest level
        _spread_level(held, np.float32(alpha), sent)
    floor += np.float32(truncation)
    for j in range(n):
        for x in range(width):
            sent[j, x] = min(sent[j, x], floor[x])
    floor[:] = _FAR
    for j in range(n):
        for x in range(width):
            floor[x] = min(floor[x], sent[j, x])
    for j in range(n):
        for x in range(width):
            sent[j, x] -= floor[x]


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz", "ninf"})
def _spread(held: Floats, slope: Floats, alpha: Any, sent: Floats) -> None:
    """Write the least of each state's costs plus alpha times its distance to the receiver's state."""
    n, width = held.shape
    for j in range(n):
        sent[j] = _FAR
        for i in range(n):
            apart = np.float32(i - j)
            for x in range(width):
                sent[j, x] = min(sent[j, x], held[i, x] + alpha * abs(apart + slope[x]))


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz", "ninf"})
def _spread_level(held: Floats, alpha: Any, sent: Floats) -> None:
    """Write what ``_spread`` does where ``slope`` is 0, by one pass up and one down."""
    n, width = held.shape
    sent[0] = held[0]
    for j in range(1, n):
        for x in range(width):
            sent[j, x] = min(held[j, x], sent[j - 1, x] + alpha)
    for j in range(n - 2, -1, -1):
        for x in range(width):
            sent[j, x] = min(sent[j, x], sent[j + 1, x] + alpha)
