"""Keep freed memory in the process, where the C library is glibc."""

import ctypes
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""


@cache
def keep_freed_memory() -> bool:
    """Let work on one image after another use the same memory again; tell whether the C library could be asked to.

    By default glibc hands arrays of more than 128 KiB back to the kernel as soon as they are freed, and faults every
    page of the next ones in anew: a quarter of the time of an evaluation. After this call it keeps up to 1 GiB of
    freed memory for the rest of the process. Elsewhere nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # macOS, musl, Windows
        return False
    return bool(mallopt(_MMAP_THRESHOLD, 32 * 2**20) and mallopt(_TRIM_THRESHOLD, 2**30))
