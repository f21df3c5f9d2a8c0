"""YAML files: strict reading, and lines for messages."""

from pathlib import Path

import pytest

from sodlift.document import Document, read_document
from sodlift.errors import ConfigError
from sodlift.problems import Problem

TEXT = """\
# rows
first:
  title: First
  options: {lr: 5e-3, steps: 1E4, plain: 1.5, word: e5}
CSNet-L.x2:
  options:
    lists:
      - a
      - b
"""


@pytest.fixture
def document(tmp_path: Path) -> Document:
    file = tmp_path / "rows.yaml"
    file.write_text(TEXT)
    return read_document(file)


def test_numbers_with_an_exponent_are_numbers(document: Document) -> None:
    assert document.data["first"]["options"] == {"lr": 0.005, "steps": 10000.0, "plain": 1.5, "word": "e5"}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("first", 2),
        ("first.title", 3),
        ("first.options.lr", 4),
        ("first.options.unknown.deeper", 4),
        ("CSNet-L.x2", 5),
        ("CSNet-L.x2.options.lists[1]", 9),
        ("CSNet-L.x2.missing", 5),
    ],
)
def test_a_path_is_placed_on_its_line_or_on_that_of_the_nearest_key_above(
    document: Document, path: str, line: int
) -> None:
    assert document.place(path) == f"{document.file}:{line}"


def test_a_path_that_is_nowhere_is_placed_in_the_file(document: Document) -> None:
    assert document.place("second") == document.file
    assert document.place("") == document.file


def test_problems_get_their_place(document: Document) -> None:
    (problem,) = document.locate([Problem("first.title", "wrong")])
    assert str(problem) == f"{document.file}:3: first.title: wrong"


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", r"key 'b\.c' is there twice, on lines 3 and 4", ":4"),
        ("a: [1, 2\nb: 3\n", "not valid YAML", ":2"),
        ("a: 'open\n", "not valid YAML", ":2"),
        ("a: !!python/object:os.system {}\n", "not valid YAML", ":1"),
        ("- a\n- b\n", "holds no mapping", ""),
        ("", "holds no mapping", ""),
    ],
)
def test_a_broken_file_is_one_clear_error(tmp_path: Path, text: str, what: str, line: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=what) as caught:
        read_document(file)
    assert str(caught.value.where) == f"{file}{line}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not found") as caught:
        read_document(tmp_path / "none.yaml")
    assert caught.value.where == tmp_path / "none.yaml"


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "image.yaml"
    file.write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot read the file"):
        read_document(file)
