"""What is installed knows its protocols: a source archive of the repository, a wheel of that, and the library in it."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

_NEEDED = ("pyproject.toml", "README.md", "LICENSE")


def build(root: Path, what: str, target: Path) -> Path:
    """Build offline, with the setuptools that is installed, as installers do behind the scenes."""
    code = f"from setuptools import build_meta; build_meta.build_{what}({str(target)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True)
    (made,) = target.iterdir()
    return made


@pytest.fixture(scope="module")
def installed(repository, tmp_path_factory) -> Path:
    """The wheel of the source archive, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    for part in ("workflow_scripts/sodlift", "config"):
        shutil.copytree(repository / part, copy / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _NEEDED:
        shutil.copy(repository / name, copy / name)
    with tarfile.open(build(copy, "sdist", folder / "sdist")) as archive:
        archive.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    with zipfile.ZipFile(build(source, "wheel", folder / "dist")) as wheel:
        wheel.extractall(folder / "installed")
    return folder / "installed"


def test_the_wheel_carries_every_protocol_registry_schema_and_split(repository, installed):
    shipped = installed / "sodlift" / "shipped"
    for part in ("*.yaml", "protocols/*.yaml", "schemas/*.json", "splits/*/*.txt"):
        expected = {file.name: file.read_bytes() for file in (repository / "config").glob(part)}
        assert expected
        assert {file.name: file.read_bytes() for file in shipped.glob(part)} == expected


def test_protocols_load_from_the_wheel_alone(installed, tmp_path):
    code = (
        "import sodlift.evaluation.protocols as p; "
        "print(p.__file__, *(p.load_protocol(name).hash for name in p.protocol_names()))"
    )
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    file, *hashes = done.stdout.split()
    assert Path(file).is_relative_to(installed)
    assert len(hashes) == len(list((installed / "sodlift" / "shipped" / "protocols").glob("*.yaml")))


def test_the_command_is_installed(installed):
    (entry_points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "sodlift = sodlift.cli.main:main" in entry_points.read_text()


def test_the_catalogue_is_read_from_the_wheel_alone(installed, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "SODLIFT_DATA"}
    command = [sys.executable, "-m", "sodlift", "data", "status", "ECSSD", "maps/DSS/ECSSD"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:]}
    assert "missing" in rows["datasets/ECSSD"]
    assert "published sha256" in rows["datasets/ECSSD"]
    assert "never verified" in rows["maps/DSS/ECSSD"]
