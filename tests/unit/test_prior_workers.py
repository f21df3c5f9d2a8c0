"""Maps do not depend on how many processes compute them, nor on the run: the same bytes, for every prior."""

import os
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drfi_samples import scene
from prior_samples import model_file
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors import DETECTORS, prior
from sodlift.detectors._base import Machine
from sodlift.detectors.prior import PriorOptions
from sodlift.parallel import CHUNK
from sodlift.priors import PRIORS

PATIENCE = 60
"""Seconds that a worker waits for the other one."""

COMPUTE = prior._compute
"""What is traced: each process's own, out of the test's reach."""


def traced(folder: Path, parent: int, method: str, params: object, file: Path) -> np.ndarray:
    """Compute a map, leaving the process's number behind; a worker begins only once another one has come too."""
    (folder / str(os.getpid())).touch()
    until = time.monotonic() + PATIENCE
    while os.getpid() != parent and len(workers_of(folder, parent)) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    return COMPUTE(method, params, file)


def workers_of(folder: Path, parent: int) -> set[int]:
    return {int(file.name) for file in folder.iterdir()} - {parent}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return model_file(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Manifest:
    """Images enough for the process that hands them out to try some and two workers to have a chunk each."""
    folder, entries = tmp_path_factory.mktemp("images"), []
    for seed in range(prior.TRIED + 2 * CHUNK):
        file = folder / f"{seed:02d}.png"
        Image.fromarray(scene(seed, 90, 120)[0]).save(file)
        entries.append(Entry(file.stem, file, None, 90, 120, ""))
    return Manifest("own", tuple(entries))


@pytest.mark.parametrize("name", PRIORS.names())
def test_two_processes_and_two_runs_write_the_same_bytes(name, model, pictures, tmp_path, monkeypatch):
    trained = PRIORS.get(name).learning is not None
    options = PriorOptions(name, {"model": str(model)} if trained else {})
    monkeypatch.setattr(prior, "START_SECONDS", 0.0)  # however short the run is
    written = []
    for run, workers in enumerate((1, 1, 2)):
        seen, maps = tmp_path / f"seen_{run}", tmp_path / f"maps_{run}"
        seen.mkdir()
        monkeypatch.setattr(prior, "_compute", partial(traced, seen, os.getpid()))
        DETECTORS.get("prior").make(name, options, pictures, maps, Machine(workers))
        assert len(workers_of(seen, os.getpid())) == (0 if workers == 1 else 2)
        written.append({file.name: file.read_bytes() for file in sorted(maps.glob("*.png"))})
    assert len(written[0]) == len(pictures.entries) and len(set(written[0].values())) > 1
    assert written[0] == written[1] == written[2]
