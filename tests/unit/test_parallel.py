"""Work in several processes: the order of the items, memory, errors, and how little a worker is asked to know."""

import os
from collections.abc import Iterator

import pytest

from sodlift.parallel import AHEAD, CHUNK, ordered_map


def square(number: int) -> int:
    return number * number


def process(_: int) -> int:
    return os.getpid()


def fail_at_five(number: int) -> int:
    if number == 5:
        raise ValueError("five")
    return number


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("count", [0, 1, 3 * CHUNK * AHEAD + 1])
def test_results_come_in_the_order_of_the_items(workers, count):
    assert list(ordered_map(square, range(count), workers)) == [number * number for number in range(count)]


def test_one_worker_is_this_process_and_several_are_others():
    assert set(ordered_map(process, range(4), 1)) == {os.getpid()}
    assert os.getpid() not in set(ordered_map(process, range(4), 2))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_reaches_the_caller_as_it_was_raised(workers):
    results = ordered_map(fail_at_five, range(100), workers)
    with pytest.raises(ValueError, match="five"):
        list(results)


@pytest.mark.parametrize("workers", [1, 2])
def test_items_are_drawn_as_they_are_needed_so_that_memory_stays_flat(workers):
    drawn = 0

    def numbers() -> Iterator[int]:
        nonlocal drawn
        for number in range(10**6):
            drawn = number + 1
            yield number

    results = ordered_map(square, numbers(), workers)
    assert next(results) == 0
    assert drawn <= workers * AHEAD * CHUNK
    results.close()
