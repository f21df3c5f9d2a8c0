"""Protocols: what the four say, how they are hashed, and what a wrong one is told."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from jsonschema import Draft202012Validator

from sodlift.arrays import MASK_RULES, Grey
from sodlift.errors import ConfigError, UnknownNameError
from sodlift.evaluation.fit import FILTERS, REFUSE
from sodlift.evaluation.protocols import DropRule, Protocol, load_protocol, protocol_names
from sodlift.metrics import all_metrics
from sodlift.metrics._pair import COMPARISONS, LEVELS, NORMS, Thresholds

CONFIG = Path(__file__).resolve().parents[2] / "config"
FOLDER = CONFIG / "protocols"
NAMES = protocol_names(FOLDER)


def load(name: str) -> Protocol:
    return load_protocol(name)


def written(folder: Path, **changes: object) -> Path:
    """Write `pysod` with changes as `<folder>/mine.yaml`; a value of `...` removes the key."""
    row = yaml.safe_load((FOLDER / "pysod.yaml").read_text()) | {"name": "mine"} | changes
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in row.items() if v is not ...}))
    return path


def test_the_protocols_of_the_five_papers_and_of_the_toolkits_are_there():
    assert set(NAMES) >= {"pysod", "lps", "ldps", "ldps_all", "mijr", "a2s", "arn", "salbenchmark", "codtoolbox"}


@pytest.mark.parametrize("name", NAMES)
def test_every_protocol_loads_and_says_what_its_source_reports(name):
    protocol = load(name)
    assert protocol.name == name and protocol.title and protocol.source
    assert len(protocol.hash) == 12
    known = {metric for family in all_metrics() for metric in family.names}
    assert protocol.reports and set(protocol.reports.values()) <= known


def test_one_hash_is_one_set_of_choices():
    by_hash: dict[str, list[str]] = {}
    for name in NAMES:
        by_hash.setdefault(load(name).hash, []).append(name)
    # two papers without public code are scored as the reference does, and report other numbers of it
    assert sorted(names for names in by_hash.values() if len(names) > 1) == [["arn", "mijr", "pysod"]]


def test_what_a_protocol_leaves_out_is_the_references(tmp_path):
    row = yaml.safe_load((FOLDER / "pysod.yaml").read_text())
    prose = {key: row[key] for key in ("title", "source", "reports")}
    path = tmp_path / "bare.yaml"
    path.write_text(yaml.safe_dump({"name": "bare", **prose}))
    assert load_protocol(path).hash == load("pysod").hash
    assert load("pysod") == Protocol(**{"name": "pysod", **prose})


def test_pysod_is_the_reference():
    protocol = load("pysod")
    assert (protocol.prior_norm, protocol.refined_norm, protocol.gt_rule) == ("minmax", "minmax", "gt128")
    assert protocol.thresholds == Thresholds(256, 255, "trunc8", "ge", "ge", 1.0)
    assert (protocol.drop, protocol.empty_gt, protocol.size, protocol.missing) == (None, "keep", "mask", "error")


def test_lps_has_21_thresholds_and_takes_every_marked_pixel_as_ground_truth():
    protocol = load("lps")
    assert protocol.thresholds.values == pytest.approx(255 * np.linspace(0, 1, 21))
    assert (protocol.gt_rule, protocol.prior_norm, protocol.resize) == ("nonzero", "minmax_zero", "nearest")
    assert protocol.quantise == "trunc8"


def test_ldps_stretches_refined_maps_only():
    protocol = load("ldps")
    assert protocol.choices("prior").norm == "none" and protocol.choices("refined").norm == "minmax_zero"
    assert protocol.thresholds.cap == 0.999
    assert protocol.drop == DropRule(0.9, 0.3)


def test_ldps_all_is_ldps_without_the_drop_rule():
    dropping, keeping = load("ldps"), load("ldps_all")
    assert keeping.drop is None
    assert keeping == dataclasses.replace(dropping, name="ldps_all", title=keeping.title, drop=None)


@pytest.mark.parametrize(
    ("low", "high", "dropped"), [(0, 255, False), (0, 230, False), (0, 229, True), (76, 255, False), (77, 255, True)]
)
def test_the_drop_rule_asks_for_a_maximum_of_09_and_a_minimum_of_03(low, high, dropped):
    prior = Grey(np.array([[low, high]], np.uint8), 255.0)
    assert load("ldps").drop.drops(prior) is dropped


def test_the_hash_counts_every_choice_and_no_prose():
    protocol = load("pysod")
    assert dataclasses.replace(protocol, name="x", title="other", source="other", reports={}).hash == protocol.hash
    for change in (
        {"prior_norm": "none"},
        {"refined_norm": "max"},
        {"quantise": "trunc8"},
        {"gt_rule": "nonzero"},
        {"size": "image"},
        {"resize": "nearest"},
        {"thresholds": Thresholds(cap=0.999)},
        {"empty_gt": "skip"},
        {"drop": DropRule(0.9, 0.3)},
        {"precision_of_nothing": 1.0},
        {"s_quadrant": "nan"},
        {"missing": "leave_out"},
    ):
        assert dataclasses.replace(protocol, **change).hash != protocol.hash, change


def test_the_hash_of_pysod_is_known():
    """Numbers that were published under a hash must stay comparable: a changed hash is a changed protocol."""
    assert load("pysod").hash == "44136fa355b3"


def test_quantising_truncates_float_maps_and_leaves_8_bit_ones():
    protocol = load("lps")
    grey = protocol.quantised(Grey(np.array([[0.0, 0.9999, 1.0]]), 1.0))
    assert grey.values.dtype == np.uint8 and grey.values.tolist() == [[0, 254, 255]]
    stored = Grey(np.arange(256, dtype=np.uint8).reshape(16, 16), 255.0)
    assert protocol.quantised(stored) is stored


def test_an_unknown_protocol_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"did you mean 'pysod'\?"):
        load("pysodd")


def test_a_protocol_loads_from_a_path(tmp_path):
    protocol = load_protocol(written(tmp_path, prior_norm="none"))
    assert (protocol.name, protocol.prior_norm) == ("mine", "none")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gt_rule": "gt182"}, r"gt_rule.*(?s:.)*did you mean 'gt128'"),
        ({"title": ...}, "missing key 'title'"),
        ({"reports": {}}, r"(?s)should be non-empty.*reports"),
        ({"drop": {"max_below": 2, "min_above": 0.3}}, r"(?s)drop.max_below.*at most 1"),
        ({"thresholds": {"count": 1, "levels": "trunc8", "comparison": "ge", "cap": 1.0}}, "at least 2"),
        ({"normalise": "minmax"}, "unknown key 'normalise'"),
        ({"name": "yours"}, "file of another name"),
    ],
)
def test_a_wrong_protocol_is_refused_naming_the_key(tmp_path, changes, message):
    path = written(tmp_path, **changes)
    with pytest.raises(ConfigError, match=message) as caught:
        load_protocol(path)
    assert "mine.yaml" in str(caught.value)


def test_every_mistake_of_a_protocol_is_listed(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load_protocol(written(tmp_path, gt_rule="x", resize="y", empty_gt="z"))
    assert all(key in str(caught.value) for key in ("gt_rule", "resize", "empty_gt"))


def test_a_protocol_made_in_code_is_checked_too():
    with pytest.raises(ConfigError, match=r"(?s)prior_norm.*thresholds\.levels"):
        Protocol("mine", "t", "s", prior_norm="minimax", thresholds=Thresholds(levels="trunk8"))


def test_the_schema_allows_what_the_code_knows():
    schema = json.loads((CONFIG / "schemas" / "protocol.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    keys, cuts = schema["properties"], schema["properties"]["thresholds"]["properties"]
    assert set(keys) == {f.name for f in dataclasses.fields(Protocol)}
    assert set(cuts) == {f.name for f in dataclasses.fields(Thresholds)}
    for part, known in (
        (keys["prior_norm"], NORMS),
        (keys["refined_norm"], NORMS),
        (keys["gt_rule"], MASK_RULES),
        (keys["resize"], (*FILTERS, REFUSE)),
        (cuts["levels"], LEVELS),
        (cuts["comparison"], COMPARISONS),
        (cuts["e_comparison"], COMPARISONS),
    ):
        assert part["enum"] == list(known)
