"""A hash by which files that changed are noticed without reading them."""

from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

from sodlift.errors import SodliftError


def fingerprint(find: Callable[[], Iterable[Path]]) -> str:
    """Return a short hash of the names and sizes of the files that ``find`` returns.

    Where it raises a SodliftError, it is the hash of that error, which whoever needs the files will raise.
    """
    try:
        facts = [f"{file.name} {file.stat().st_size}" for file in find()]
    except SodliftError as error:
        facts = [str(error)]
    return sha256("\0".join(facts).encode(errors="surrogateescape")).hexdigest()[:16]
