"""Snakemake as a user calls it, from a folder of their own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Snakemake = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def snakemake(repository: Path) -> Snakemake:
    """``snakemake(folder, *arguments, configfile="run.yaml")`` runs this checkout's Snakefile in ``folder``."""

    def run(folder: Path, *arguments: str, configfile: str = "run.yaml") -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SODLIFT_")}
        command = ["snakemake", *arguments, "--snakefile", str(repository / "Snakefile"), "--cores", "2"]
        return subprocess.run(
            [sys.executable, "-m", *command, "--configfile", configfile],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run
