import pickle
from pathlib import Path

import pytest

from sodlift import errors
from sodlift.errors import ConfigError, DataError, SodliftError, UnknownNameError, listed
from sodlift.registry import Registry, did_you_mean, unknown_name


def test_a_message_says_what_where_expected_and_mend():
    error = DataError("mask missing", where=Path("a.png"), expected="a mask", mend="add it")
    assert str(error) == "mask missing\n  where: a.png\n  expected: a mask\n  mend: add it"


def test_parts_left_out_take_no_line():
    assert str(DataError("broken")) == "broken"
    assert str(DataError("broken", mend="fetch it")) == "broken\n  mend: fetch it"


def test_falsy_parts_are_shown():
    assert str(DataError("broken", where=0)) == "broken\n  where: 0"


def test_every_error_is_a_sodlift_error():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 5
    assert all(issubclass(kind, SodliftError) for kind in kinds)


def test_an_error_crosses_process_borders_unchanged():
    error = DataError("broken", where=Path("a.png"), mend="fetch it")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.what, copy.where) == (DataError, str(error), "broken", Path("a.png"))


def test_long_lists_are_cut_and_counted():
    assert listed("abc") == "a, b, c"
    assert listed(range(12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert listed([]) == ""


def test_a_near_name_is_suggested():
    assert did_you_mean("densecfr", ["densecrf", "mirm"]) == "did you mean 'densecrf'? "
    assert did_you_mean("xyz", ["densecrf", "mirm"]) == ""


def test_an_unknown_name_lists_what_is_known():
    error = unknown_name("prior", "rbdd", ["rbd", "mb_plus"], "config.yaml")
    assert isinstance(error, UnknownNameError)
    assert isinstance(error, ConfigError)
    assert "unknown prior 'rbdd'" in str(error)
    assert "one of: mb_plus, rbd" in str(error)
    assert "did you mean 'rbd'?" in str(error)
    assert "config.yaml" in str(error)


@pytest.fixture
def shapes(tmp_path, monkeypatch) -> Registry[str]:
    """A registry over a package of two modules, one subpackage and a helper."""
    package = tmp_path / "registered_shapes"
    (package / "cube").mkdir(parents=True)
    for name in ("__init__.py", "_base.py", "common.py"):
        (package / name).touch()
    (package / "ball.py").write_text("SHAPE = 'a ball'\n")
    (package / "cube" / "__init__.py").write_text("SHAPE = 'a cube'\n")
    (package / "broken.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    return Registry("shape", "registered_shapes", "SHAPE", exclude=["common"])


def test_public_modules_and_packages_are_the_names_and_none_is_imported(shapes):
    assert shapes.names() == ["ball", "broken", "cube"]


def test_a_name_gives_its_entry_module_and_source(shapes, tmp_path):
    assert (shapes.get("ball"), shapes.get("cube")) == ("a ball", "a cube")
    assert shapes.module("ball") == "registered_shapes.ball"
    assert shapes.source("cube") == tmp_path / "registered_shapes" / "cube" / "__init__.py"
    assert "ball" in shapes
    assert "_base" not in shapes


@pytest.mark.parametrize("name", ["bal", "_base", "common", "", "os.path"])
def test_another_name_is_an_error_that_lists_the_names(shapes, name):
    for look in (shapes.get, shapes.module, shapes.source):
        with pytest.raises(UnknownNameError, match="one of: ball, broken, cube"):
            look(name)
