"""Both stages of A2S on the tiny backbone, in this process or in one that may be killed."""

import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import mirm_samples
import numpy as np
import torch
from training_samples import job

from sodlift.arrays import FloatMap, Image8
from sodlift.detectors.a2s import train as second
from sodlift.detectors.a2s.options import A2sOptions
from sodlift.detectors.a2s_labels import train as first
from sodlift.detectors.a2s_labels.options import A2sLabelsOptions
from sodlift.training import train as engine
from sodlift.training.memory import LabelMemory

Options = A2sLabelsOptions | A2sOptions
TRAINS = {A2sLabelsOptions: first.train, A2sOptions: second.train}


def tiny(stack: ExitStack) -> None:
    """Let the tiny backbone stand in for the registry's until ``stack`` is closed."""
    for place in ("pretrained", "trained"):
        stack.enter_context(mock.patch(f"sodlift.training.{place}.BACKBONES", mirm_samples.TinyRegistry))


def labelled(seed: int) -> tuple[Image8, FloatMap]:
    """A scene with a label of 0 and 1 that is sure of its core."""
    image, prior = mirm_samples.scene(seed)
    return image, (prior > 0.5).astype(np.float32)


def options(folder: Path, kind: type[Options], recipe: dict[str, Any] | None = None, **changes: Any) -> Any:
    """Options for a short training on what ``training_samples.prepared`` wrote."""
    short = replace(kind().recipe, **{"steps": 6, "batch": 2, **(recipe or {})})
    fixed = {"backbone": mirm_samples.NAME, "weights_file": folder / "tiny.pth", "size": 64, "recipe": short}
    return kind(**{**fixed, **changes})


def train(folder: Path, chosen: Options, name: str = "m", **changes: Any) -> tuple[dict[str, Any], Any]:
    """Train; return the content of the model file, and the labels at the end where the training has a memory."""
    kept: list[LabelMemory] = []

    def begin(*given: Any) -> LabelMemory:
        kept.append(begin_memory(*given))
        return kept[-1]

    begin_memory = engine.begin_memory
    with ExitStack() as stack:
        tiny(stack)
        stack.enter_context(mock.patch.object(engine, "begin_memory", begin))
        asked = job(folder, name, **changes)
        TRAINS[type(chosen)](chosen, asked)
    labels = kept[0].state.numpy().copy() if kept else None
    return (torch.load(asked.output, weights_only=True) if asked.output.is_file() else {}), labels


def train_alone(folder: Path, chosen: Options, environment: dict[str, str]) -> None:
    """Train in a process of its own; its standard error goes to ``folder / "errors_<rank>"``."""
    os.environ.update(environment)
    torch.set_num_threads(1)
    sys.stderr = (folder / f"errors_{environment.get('RANK', 0)}").open("w", buffering=1)  # open to the very end
    train(folder, chosen)
