"""The same function over many items in worker processes or threads, results in the order of the items."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

A = TypeVar("A")
B = TypeVar("B")

CHUNK = 4
"""Items that a worker is handed at once."""

AHEAD = 4
"""Chunks a worker that may wait, done or not, so that memory does not grow with the number of items."""

_function: Callable[[Any], Any]


def ordered_map(
    function: Callable[[A], B], items: Iterable[A], workers: int, preload: Sequence[str] = ()
) -> Iterator[B]:
    """Yield ``function(item)`` for each item, in order: in this process for one worker, else in new ones.

    Results do not depend on the number of workers as long as ``function`` keeps no state. It is sent to each worker
    once, so it may hold much.

    Parameters
    ----------
    function : callable
        What is done; picklable where there are several workers.
    items : iterable
        What it is done to; picklable likewise.
    workers : int
        Number of processes.
    preload : sequence of str
        Modules that the workers need and that are slow to import: imported once for all of them, where the system can.

    Raises
    ------
    Exception
        Whatever ``function`` raises; items behind the one that failed may or may not have been worked on.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    # not "fork": a process that has threads (BLAS, progress bars) must not be copied as it is
    forkserver = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if forkserver else "spawn")
    if forkserver:
        context.set_forkserver_preload(list(preload))
    waiting: deque[Future[list[B]]] = deque()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_hold, initargs=(function,))
    try:
        source = iter(items)
        while chunk := list(islice(source, CHUNK)):
            waiting.append(pool.submit(_apply, chunk))
            if len(waiting) >= AHEAD * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def ahead(function: Callable[[A], B], items: Iterable[A], threads: int, depth: int) -> Generator[B, None, None]:
    """Yield ``function(item)`` for each item, in order, while threads work on up to ``depth`` items further on.

    What ``function`` raises is raised at its item's turn; items that were not begun by then never are.
    """
    source = iter(items)
    pool = ThreadPoolExecutor(threads)
    try:
        waiting: deque[Future[B]] = deque(pool.submit(function, item) for item in islice(source, depth))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(source, 1))
            yield done
    finally:
        pool.shutdown(cancel_futures=True)


def _hold(function: Callable[[Any], Any]) -> None:
    """Begin a worker: one thread each, and the function."""
    global _function  # noqa: PLW0603 - a worker's own
    threadpool_limits(1)
    _function = function


def _apply(chunk: list[Any]) -> list[Any]:
    return [_function(item) for item in chunk]
