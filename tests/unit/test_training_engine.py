"""The training loop: what it computes, what it logs, and that a killed training ends as an undisturbed one."""

import csv
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sodlift.errors import ConfigError
from sodlift.training.engine import LOG_COLUMNS, Group, Run, Sgd, TrainingError, fit

STEPS = 12


class Batch(NamedTuple):
    images: Tensor
    targets: Tensor


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


class Net(nn.Module):
    """Has everything whose state matters: normalisation, dropout, and noise from all three random generators."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Conv2d(4, 1, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x + 0.01 * random.random() + 0.01 * np.random.rand())  # noqa: NPY002 - the global generator


def net() -> Net:
    torch.manual_seed(5)
    return Net()


def batches(step: int) -> Batch:
    generator = torch.Generator().manual_seed(step)
    images = torch.rand(2, 3, 8, 8, generator=generator)
    return Batch(images, images.mean(1, keepdim=True)[..., 2:-2, 2:-2])


def squared(module: nn.Module, batch: Batch) -> Tensor:
    return functional.mse_loss(module(batch.images), batch.targets)


def run(folder: Path, **changes: object) -> Run:
    return Run(**{"identity": "test", "seed": 3, "checkpoint": folder / "c.pt", "log": folder / "log.csv", **changes})


def train(folder: Path, kill_at: int | None = None, **changes: object) -> Net:
    module = net()

    def loss(module: nn.Module, batch: Batch) -> Tensor:
        if kill_at is not None and torch.equal(batch.images, batches(kill_at).images):
            raise Killed
        return squared(module, batch)

    groups = [Group(list(module.body[0].parameters()), 0.01), Group(list(module.body[1:].parameters()), 0.1)]
    fit(module, groups, batches, loss, Sgd(STEPS), run(folder, **changes))
    return module


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def rows(folder: Path) -> list[list[str]]:
    with (folder / "log.csv").open(newline="") as handle:
        return list(csv.reader(handle))


@pytest.mark.parametrize("kills", [(1,), (7,), (3, 4, 11)])
def test_killed_and_resumed_training_ends_with_the_same_bits(tmp_path: Path, kills: tuple[int, ...]) -> None:
    undisturbed = train(tmp_path / "a", checkpoint_seconds=0)
    for kill in kills:
        with pytest.raises(Killed):
            train(tmp_path / "b", kill_at=kill, checkpoint_seconds=0)
    assert same(train(tmp_path / "b", checkpoint_seconds=0), undisturbed)
    losses = [[row[:3] for row in rows(tmp_path / name)] for name in "ab"]
    assert losses[0] == losses[1]


def test_steps_after_the_last_checkpoint_are_done_again(tmp_path: Path) -> None:
    undisturbed = train(tmp_path / "a")
    with pytest.raises(Killed):
        train(tmp_path / "b", kill_at=6, checkpoint_seconds=1e9)
    assert not (tmp_path / "b" / "c.pt").exists()
    assert same(train(tmp_path / "b"), undisturbed)
    assert [row[0] for row in rows(tmp_path / "b")] == ["step", *map(str, range(STEPS))]


def test_checkpoint_of_another_training_is_not_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Killed):
        train(tmp_path, kill_at=6, checkpoint_seconds=0, seed=4, identity="another")
    assert same(train(tmp_path), train(tmp_path / "fresh"))
    assert "belongs to another training" in capsys.readouterr().err


def test_damaged_checkpoint_is_an_error_that_says_to_delete_it(tmp_path: Path) -> None:
    (tmp_path / "c.pt").write_bytes(b"damaged")
    with pytest.raises(TrainingError, match=r"c\.pt[\s\S]*delete it"):
        train(tmp_path)


def test_seed_decides_the_weights(tmp_path: Path) -> None:
    first = train(tmp_path / "a")
    assert same(first, train(tmp_path / "b"))
    assert not same(first, train(tmp_path / "c", seed=4))


def test_training_lowers_the_loss_and_ends_in_evaluation_mode(tmp_path: Path) -> None:
    module = train(tmp_path)
    losses = [float(row[1]) for row in rows(tmp_path)[1:]]
    assert np.mean(losses[-3:]) < 0.5 * np.mean(losses[:3])
    assert not module.training


def test_log_has_every_step_and_the_poly_schedule(tmp_path: Path) -> None:
    train(tmp_path)
    header, *body = rows(tmp_path)
    assert tuple(header) == LOG_COLUMNS
    assert [float(row[2]) for row in body] == pytest.approx(
        [0.1 * (1 - step / STEPS) ** 0.9 for step in range(STEPS)], rel=1e-5
    )
    assert all(float(row[3]) > 0 for row in body)


def test_one_step_is_sgd_with_each_groups_rate(tmp_path: Path) -> None:
    module = nn.Conv2d(3, 1, 5)
    before = [p.detach().clone() for p in module.parameters()]
    groups = [Group([module.weight], 0.1), Group([module.bias], 0.0)]
    fit(module, groups, batches, squared, Sgd(1, weight_decay=0.5), run(tmp_path))
    reference = nn.Conv2d(3, 1, 5)
    reference.load_state_dict({"weight": before[0], "bias": before[1]})
    squared(reference, batches(0)).backward()
    assert reference.weight.grad is not None
    assert torch.allclose(module.weight, before[0] - 0.1 * (reference.weight.grad + 0.5 * before[0]), atol=1e-6)
    assert torch.equal(module.bias, before[1])


def test_nan_loss_stops_naming_the_step_and_leaves_no_nan_in_the_log(tmp_path: Path) -> None:
    def loss(module: nn.Module, batch: Batch) -> Tensor:
        return squared(module, batch) / (0 if torch.equal(batch.images, batches(2).images) else 1)

    with pytest.raises(TrainingError, match=r"loss is inf at step 2[\s\S]*learning rate"):
        fit(net(), [Group(list(net().parameters()), 0.1)], batches, loss, Sgd(STEPS), run(tmp_path))
    assert [row[0] for row in rows(tmp_path)] == ["step", "0", "1"]


def test_bfloat16_is_used_only_where_asked_for_on_a_cpu(tmp_path: Path) -> None:
    seen = []

    class Spy(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            y = super().forward(x)
            seen.append(y.dtype)
            return y

    for precision in ("auto", "float32", "bfloat16"):
        module = Spy(3, 1, 5)
        fit(
            module,
            [Group(list(module.parameters()), 0.1)],
            batches,
            squared,
            Sgd(1),
            run(tmp_path, precision=precision),
        )
    assert seen == [torch.float32, torch.float32, torch.bfloat16]


def test_unknown_device_is_an_error_with_its_mend(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"device 'cuda:63' is not available[\s\S]*use `cpu`"):
        train(tmp_path, device="cuda:63")
