"""The library's floors: a module imports from floors below its own, and torch stays where networks are."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FLOORS = [
    {
        *("arrays", "mapset", "atomic", "registry", "options", "document", "schema", "problems"),
        *("code_hash", "progress", "seeds", "errors", "parallel", "png", "allocator", "fingerprint"),
    },
    {"superpixels", "crf", "fetch"},
    {"priors", "alignment", "backbones", "datasets", "metrics", "demo"},
    {"training", "evaluation", "pools"},
    {"refiners", "detectors", "statistics"},
    {"inference", "config", "catalogue", "tables", "figures", "plots"},
    {"cli", "__main__"},
]
MAY_IMPORT_TORCH = {"backbones", "refiners", "training", "inference"}
WITHOUT_TORCH = {"options.py", "__init__.py"}
"""The files of a deep detector's package that may not: what reads the registry reads them."""
MAX_LINES = 400


def _library(repository: Path) -> Path:
    return repository / "workflow_scripts" / "sodlift"


def _modules(repository: Path) -> list[Path]:
    return sorted(_library(repository).rglob("*.py"))


def _part(library: Path, file: Path) -> str:
    return file.relative_to(library).parts[0].removesuffix(".py")


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield the modules imported when the file runs; under TYPE_CHECKING or inside functions they are not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Try):
            yield from _imports(node)


def _floor(part: str) -> int:
    return next(i for i, names in enumerate(FLOORS) if part in names)


def test_every_part_of_the_library_has_a_floor(repository: Path) -> None:
    library = _library(repository)
    parts = {_part(library, file) for file in _modules(repository)} - {"__init__"}
    assert parts == set().union(*FLOORS)


def test_modules_import_from_their_own_floor_or_below(repository: Path) -> None:
    library = _library(repository)
    climbs = []
    for file in _modules(repository):
        part = _part(library, file)
        if part == "__init__":
            continue
        for name in _imports(ast.parse(file.read_text())):
            if name.startswith("sodlift.") and _floor(name.split(".")[1]) > _floor(part):
                climbs.append(f"{file.relative_to(library)} imports {name}")
    assert not climbs


def _may_import_torch(file: Path) -> bool:
    """Whether a file, given below the library, is one of a network or of what runs networks."""
    part, *rest = file.parts
    if part == "crf":
        return rest == ["batched.py"]
    if part == "detectors":
        return rest == ["_deep.py"] or (len(rest) == 2 and rest[1] not in WITHOUT_TORCH)
    return part in MAY_IMPORT_TORCH


def test_torch_is_imported_by_networks_and_their_engines_only(repository: Path) -> None:
    library = _library(repository)
    users = {
        file.relative_to(library)
        for file in _modules(repository)
        for name in _imports(ast.parse(file.read_text()))
        if name.split(".")[0] in {"torch", "torchvision"}
    }
    assert not {str(file) for file in users if not _may_import_torch(file)}


@pytest.mark.parametrize("folder", ["workflow_scripts", "tests", "benchmarks"])
def test_no_file_is_longer_than_a_reader_can_hold(repository: Path, folder: str) -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in (repository / folder).rglob("*.py")}
    assert not {str(file): n for file, n in lengths.items() if n > MAX_LINES}


def test_adapters_stay_thin(repository: Path) -> None:
    lengths = {file.name: len(file.read_text().splitlines()) for file in (repository / "workflow_scripts").glob("*.py")}
    del lengths["adapter.py"]  # what they share
    assert max(lengths.values()) <= 30
