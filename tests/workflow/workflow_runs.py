"""Snakemake as a user calls it, in a folder of their own."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

SNAKEFILE = Path(__file__).resolve().parents[2] / "Snakefile"


def snakemake(
    folder: Path, *arguments: str, configfile: str = "run.yaml", snakefile: Path = SNAKEFILE
) -> "subprocess.CompletedProcess[str]":
    """Run this checkout's workflow, or another's, in ``folder``; no data or settings of the tester's are seen."""
    command = [sys.executable, "-m", "snakemake", *arguments, "--snakefile", str(snakefile), "--cores", "2"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SODLIFT_")}
    return subprocess.run(
        [*command, "--configfile", configfile],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def configured(folder: Path, run: Mapping[str, Any], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Write ``run`` as the folder's configuration, without the keys that are None, and run it."""
    config = {key: value for key, value in run.items() if value is not None}
    (folder / "run.yaml").write_text(yaml.safe_dump(config))
    return snakemake(folder, *arguments)


def rules(done: "subprocess.CompletedProcess[str]") -> set[str]:
    """The rules that a dry run names."""
    assert done.returncode == 0, done.stdout + done.stderr
    return set(re.findall(r"^(?:local)?rule (\w+):", done.stdout + done.stderr, re.MULTILINE))
