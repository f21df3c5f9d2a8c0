"""The C library's allocator, told to keep what is freed."""

import ctypes
import sys

M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
"""Names and values of <malloc.h>."""


def keep_freed_memory() -> bool:
    """Let freed memory stay with this process, for its next arrays; return whether the allocator knows how.

    glibc gives arrays of more than 32 MiB back to the system when they are freed, which clears the pages of the next
    one anew: in a network's training on a CPU that was a quarter of all time (docs/training.md). The process then holds
    on to its peak until it ends, so this is for processes that train or refine all their life, not for a library call
    in a user's session. Other C libraries are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, 2**31 - 1))
