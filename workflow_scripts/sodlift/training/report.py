"""The JSON report of a training: how fast it was, on what, with what result."""

import json
import platform
import resource
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

import sodlift
from sodlift.atomic import atomic_file
from sodlift.training.log import read_log
from sodlift.training.recipe import Recipe
from sodlift.training.team import Team


def versions() -> dict[str, str]:
    """Return the versions of what computes."""
    return {
        "sodlift": sodlift.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),  # it is of a class of its own
        "numpy": np.__version__,
    }


def peak_bytes(device: torch.device) -> int:
    """Return the most memory that this process has held: a GPU's allocated, else its resident set."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def device_name(device: torch.device) -> str:
    """Return the device in words: "cpu, x86_64" or a GPU's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu, {platform.machine()}"


def write_report(path: Path, log: Path, team: Team, recipe: Recipe, facts: Mapping[str, Any]) -> None:
    """Write ``facts``, the recipe, and what the log and the machine tell, as JSON.

    Speeds are medians over the steps of the recipe (the last one where there were several), those before a kill
    included: the wait for data counts, validation and checkpoints do not. Memory is that of this process.
    """
    columns = read_log(log)
    losses = [value for _, value in columns["loss"]]
    speed = median(value for _, value in columns["images_per_s"][-recipe.steps :])
    memory = "peak_gpu_bytes" if team.device.type == "cuda" else "peak_rss_bytes"
    report = {
        **facts,
        "recipe": asdict(recipe),
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "images_per_s": round(speed, 3),
        "step_seconds": round(recipe.batch / speed, 6),
        memory: peak_bytes(team.device),
        "device": device_name(team.device),
        "processes": team.world,
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }
    with atomic_file(path) as part:
        part.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
