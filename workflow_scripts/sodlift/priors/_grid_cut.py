"""Minimum cuts of the pixel grid: a binary labelling that weighs each pixel's own opinion against its neighbours'.

Source: Y. Boykov, V. Kolmogorov, "An Experimental Comparison of Min-Cut/Max-Flow Algorithms for Energy Minimization in
Vision", TPAMI 2004, section 3: two search trees, one from each terminal, which are kept and mended between the
augmentations.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Capacities = npt.NDArray[np.int32]

_FREE, _SOURCE, _SINK = 0, 1, 2
"""Which tree a pixel is in."""
_TERMINAL, _ORPHAN, _NONE = 4, 5, 6
"""What a pixel's parent may be other than a neighbour: 0 right, 1 left, 2 below, 3 above; ``d ^ 1`` is the way back."""
_FAR = 2**30
"""A distance longer than any path."""


class _Forest(NamedTuple):
    """The residual graph and the two trees in it, by pixel in raster order.

    ``distance`` is the length of the way to the terminal, as last known at the augmentation ``stamp``. ``queue`` is a
    ring of the active pixels, whose first place and length are ``ends``; ``queued`` says which pixels are in it.
    """

    terminal: Any
    capacity: Any
    step: Any
    tree: Any
    parent: Any
    distance: Any
    stamp: Any
    queue: Any
    queued: Any
    ends: Any


def source_side(terminal: Capacities, right: Capacities, down: Capacities) -> npt.NDArray[np.bool_]:
    """Return which pixels are on the source's side of the minimum cut: (H, W) bool.

    Where several cuts are minimum, the one with the fewest pixels on the source's side is taken. It is unique, so the
    result does not depend on the order in which paths are found.

    Parameters
    ----------
    terminal : (H, W) int32
        Capacity from the source less capacity to the sink.
    right, down : (H, W) int32
        Capacity, both ways, between a pixel and the one right of or below it; not negative. The last column of
        ``right`` and the last row of ``down`` are not read.
    """
    height, width = terminal.shape
    # one ring of pixels without capacity, so that the kernels need not ask where the image ends
    capacity = np.zeros((height + 2, width + 2, 4), np.int32)
    capacity[1:-1, 1:-2, 0] = capacity[1:-1, 2:-1, 1] = right[:, :-1]
    capacity[1:-2, 1:-1, 2] = capacity[2:-1, 1:-1, 3] = down[:-1]
    nodes = (height + 2) * (width + 2)
    forest = _Forest(
        terminal=np.pad(terminal, 1).ravel().astype(np.int32),
        capacity=capacity.reshape(-1, 4),
        step=np.array([1, -1, width + 2, -width - 2]),
        tree=np.full(nodes, _FREE, np.uint8),
        parent=np.full(nodes, _NONE, np.uint8),
        distance=np.zeros(nodes, np.int32),
        stamp=np.zeros(nodes, np.int32),
        queue=np.empty(nodes, np.int32),
        queued=np.zeros(nodes, bool),
        ends=np.zeros(2, np.int64),
    )
    _cut(forest)
    return np.asarray(forest.tree.reshape(height + 2, width + 2)[1:-1, 1:-1] == _SOURCE)


@njit(cache=True)
def _cut(f):  # type: ignore[no-untyped-def]
    """Find the maximum flow; ``f.tree`` then says on which side of the cut each pixel is."""
    nodes = f.terminal.size
    for i in range(nodes):
        if f.terminal[i] != 0:
            f.tree[i] = _SOURCE if f.terminal[i] > 0 else _SINK
            f.parent[i], f.distance[i] = _TERMINAL, 1
            _activate(f, i)
    orphans = np.empty(nodes, np.int32)
    time = 0
    while f.ends[1] > 0:
        i = f.queue[f.ends[0]]
        while f.tree[i] != _FREE:
            # (1) grow the trees from the active pixel until they touch
            d = _grow(f, i)
            if d < 0:
                break
            # (2) push what the path carries; (3) find new parents for the pixels that it cut off
            time += 1
            count = _augment(f, i, d, orphans) if f.tree[i] == _SOURCE else _augment(f, i + f.step[d], d ^ 1, orphans)
            first = 0
            while count > 0:
                orphan = orphans[first]
                first, count = (first + 1) % nodes, count - 1
                if not _adopt(f, orphan, time):
                    count = _release(f, orphan, orphans, first, count)
        f.ends[0] = (f.ends[0] + 1) % nodes
        f.ends[1] -= 1
        f.queued[i] = False


@njit(cache=True)
def _activate(f, i):  # type: ignore[no-untyped-def]
    if not f.queued[i]:
        f.queue[(f.ends[0] + f.ends[1]) % f.queue.size], f.queued[i] = i, True
        f.ends[1] += 1


