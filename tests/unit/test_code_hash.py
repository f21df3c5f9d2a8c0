"""The code hash: what changes it, and what does not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sodlift import code_hash as module
from sodlift.code_hash import LIBRARY, clear_cache, code_hash, content_hash, local_files, memo_file
from sodlift.errors import SodliftError

FILES = {
    "evaluate.py": "from lib.metrics import all_metrics\nimport helper\n",
    "train.py": "from lib.nets import net\n",
    "helper.py": "def run():\n    import lib.late\n",
    "lib/__init__.py": '"""Package."""\n',
    "lib/metrics/__init__.py": "from lib.metrics import mae\nfrom .f import f_measure\n",
    "lib/metrics/mae.py": "import numpy as np\n\n\ndef mae(x):\n    return np.abs(x).mean()\n",
    "lib/metrics/f.py": "from ..common import ratio\n",
    "lib/common.py": "def ratio(a, b):\n    return a / b\n",
    "lib/late.py": "VALUE = 1\n",
    "lib/nets/__init__.py": "from lib.nets.net import forward\n",
    "lib/nets/net.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lib.late\nimport lib.nets\n",
    "lib/registry/__init__.py": "",
    "lib/registry/a.py": "A = 1\n",
    "lib/registry/b.py": "B = 1\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A small project whose scripts import siblings and a package."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    clear_cache()
    yield tmp_path
    clear_cache()


def edit(file: Path, text: str) -> None:
    file.write_text(text)
    clear_cache()


def names(script: Path, *extra: str) -> set[str]:
    return set(local_files(script, extra))


def test_the_closure_holds_every_local_module_that_a_script_can_reach(project: Path) -> None:
    common = {"lib", "lib.metrics", "lib.metrics.mae", "lib.metrics.f", "lib.common"}
    assert names(project / "evaluate.py") == {"__main__", *common, "helper", "lib.late"}


def test_an_import_for_type_checking_only_does_not_count(project: Path) -> None:
    assert names(project / "train.py") == {"__main__", "lib", "lib.nets", "lib.nets.net"}


def test_the_package_that_brings_files_does_not_count() -> None:
    script = LIBRARY / "train.py"
    found = names(script)
    assert "sodlift.config.rows" in found  # which imports it
    assert not [name for name in found if name.startswith("sodlift.fetch")]


def test_a_circle_of_imports_ends(project: Path) -> None:
    assert code_hash(project / "train.py") == code_hash(project / "train.py")


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        ("lib/metrics/mae.py", {"evaluate.py"}),
        ("lib/metrics/__init__.py", {"evaluate.py"}),
        ("lib/common.py", {"evaluate.py"}),
        ("lib/late.py", {"evaluate.py"}),
        ("helper.py", {"evaluate.py"}),
        ("lib/nets/net.py", {"train.py"}),
        ("lib/__init__.py", {"evaluate.py", "train.py"}),
        ("lib/registry/a.py", set()),
    ],
)
def test_an_edit_changes_the_hash_of_the_scripts_that_use_the_file(
    project: Path, edited: str, changed: set[str]
) -> None:
    scripts = ("evaluate.py", "train.py")
    before = {name: code_hash(project / name) for name in scripts}
    edit(project / edited, FILES[edited] + "\nNEW = 1\n")
    assert {name for name in scripts if code_hash(project / name) != before[name]} == changed


@pytest.mark.parametrize(
    "text",
    [
        "# a remark\n" + FILES["lib/metrics/mae.py"],
        '"""What it does."""\n' + FILES["lib/metrics/mae.py"],
        FILES["lib/metrics/mae.py"].replace("(x):", '(x):\n    """Return the error."""'),
        FILES["lib/metrics/mae.py"].replace("np.abs(x).mean()", "(\n        np.abs( x ).mean()  # mean\n    )"),
    ],
    ids=["comment", "module docstring", "function docstring", "layout"],
)
def test_comments_docstrings_and_layout_do_not_count(project: Path, text: str) -> None:
    before = code_hash(project / "evaluate.py")
    edit(project / "lib/metrics/mae.py", text)
    assert code_hash(project / "evaluate.py") == before


def test_a_touched_file_changes_nothing(project: Path) -> None:
    before = code_hash(project / "evaluate.py")
    os.utime(project / "lib/metrics/mae.py", (1, 1))
    clear_cache()
    assert code_hash(project / "evaluate.py") == before


def test_moving_the_project_changes_nothing(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "project"
    before = code_hash(project / "evaluate.py")
    project.rename(other)
    assert code_hash(other / "evaluate.py") == before
    other.rename(project)


def test_renaming_a_module_counts(project: Path) -> None:
    before = code_hash(project / "evaluate.py")
    (project / "lib/late.py").rename(project / "lib/later.py")
    edit(project / "helper.py", FILES["helper.py"].replace("late", "later"))
    assert code_hash(project / "evaluate.py") != before


def test_an_extra_module_counts_with_its_packages(project: Path) -> None:
    assert names(project / "train.py", "lib.registry.a") - names(project / "train.py") == {
        "lib.registry",
        "lib.registry.a",
    }
    with_a = code_hash(project / "train.py", ["lib.registry.a"])
    assert with_a != code_hash(project / "train.py")
    edit(project / "lib/registry/b.py", "B = 2\n")
    assert code_hash(project / "train.py", ["lib.registry.a"]) == with_a
    edit(project / "lib/registry/a.py", "A = 2\n")
    assert code_hash(project / "train.py", ["lib.registry.a"]) != with_a


def test_an_extra_package_stands_for_its_init_and_what_that_imports(project: Path) -> None:
    assert names(project / "helper.py", "lib.nets") >= {"lib.nets", "lib.nets.net"}
    assert "lib.registry.a" not in names(project / "helper.py", "lib.registry")


def test_the_order_of_extras_does_not_count(project: Path) -> None:
    extras = ["lib.registry.a", "lib.nets"]
    assert code_hash(project / "train.py", extras) == code_hash(project / "train.py", extras[::-1])


def test_an_unknown_extra_module_is_an_error(project: Path) -> None:
    with pytest.raises(SodliftError, match=r"no module 'lib\.registry\.c' to hash"):
        code_hash(project / "train.py", ["lib.registry.c"])


def test_a_file_that_does_not_parse_is_named_with_its_line(project: Path) -> None:
    edit(project / "lib/late.py", "x = 1\ny = (\n")
    with pytest.raises(SodliftError, match="cannot parse Python code") as caught:
        code_hash(project / "evaluate.py")
    assert str(caught.value.where).endswith("late.py, line 2")


def test_a_missing_script_is_named(project: Path) -> None:
    with pytest.raises(SodliftError, match="cannot read the file") as caught:
        code_hash(project / "gone.py")
    assert str(caught.value.where).endswith("gone.py")


def test_files_are_read_once_in_a_process(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_hash(project / "evaluate.py")
    monkeypatch.setattr(module, "local_files", lambda *_: pytest.fail("walked again"))
    (project / "lib/late.py").write_text("VALUE = 2\n")
    assert code_hash(project / "evaluate.py") == before


@pytest.fixture
def library(project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small project as the library, with a cache folder of its own."""
    monkeypatch.setattr(module, "LIBRARY", project)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    return project


