"""environment.yml, pyproject.toml and constraints.txt agree."""

import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

EXTRAS = ("workflow", "lite0", "fast", "hce", "crf", "onnx", "learned", "test")


def _project(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]


def _pins(repository: Path) -> dict[str, str]:
    lines = (repository / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_environment_file_lists_exactly_the_runtime_workflow_and_test_requirements(repository: Path) -> None:
    project = _project(repository)
    expected = set(project["dependencies"]).union(*(project["optional-dependencies"][e] for e in EXTRAS))
    environment = yaml.safe_load((repository / "environment.yml").read_text())
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert sorted(pip) == sorted(expected)
    assert f"python{project['requires-python']}" in environment["dependencies"]


def test_constraints_pin_every_requirement_within_its_range_and_hold_no_addresses(repository: Path) -> None:
    project, pins = _project(repository), _pins(repository)
    extras = project["optional-dependencies"].values()
    for text in [*project["dependencies"], *(d for group in extras for d in group)]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[requirement.name.lower()]), text
    assert "://" not in (repository / "constraints.txt").read_text()


def test_no_requirement_has_an_upper_limit(repository: Path) -> None:
    project = _project(repository)
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    operators = {s.operator for group in groups for d in group for s in Requirement(d).specifier}
    assert operators == {">="}