@njit(cache=True)
def _grow(f, i):  # type: ignore[no-untyped-def]
    """Take the free neighbours of ``i`` into its tree; return the first direction in which the other tree is, or -1."""
    for d in range(4):
        j = i + f.step[d]
        if (f.capacity[i, d] if f.tree[i] == _SOURCE else f.capacity[j, d ^ 1]) == 0:
            continue
        if f.tree[j] == _FREE:
            f.tree[j] = f.tree[i]
            f.parent[j], f.stamp[j], f.distance[j] = d ^ 1, f.stamp[i], f.distance[i] + 1
            _activate(f, j)
        elif f.tree[j] != f.tree[i]:
            return d
        elif f.stamp[j] <= f.stamp[i] and f.distance[j] > f.distance[i] + 1:
            # a shorter way to the terminal
            f.parent[j], f.stamp[j], f.distance[j] = d ^ 1, f.stamp[i], f.distance[i] + 1
    return -1


@njit(cache=True)
def _release(f, orphan, orphans, first, count):  # type: ignore[no-untyped-def]
    """Free an orphan that nobody took: its children are orphans, and its neighbours may reach for it."""
    for d in range(4):
        k = orphan + f.step[d]
        if f.tree[k] != f.tree[orphan]:
            continue
        if (f.capacity[k, d ^ 1] if f.tree[k] == _SOURCE else f.capacity[orphan, d]) > 0:
            _activate(f, k)
        if f.parent[k] == d ^ 1:
            f.parent[k], orphans[(first + count) % orphans.size] = _ORPHAN, k
            count += 1
    f.tree[orphan], f.parent[orphan] = _FREE, _NONE
    return count


@njit(cache=True)
def _augment(f, i, d, orphans):  # type: ignore[no-untyped-def]
    """Push flow from the source over the edge ``d`` of ``i`` to the sink; return how many pixels became orphans."""
    # the least residual capacity of the path
    flow = f.capacity[i, d]
    k = i
    while f.parent[k] != _TERMINAL:
        up = f.parent[k]
        k += f.step[up]
        flow = min(flow, f.capacity[k, up ^ 1])
    flow = min(flow, f.terminal[k])
    k = i + f.step[d]
    while f.parent[k] != _TERMINAL:
        up = f.parent[k]
        flow = min(flow, f.capacity[k, up])
        k += f.step[up]
    flow = min(flow, -f.terminal[k])
    # pushed; a pixel whose edge to its parent is used up becomes an orphan
    count = 0
    f.capacity[i, d] -= flow
    f.capacity[i + f.step[d], d ^ 1] += flow
    k = i
    while f.parent[k] != _TERMINAL:
        up, child = f.parent[k], k
        k += f.step[up]
        f.capacity[child, up] += flow
        f.capacity[k, up ^ 1] -= flow
        if f.capacity[k, up ^ 1] == 0:
            f.parent[child], orphans[count] = _ORPHAN, child
            count += 1
    f.terminal[k] -= flow
    if f.terminal[k] == 0:
        f.parent[k], orphans[count] = _ORPHAN, k
        count += 1
    k = i + f.step[d]
    while f.parent[k] != _TERMINAL:
        up, child = f.parent[k], k
        k += f.step[up]
        f.capacity[child, up] -= flow
        f.capacity[k, up ^ 1] += flow
        if f.capacity[child, up] == 0:
            f.parent[child], orphans[count] = _ORPHAN, child
            count += 1
    f.terminal[k] += flow
    if f.terminal[k] == 0:
        f.parent[k], orphans[count] = _ORPHAN, k
        count += 1
    return count


@njit(cache=True)
def _adopt(f, orphan, time):  # type: ignore[no-untyped-def]
    """Give an orphan the neighbour of its tree that is nearest to the terminal; return whether there is one."""
    best, nearest = _NONE, _FAR
    for d in range(4):
        k = orphan + f.step[d]
        if (
            f.tree[k] != f.tree[orphan]
            or (f.capacity[k, d ^ 1] if f.tree[k] == _SOURCE else f.capacity[orphan, d]) == 0
        ):
            continue
        # walk up until the terminal, an orphan, or a pixel whose distance was confirmed at this very time
        length, up = 0, k
        while f.stamp[up] != time and f.parent[up] < _TERMINAL:
            length += 1
            up += f.step[f.parent[up]]
        if f.stamp[up] == time:
            length += f.distance[up]
        elif f.parent[up] == _TERMINAL:
            length += 1
            f.stamp[up], f.distance[up] = time, 1
        else:
            continue
        if length < nearest:
            best, nearest = d, length
        # confirm the distances of the way walked
        up = k
        while f.stamp[up] != time:
            f.stamp[up], f.distance[up] = time, length
            length -= 1
            up += f.step[f.parent[up]]
    if best == _NONE:
        return False
    f.parent[orphan], f.stamp[orphan], f.distance[orphan] = best, time, nearest + 1
    return True
