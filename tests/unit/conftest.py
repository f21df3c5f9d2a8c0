"""Fixtures that several unit tests share."""

from collections.abc import Iterator

import pytest
from http_server import Site, running_site


@pytest.fixture
def site() -> Iterator[Site]:
    """A file server on this machine."""
    with running_site() as site:
        yield site
