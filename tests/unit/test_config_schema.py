"""Breaches of a schema, in words."""

from typing import Any

import pytest

from sodlift.problems import Problem
from sodlift.schema import defaults, schema_problems

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"description": "what it is called", "type": "string", "minLength": 1},
        "count": {"type": ["integer", "null"], "minimum": 1, "maximum": 9, "default": 3},
        "share": {"type": "number"},
        "mode": {"enum": ["keep", "drop"]},
        "flag": {"type": "boolean"},
        "items": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}},
        "rows": {
            "type": "object",
            "propertyNames": {"description": "letters", "pattern": "^[a-z]+$"},
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["title"],
                "properties": {"title": {"description": "its title", "type": "string"}},
            },
        },
        "code": {"type": "string", "pattern": "^x"},
        "even": {"type": "integer", "multipleOf": 2},
    },
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"nam": "x"},
            Problem("nam", "unknown key 'nam'", f"one of: {', '.join(SCHEMA['properties'])}", "did you mean 'name'?"),
        ),
        ({"name": 3}, Problem("name", "3 has the wrong type", "text", "put the text in quotes")),
        (
            {"name": True},
            Problem(
                "name",
                "True has the wrong type",
                "text",
                "YAML reads yes, no, on and off as true or false: put the text in quotes",
            ),
        ),
        ({"name": ""}, Problem("name", "'' is not allowed", "text of at least 1 character")),
        (
            {"count": "4"},
            Problem("count", "'4' has the wrong type", "a whole number or null", "write 4 without quotes"),
        ),
        ({"count": 0}, Problem("count", "0 is not allowed", "at least 1")),
        ({"count": 10}, Problem("count", "10 is not allowed", "at most 9")),
        (
            {"share": "1e-2"},
            Problem(
                "share", "'1e-2' has the wrong type", "a number", "this is text to YAML: write 0.01, without quotes"
            ),
        ),
        ({"mode": "kepp"}, Problem("mode", "'kepp' is not allowed", "one of: keep, drop", "did you mean 'keep'?")),
        ({"flag": "yes"}, Problem("flag", "'yes' has the wrong type", "true or false")),
        ({"items": "a"}, Problem("items", "'a' has the wrong type", "a list", "write a list: [a]")),
        ({"items": []}, Problem("items", "[] is not allowed", "a list of at least 1")),
        ({"items": ["a", "b", "a"]}, Problem("items", "'a' is listed 2 times", "each once")),
        ({"items": ["a", {}]}, Problem("items[1]", "{} has the wrong type", "text")),
        ({"rows": {"A/b": {"title": "x"}}}, Problem("rows.A/b", "invalid name 'A/b'", "letters")),
        ({"rows": {"a": {}}}, Problem("rows.a", "missing key 'title'", "its title")),
        (
            {"rows": {"a": {"title": "x", "titel": "y"}}},
            Problem("rows.a.titel", "unknown key 'titel'", "one of: title", "did you mean 'title'?"),
        ),
        ({"rows": {True: {"title": "x"}}}, Problem("rows", "key True is not text", "a name", "put the key in quotes")),
        ({"code": "y"}, Problem("code", "invalid name 'y'", "text that matches ^x")),
        ({"even": 3}, Problem("even", "3 is not a multiple of 2")),
    ],
)
def test_a_breach_is_one_problem_in_words(change: dict[Any, Any], expected: Problem) -> None:
    assert schema_problems({"name": "n", **change}, SCHEMA) == [expected]


def test_a_missing_key_is_told_with_its_meaning() -> None:
    assert schema_problems({}, SCHEMA) == [Problem("", "missing key 'name'", "what it is called")]


def test_every_breach_is_listed_and_none_twice() -> None:
    wrong = {"nam": 1, "mode": "x", "rows": {"a": {}, "b": {}}}
    found = schema_problems(wrong, SCHEMA)
    assert [p.path for p in found] == ["", "mode", "nam", "rows.a", "rows.b"]


def test_what_satisfies_the_schema_has_no_problem() -> None:
    right = {"name": "n", "count": None, "items": ["a"], "rows": {"a": {"title": "x"}}}
    assert schema_problems(right, SCHEMA) == []


def test_a_long_value_is_shortened_in_its_middle() -> None:
    (problem,) = schema_problems({"name": list(range(200))}, SCHEMA)
    assert len(problem.what) < 120
    assert problem.what.startswith("[0, 1, 2")
    assert "198, 199]" in problem.what


def test_defaults_are_those_that_the_schema_gives() -> None:
    assert defaults(SCHEMA) == {"count": 3}
