"""What is in place, what is not, how it comes, and what it is checked against."""

from dataclasses import dataclass
from typing import Literal

from sodlift.catalogue._base import Item
from sodlift.errors import SodliftError
from sodlift.fetch.store import Store

State = Literal["in place", "incomplete", "broken", "missing"]
_UNCHECKED = "not fetched by sodlift"


@dataclass(frozen=True)
class Status:
    """The state of one item.

    Attributes
    ----------
    address : str
        Its name in the catalogue.
    state : str
        "in place", "incomplete" (fewer files than it should have), "broken" or "missing".
    count, expected : int or None
        Files in place, and how many there should be.
    checked : str
        What its files are checked against, "never verified" where nothing was ever published or pinned.
    comes : str
        How it can be had: addresses, by hand, or with a package.
    place : str
        Where it is looked for.
    problem : str
        What is wrong with it.
    """

    address: str
    state: State
    count: int | None
    expected: int | None
    checked: str
    comes: str
    place: str
    problem: str = ""


def status(item: Item, store: Store) -> Status:
    """Return the state of an item; nothing is downloaded, no file is decoded."""
    count, problem = None, ""
    try:
        count = item.found(store)
        state: State = "missing" if count is None else "in place"
    except SodliftError as error:
        state, problem = "broken", str(error)
    if count is not None and item.expected is not None and count < item.expected:
        state = "incomplete"
    place = item.place(store)
    checked = "its package" if place is None else _checked(item, store, state)
    comes = "with a package" if place is None else _comes(item)
    where = "" if place is None else place.as_posix()
    return Status(item.address, state, count, item.expected, checked, comes, where, problem)


def _checked(item: Item, store: Store, state: State) -> str:
    held = any(store.held(file) for file in item.release.files)
    if state != "missing" and not held and store.receipt(item.address) is None:
        return _UNCHECKED
    return ", ".join(dict.fromkeys(store.trust(file) for file in item.release.files)) or "never verified"


def _comes(item: Item) -> str:
    addresses = [url for file in item.release.files for url in file.urls]
    by_hand = [file.name for file in item.release.files if not file.urls]
    ways = [f"{len(addresses)} addresses"] if len(addresses) > 1 else ["1 address"] if addresses else []
    if by_hand or not addresses:
        ways.append(f"by hand{f' from {item.release.page}' if item.release.page else ''}")
    return ", ".join(ways)
