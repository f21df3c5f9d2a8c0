"""Several processes on one batch: two of one image each train as one of two, on a CPU over gloo."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import training_samples
from torch import nn
from training_samples import prepared, start, train

from sodlift.errors import ConfigError
from sodlift.training import team as team_module
from sodlift.training.recipe import Recipe
from sodlift.training.team import Team, team
from sodlift.training.train import _check_batches

RECIPE = {"steps": 5, "batch": 2, "head_lr": 0.05, "backbone_lr": 0.01, "hflip": True, "crop": 0.9, "clip": 1.0}
RECIPE |= {"validation": 0.4, "validate_every": 2, "checkpoint_seconds": 0.0}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_two_processes_of_one_image_train_as_one_of_two(tmp_path: Path) -> None:
    """Each image has another number of labelled pixels: a mean of means would show. No layer sees other images."""
    folder = prepared(tmp_path)
    alone = train(folder, replace(Recipe(), **RECIPE), "alone", dropout=0.0)
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    places = [{**shared, "RANK": rank, "LOCAL_RANK": rank} for rank in "01"]
    processes = [start(folder, RECIPE, place, dropout=0.0) for place in places]
    for process in processes:
        process.join(100)
    errors = [(folder / f"errors_{rank}").read_text() for rank in range(2)]
    assert [process.exitcode for process in processes] == [0, 0], errors
    together = torch.load(folder / "m.pt", weights_only=True)
    for key, weights in alone["state"].items():
        assert torch.allclose(together["state"][key], weights, atol=1e-6), key
    assert together["images"] == alone["images"]
    rows = [(folder / f"{name}.csv").read_text().splitlines()[1:] for name in ("m", "alone")]
    for one, other in zip(*([line.split(",") for line in lines] for lines in rows), strict=True):
        assert float(one[1]) == pytest.approx(float(other[1]), abs=2e-6)
        assert (one[4] == "") == (other[4] == "")
        assert float(one[4] or 0) == pytest.approx(float(other[4] or 0), abs=2e-6)
    assert json.loads((folder / "m.json").read_text())["processes"] == 2
    assert ["training images" in said for said in errors] == [True, False], "one process speaks"


def test_alone_a_team_is_this_process_and_its_device() -> None:
    with team("cpu", torch.get_num_threads()) as place:
        assert place == Team(torch.device("cpu"), 0, 1)
        network = nn.Conv2d(1, 1, 1)
        assert place.shared(network) is network
        assert place.gather("x") == ["x"]
        assert torch.equal(place.sum(torch.ones(2)), torch.ones(2))


def test_several_processes_without_addresses_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in team_module._VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=r"WORLD_SIZE is 2, but RANK, LOCAL_RANK[\s\S]*torchrun"), team("cpu", 1):
        pass


def test_a_batch_smaller_than_the_team_is_refused() -> None:
    tasks = [training_samples.task(training_samples.net(), Recipe(batch=1))]
    with pytest.raises(ConfigError, match=r"1 images a step cannot be shared by 2 processes[\s\S]*at least 2"):
        _check_batches(tasks, Team(torch.device("cpu"), 0, 2), 64)


def test_statistics_are_shared_where_they_are_trained_and_frozen_ones_stay() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Sequential(nn.BatchNorm2d(2)))
    network.train()
    network[1].eval()
    weight, keys = network[2][0].weight, list(network.state_dict())
    team_module._synchronise(network)
    assert type(network[1]) is nn.BatchNorm2d
    assert type(network[2][0]) is nn.SyncBatchNorm
    assert network[2][0].weight is weight, "optimisers hold the parameter itself"
    assert list(network.state_dict()) == keys
