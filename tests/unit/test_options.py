"""Options from YAML mappings: what is taken, and what each mistake is told."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sodlift.errors import ConfigError
from sodlift.options import build
from sodlift.problems import ConfigProblems


@dataclass(frozen=True)
class Crf:
    steps: int = 1
    width: float = 3.0


@dataclass(frozen=True)
class Options:
    theta: float = 0.9
    steps: int = 100
    mode: Literal["keep", "drop", "adaptive"] = "keep"
    flip: bool = False
    name: str = "plain"
    file: Path | None = None
    scales: tuple[float, ...] = (1.0,)
    size: tuple[int, int] = (256, 256)
    side: int | str | None = None
    crf: Crf = field(default_factory=Crf)
    extra: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.theta <= 1:
            raise ConfigError(f"{self.theta} is not allowed", where="theta", expected="from 0 to 1")

    @classmethod
    def presets(cls) -> "dict[str, Options]":
        return {"default": cls(), "paper": cls(steps=20_000, crf=Crf(10, 5.0))}


@dataclass(frozen=True)
class Required:
    method: str
    count: int = 1


def refusal(cls: type, mapping: Any, where: str = "row.options") -> ConfigProblems:
    with pytest.raises(ConfigProblems) as caught:
        build(cls, mapping, where)
    return caught.value


def test_an_empty_mapping_gives_the_defaults() -> None:
    assert build(Options, {}) == Options()


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ({"theta": 1}, Options(theta=1.0)),
        ({"mode": "drop", "flip": True}, Options(mode="drop", flip=True)),
        ({"file": "a/b.pth"}, Options(file=Path("a/b.pth"))),
        ({"file": None}, Options()),
        ({"scales": [1, 2.5]}, Options(scales=(1.0, 2.5))),
        ({"size": [64, 96]}, Options(size=(64, 96))),
        ({"side": "auto"}, Options(side="auto")),
        ({"side": 64}, Options(side=64)),
        ({"crf": {"steps": 4}}, Options(crf=Crf(steps=4))),
        ({"extra": {"a": 1}}, Options(extra={"a": 1})),
    ],
)
def test_values_arrive_in_the_field_s_type(given_value: dict[str, Any], expected: Options) -> None:
    made = build(Options, given_value)
    assert made == expected
    assert isinstance(made.theta, float)


def test_a_preset_is_the_base_that_other_keys_override() -> None:
    assert build(Options, {"preset": "paper", "theta": 0.5}) == Options(theta=0.5, steps=20_000, crf=Crf(10, 5.0))


def test_a_nested_mapping_overrides_the_preset_s_value_not_the_default() -> None:
    assert build(Options, {"preset": "paper", "crf": {"width": 1}}).crf == Crf(10, 1.0)


@pytest.mark.parametrize(
    ("mapping", "path", "what", "expected", "mend"),
    [
        ({"theta_": 1}, "row.options.theta_", "unknown key 'theta_'", "one of: preset, theta, steps", "'theta'"),
        ({"steps": "many"}, "row.options.steps", "'many' has the wrong type", "a whole number", ""),
        ({"steps": 1.5}, "row.options.steps", "1.5", "a whole number", ""),
        ({"steps": True}, "row.options.steps", "True", "a whole number", ""),
        ({"steps": "4"}, "row.options.steps", "'4'", "a whole number", "write 4 without quotes"),
        ({"theta": "5e-3"}, "row.options.theta", "'5e-3'", "a number", "write 0.005, without quotes"),
        ({"theta": float("nan")}, "row.options.theta", "nan", "a number", ""),
        ({"theta": 2}, "row.options.theta", "2.0 is not allowed", "from 0 to 1", ""),
        ({"mode": "kep"}, "row.options.mode", "'kep' is not allowed", "one of: keep, drop, adaptive", "'keep'"),
        ({"flip": "yes"}, "row.options.flip", "'yes'", "true or false", ""),
        ({"name": True}, "row.options.name", "True", "text", "put the text in quotes"),
        ({"file": 3}, "row.options.file", "3", "a path", ""),
        ({"scales": 2}, "row.options.scales", "2", "a list, each a number", ""),
        ({"scales": [1, "x"]}, "row.options.scales[1]", "'x'", "a number", ""),
        ({"size": [64]}, "row.options.size", "[64]", "a list of 2", ""),
        ({"side": 1.5}, "row.options.side", "1.5", "a whole number or text or null", ""),
        ({"crf": {"step": 2}}, "row.options.crf.step", "unknown key 'step'", "one of: steps, width", "'steps'"),
        ({"crf": 3}, "row.options.crf", "3 is not a mapping", "keys with values", ""),
        ({"extra": {"a": "b"}}, "row.options.extra.a", "'b'", "a whole number", ""),
        ({"preset": "papr"}, "row.options.preset", "unknown preset 'papr'", "one of: default, paper", "'paper'"),
        (["theta"], "row.options", "['theta'] is not a mapping", "keys with values", ""),
    ],
)
def test_a_mistake_is_told_with_its_path_value_and_what_is_allowed(
    mapping: Any, path: str, what: str, expected: str, mend: str
) -> None:
    (problem,) = refusal(Options, mapping).problems
    assert problem.path == path
    assert what in problem.what
    assert expected in problem.expected
    assert mend in problem.mend


def test_a_missing_key_without_default_is_named() -> None:
    (problem,) = refusal(Required, {"count": 2}).problems
    assert (problem.path, problem.what, problem.expected) == ("row.options", "missing key 'method'", "text")


def test_a_class_without_presets_has_no_key_preset() -> None:
    (problem,) = refusal(Required, {"method": "x", "preset": "paper"}).problems
    assert problem.what == "unknown key 'preset'"
    assert problem.expected == "one of: method, count"


def test_all_mistakes_are_listed_in_one_message() -> None:
    error = refusal(Options, {"theta_": 1, "steps": "x", "crf": {"widht": 1}, "preset": "papr"})
    assert [p.path.removeprefix("row.options.") for p in error.problems] == ["preset", "theta_", "steps", "crf.widht"]
    assert str(error).startswith("4 problems in row.options:")
    assert "did you mean 'width'?" in str(error)


def test_the_error_crosses_processes_whole() -> None:
    error = refusal(Options, {"theta_": 1, "steps": "x"})
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.problems, str(copy)) == (error.problems, str(error))


def test_an_unsupported_annotation_is_a_defect_of_the_class() -> None:
    @dataclass(frozen=True)
    class Odd:
        value: complex = 1j

    with pytest.raises(TypeError, match="complex"):
        build(Odd, {"value": 3})


@given(st.floats(0, 1), st.integers(), st.booleans(), st.lists(st.floats(allow_nan=False), max_size=4))
def test_what_a_dataclass_holds_comes_back_from_its_mapping(
    theta: float, steps: int, flip: bool, scales: list[float]
) -> None:
    made = build(Options, {"theta": theta, "steps": steps, "flip": flip, "scales": scales})
    assert made == Options(theta=theta, steps=steps, flip=flip, scales=tuple(scales))
