"""Union-find: sets of nodes as trees, each node pointing at its parent and a root at itself."""

from numba import njit


@njit(cache=True)
def find_root(parent, i):  # type: ignore[no-untyped-def]
    """Return the root of node ``i``; the path to it is halved, so that later searches are short."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i
