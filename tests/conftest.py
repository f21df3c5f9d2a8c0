"""Shared fixtures: where the real data lie, and the repository's own folders."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from http_server import Site, running_site

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def sodlift_data() -> Path:
    """The folder of real data; a test that needs it fails with the mend where it is absent."""
    folder = Path(os.environ.get("SODLIFT_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "ECSSD" / "images").is_dir():
        pytest.fail(f"no real data at {folder}: set SODLIFT_DATA, or run `pytest --ignore tests/data`", pytrace=False)
    return folder.resolve()


@pytest.fixture(scope="session")
def metric_fixtures(sodlift_data: Path) -> Path:
    """The folder of metric reference values, beside the real data."""
    folder = sodlift_data.parent / "metric_fixtures"
    if not folder.is_dir():
        pytest.fail(f"no metric fixtures at {folder}", pytrace=False)
    return folder


@pytest.fixture
def site() -> Iterator[Site]:
    """A file server on this machine."""
    with running_site() as site:
        yield site
