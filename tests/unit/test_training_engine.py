"""The training loop: what a step computes, what it logs, and how it ends."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from training_samples import Fed, Net, Rows, batch_of, brightness, cross_entropy, net, run, same, task

from sodlift.training.engine import Outcome, fit
from sodlift.training.errors import TrainingError
from sodlift.training.recipe import Recipe
from sodlift.training.task import Batch, Group, Loss, Task

STEPS = 12
RECIPE = Recipe(steps=STEPS, batch=2, head_lr=0.1, weight_decay=5e-3, checkpoint_seconds=1e9)


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


def train(folder: Path, kill_at: int | None = None, rows: Rows | None = None, **changes: object) -> Net:
    module, recipe = net(), replace(RECIPE, **changes)

    def loss(module: nn.Module, batch: Batch) -> Loss:
        if kill_at is not None and torch.equal(batch.images, batch_of(kill_at).images):
            raise Killed
        return brightness(module, batch)

    groups = (
        Group("first", list(module.body[0].parameters()), 0.01),
        Group("others", list(module.body[1:].parameters()), 0.1),
    )
    asked = run(folder, write=rows or Rows())
    fit(Task(module, groups, loss, recipe), Fed(recipe), asked, asked.checkpoint.load())
    return module


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
@pytest.mark.parametrize("kills", [(1,), (3, 4, 11)])
def test_killed_and_resumed_training_ends_with_the_same_bits(
    tmp_path: Path, kills: tuple[int, ...], optimiser: str
) -> None:
    often = {"checkpoint_seconds": 0, "optimiser": optimiser}
    undisturbed = train(tmp_path / "a", **often)
    for kill in kills:
        with pytest.raises(Killed):
            train(tmp_path / "b", kill_at=kill, **often)
    assert same(train(tmp_path / "b", **often), undisturbed)


def test_steps_after_the_last_checkpoint_are_done_again(tmp_path: Path) -> None:
    undisturbed = train(tmp_path / "a")
    with pytest.raises(Killed):
        train(tmp_path / "b", kill_at=6)
    assert not (tmp_path / "b" / "c.pt").exists()
    rows = Rows()
    assert same(train(tmp_path / "b", rows=rows), undisturbed)
    assert [step for step, _ in rows.rows] == list(range(STEPS))


def test_training_ends_in_evaluation_mode_with_a_lower_loss_by_the_schedule(tmp_path: Path) -> None:
    rows = Rows()
    module = train(tmp_path, rows=rows, steps=60)
    losses = rows.column("loss")
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    assert rows.column("lr") == pytest.approx([0.1 * (1 - step / 60) ** 0.9 for step in range(60)])
    assert all(speed > 0 for speed in rows.column("images_per_s"))
    assert not module.training


def linear() -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(3, 1, 5)


def gradient(module: nn.Conv2d) -> tuple[Tensor, Tensor]:
    batch = batch_of(0)
    result = scaled(module, batch)
    (result.total / result.weight).backward()
    assert module.weight.grad is not None and module.bias is not None and module.bias.grad is not None
    return module.weight.grad, module.bias.grad


def scaled(module: nn.Module, batch: Batch) -> Loss:
    return cross_entropy(module(batch.images.float() / 255), batch.targets)


def one_step(folder: Path, **changes: object) -> nn.Conv2d:
    recipe = replace(RECIPE, steps=1, **changes)
    module = linear()
    groups = (Group("weight", [module.weight], 0.1), Group("bias", [module.bias], 0.0))
    fit(Task(module, groups, scaled, recipe), Fed(recipe), run(folder))
    return module


def test_one_step_is_sgd_with_each_groups_rate(tmp_path: Path) -> None:
    module, reference = one_step(tmp_path, weight_decay=0.5), linear()
    by_weight, _ = gradient(reference)
    assert torch.allclose(module.weight, reference.weight - 0.1 * (by_weight + 0.5 * reference.weight), atol=1e-6)
    assert torch.equal(module.bias, reference.bias)


def test_a_long_gradient_is_cut_to_the_clip_and_a_short_one_left_alone(tmp_path: Path) -> None:
    reference = linear()
    parts = gradient(reference)
    norm = torch.cat([part.flatten() for part in parts]).norm()
    for clip, factor in ((float(norm) / 4, 0.25), (float(norm) * 4, 1.0)):
        module = one_step(tmp_path, weight_decay=0.0, clip=clip)
        assert torch.allclose(module.weight, reference.weight - 0.1 * factor * parts[0], atol=1e-6)


def test_loss_that_is_no_number_stops_and_keeps_the_batch(tmp_path: Path) -> None:
    def loss(module: nn.Module, batch: Batch) -> Loss:
        found = brightness(module, batch)
        bad = torch.equal(batch.images, batch_of(2).images)
        return found._replace(total=found.total / (0 if bad else 1))

    rows = Rows()
    with pytest.raises(TrainingError, match=r"loss is inf at step 2[\s\S]*bad_batch_0\.npz[\s\S]*learning rate"):
        fit(task(net(), RECIPE, loss), Fed(RECIPE), run(tmp_path, write=rows))
    assert [step for step, _ in rows.rows] == [0, 1]
    with np.load(tmp_path / "c.pt.bad_batch_0.npz") as kept:
        assert np.array_equal(kept["images"], batch_of(2).images)
        assert np.array_equal(kept["targets"], batch_of(2).targets)
        assert kept["names"].tolist() == ["set/2-0", "set/2-1"]


def poisoned(module: nn.Module, batch: Batch) -> Loss:
    """A loss that is a number while its gradient is none."""
    found = brightness(module, batch)
    return found._replace(total=found.total + (0 * next(module.parameters()).sum()).abs().sqrt())


def test_gradient_that_is_no_number_stops_a_clipped_training(tmp_path: Path) -> None:
    recipe = replace(RECIPE, clip=1.0)
    with pytest.raises(TrainingError, match="norm of the gradient is nan at step 0"):
        fit(task(net(), recipe, poisoned), Fed(recipe), run(tmp_path))


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path) -> None:
    recipe = replace(RECIPE, checkpoint_seconds=0)
    with pytest.raises(TrainingError, match="weight is NaN or infinite after 1 steps"):
        fit(task(net(), recipe, poisoned), Fed(recipe), run(tmp_path))
    assert not (tmp_path / "c.pt").exists()


def test_bfloat16_is_used_only_where_asked_for_on_a_cpu(tmp_path: Path) -> None:
    seen = []

    class Spy(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            y = super().forward(x.float() / 255)
            seen.append(y.dtype)
            return y

    for precision in ("auto", "float32", "bfloat16"):
        recipe = replace(RECIPE, steps=1, precision=precision)
        fit(task(Spy(3, 1, 5), recipe), Fed(recipe), run(tmp_path))
    assert seen == [torch.float32, torch.float32, torch.bfloat16]


def test_seed_decides_what_the_network_draws(tmp_path: Path) -> None:
    states = []
    for seed in (3, 3, 4):
        torch.rand(5), random.random(), np.random.rand()  # noqa: NPY002 - what ran before must not matter
        module = net()
        fit(task(module, RECIPE), Fed(RECIPE), run(tmp_path, seed=seed))
        states.append(module)
    assert same(states[0], states[1])
    assert not same(states[0], states[2])


def scores(values: list[float]) -> object:
    """A score that gives one value after the other, two batches each."""
    left = [value for value in values for _ in range(2)]

    def score(module: nn.Module, batch: Batch) -> Loss:
        assert not module.training and not torch.is_grad_enabled()
        value = torch.tensor(left.pop(0))
        return Loss(value * 3, torch.tensor(3), value, value)

    return score


VALIDATED = replace(RECIPE, steps=8, validation=0.5, validate_every=3)


@pytest.mark.parametrize(("keep", "outcome"), [("last", Outcome(8, 0.4)), ("best", Outcome(6, 0.25))])
def test_the_last_or_the_best_weights_are_kept_as_the_recipe_says(tmp_path: Path, keep: str, outcome: Outcome) -> None:
    recipe, rows, module = replace(VALIDATED, keep=keep), Rows(), net()
    found = fit(task(module, recipe, score=scores([0.5, 0.25, 0.4])), Fed(recipe), run(tmp_path, write=rows))
    assert found == pytest.approx(outcome)
    assert [(step, values["validation"]) for step, values in rows.rows if "validation" in values] == [
        (2, 0.5),
        (5, 0.25),
        (7, pytest.approx(0.4)),
    ]
    stopped = net()
    plain = replace(RECIPE, steps=8)
    fit(task(stopped, plain), Fed(plain), run(tmp_path))
    assert same(module, stopped) == (keep == "last"), "validation must not change the training"


def test_the_best_weights_outlive_a_kill(tmp_path: Path) -> None:
    recipe = replace(VALIDATED, keep="best", checkpoint_seconds=0)
    whole = net()
    fit(task(whole, recipe, score=scores([0.1, 0.2, 0.3])), Fed(recipe), run(tmp_path / "a"))

    def killing(module: nn.Module, batch: Batch) -> Loss:
        if torch.equal(batch.images, batch_of(4).images):
            raise Killed
        return brightness(module, batch)

    with pytest.raises(Killed):
        fit(task(net(), recipe, killing, score=scores([0.1])), Fed(recipe), run(tmp_path / "b"))
    resumed, asked = net(), run(tmp_path / "b")
    found = fit(task(resumed, recipe, score=scores([0.2, 0.3])), Fed(recipe), asked, asked.checkpoint.load())
    assert found == pytest.approx(Outcome(3, 0.1))
    assert same(resumed, whole)


def test_without_a_score_of_its_own_the_loss_is_validated(tmp_path: Path) -> None:
    module, recipe = net(), replace(VALIDATED, validate_every=100)
    outcome = fit(task(module, recipe), Fed(recipe), run(tmp_path))
    with torch.no_grad():
        losses = [brightness(module, batch) for batch in Fed(recipe).held_out()]
    expected = sum(float(loss.total) for loss in losses) / sum(float(loss.weight) for loss in losses)
    assert outcome.validation == pytest.approx(expected)