def test_what_one_process_learnt_spares_the_next_one_parsing(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = (library / "evaluate.py", library / "train.py")
    before = [code_hash(script) for script in scripts]
    clear_cache()
    monkeypatch.setattr(module, "_parse", lambda *_: pytest.fail("parsed again"))
    assert [code_hash(script) for script in scripts] == before


def test_an_edit_is_seen_in_spite_of_what_was_learnt(library: Path) -> None:
    before = code_hash(library / "evaluate.py")
    edit(library / "lib/late.py", "VALUE = 2\n")
    assert code_hash(library / "evaluate.py") != before
    edit(library / "lib/late.py", "VALUE = 1\n")
    assert code_hash(library / "evaluate.py") == before


@pytest.mark.parametrize("text", ["", "{", "\x00"])
def test_a_broken_memo_is_made_anew(library: Path, text: str) -> None:
    before = code_hash(library / "evaluate.py")
    memo_file().write_text(text)
    clear_cache()
    assert code_hash(library / "evaluate.py") == before
    assert json.loads(memo_file().read_text())


def test_a_cache_folder_that_cannot_be_written_is_no_matter(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_hash(library / "evaluate.py")
    monkeypatch.setenv("XDG_CACHE_HOME", str(library / "evaluate.py"))
    clear_cache()
    assert code_hash(library / "evaluate.py") == before


def test_a_script_outside_the_library_s_folder_still_reaches_the_library(tmp_path: Path) -> None:
    script = tmp_path / "adapter.py"
    script.write_text("import sodlift.errors\n")
    assert local_files(script)["sodlift.errors"] == LIBRARY / "sodlift" / "errors.py"


def test_the_hash_is_the_same_in_another_process() -> None:
    script = LIBRARY / "sodlift" / "mapset.py"
    code = f"from sodlift.code_hash import code_hash; print(code_hash({str(script)!r}))"
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == code_hash(script)


def test_the_content_hash_follows_names_and_bytes_only(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("1")
    two.write_text("2")
    before = content_hash([one, two])
    os.utime(one, (1, 1))
    assert content_hash([two, one]) == before
    one.write_text("2")
    two.write_text("1")
    assert content_hash([one, two]) != before
    with pytest.raises(SodliftError, match="cannot read the file"):
        content_hash([tmp_path / "none.csv"])
