"""Out of memory: the batch is halved, the step stays the same, and at one image it ends."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from training_samples import Fed, Rows, net, run, task

from sodlift.training.engine import fit
from sodlift.training.errors import TrainingError
from sodlift.training.recipe import Recipe
from sodlift.training.task import Batch, Loss
from sodlift.training.team import Team

RECIPE = Recipe(steps=4, batch=6, head_lr=0.1, checkpoint_seconds=1e9)


class Plain(nn.Module):
    """No normalisation and no randomness: parts of a batch give what the whole gives."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 1, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x.float() / 255)


def uneven(module: nn.Module, batch: Batch, fits: int = 100) -> Loss:
    """A loss over the brighter pixels, of which each image has another number, of a network that takes few images."""
    if len(batch.images) > fits:
        raise torch.OutOfMemoryError("CUDA out of memory, simulated")
    logits = module(batch.images)
    known = batch.images.float().mean(1, keepdim=True)[..., 2:-2, 2:-2] > 120
    losses = nn.functional.binary_cross_entropy_with_logits(logits, batch.targets, reduction="none")
    return Loss((losses * known).sum(), known.sum(), batch.targets.sum(), logits)


def train(folder: Path, fits: int, clip: float | None = None) -> tuple[nn.Module, Rows]:
    module, rows, recipe = Plain(), Rows(), replace(RECIPE, clip=clip)
    fit(
        task(module, recipe, lambda network, batch: uneven(network, batch, fits)),
        Fed(recipe, count=6),
        run(folder, write=rows),
    )
    return module, rows


@pytest.mark.parametrize("clip", [None, 0.01])
@pytest.mark.parametrize(("fits", "parts"), [(3, 2), (2, 4), (1, 8)])
def test_halved_batches_train_as_whole_ones_and_say_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fits: int, parts: int, clip: float | None
) -> None:
    whole, losses = train(tmp_path, 100, clip)
    assert not caplog.messages
    halved, same_losses = train(tmp_path, fits, clip)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(whole.parameters(), halved.parameters(), strict=True))
    assert same_losses.column("loss") == pytest.approx(losses.column("loss"), abs=1e-6)
    assert f"computed in {parts} parts" in caplog.messages[-1]
    assert len(caplog.messages) == {2: 1, 4: 2, 8: 3}[parts], "once halved, batches stay halved"


def test_a_single_image_that_does_not_fit_ends_the_training(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"1 image of 8x8 does not fit into memory[\s\S]*smaller size"):
        train(tmp_path, 0)


def test_processes_that_share_a_batch_do_not_halve_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others would wait for sums that never come."""
    monkeypatch.setattr(Team, "shared", lambda self, network: network)
    asked = run(tmp_path, team=Team(torch.device("cpu"), 0, 2))
    with pytest.raises(TrainingError, match=r"6 images of 8x8 do not fit into memory[\s\S]*smaller `batch`"):
        fit(task(Plain(), RECIPE, lambda network, batch: uneven(network, batch, 3)), Fed(RECIPE, 6), asked)


def test_the_number_of_parts_outlives_a_kill(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recipe = replace(RECIPE, checkpoint_seconds=0)
    calls = 0

    def killing(module: nn.Module, batch: Batch) -> Loss:
        nonlocal calls
        calls += 1
        if calls == 5:  # the first try, the two parts of step 0, and one of step 1
            raise KeyboardInterrupt
        return uneven(module, batch, 3)

    with pytest.raises(KeyboardInterrupt):
        fit(task(Plain(), recipe, killing), Fed(recipe, 6), run(tmp_path))
    caplog.clear()
    asked = run(tmp_path)
    with caplog.at_level(logging.WARNING):
        fit(task(Plain(), recipe, lambda m, b: uneven(m, b, 3)), Fed(recipe, 6), asked, asked.checkpoint.load())
    assert not caplog.messages


def test_a_batch_without_any_labelled_pixel_changes_nothing_and_is_no_error(tmp_path: Path) -> None:
    def unlabelled(module: nn.Module, batch: Batch) -> Loss:
        logits = module(batch.images)
        return Loss((logits * 0).sum(), torch.tensor(0), torch.tensor(0), logits)

    module, rows, recipe = net(), Rows(), replace(RECIPE, weight_decay=0.0)
    before = [p.detach().clone() for p in module.parameters()]
    fit(task(module, recipe, unlabelled), Fed(recipe, 6), run(tmp_path, write=rows))
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
    assert rows.column("loss") == [0] * 4
