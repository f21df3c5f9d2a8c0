"""Several methods scored together, in several processes, with extra metrics and rules of their own."""

import dataclasses

import numpy as np
import pytest
from evaluation_samples import disc, manifest_of, mapset_of, protocol, score, soft, three_images

from sodlift.errors import ConfigError, MapError, UnknownNameError
from sodlift.evaluation import run
from sodlift.evaluation.cell import Method
from sodlift.evaluation.run import evaluate_maps, evaluate_methods
from sodlift.evaluation.scores import CellScores


@pytest.fixture
def three(tmp_path):
    return three_images(tmp_path)


def same(one: CellScores, other: CellScores) -> bool:
    return (
        one.scores == other.scores
        and one.per_image.equals(other.per_image)
        and one.curves.keys() == other.curves.keys()
        and all(np.array_equal(curve, other.curves[name]) for name, curve in one.curves.items())
    )


def test_methods_scored_together_in_any_number_of_processes_score_as_alone_bit_for_bit(tmp_path, monkeypatch):
    stems = [f"{i:02d}" for i in range(20)]
    manifest = manifest_of(tmp_path, {stem: disc(4 + i) for i, stem in enumerate(stems)})
    protocols = [protocol("pysod"), protocol("lps")]
    methods = [
        Method(name, mapset_of(tmp_path / name, {stem: soft(100 * k + i) for i, stem in enumerate(stems)}))
        for k, name in enumerate(("a", "b"))
    ]
    monkeypatch.setattr(run, "FEWEST", 1)
    together = evaluate_methods(manifest, methods, protocols)
    in_two = evaluate_methods(manifest, methods, protocols, workers=2)
    for method in methods:
        alone = evaluate_maps(manifest, method.maps, None, protocols, "prior")
        assert same(together[method.name], alone) and same(in_two[method.name], alone)
    assert not same(together["a"], together["b"])


def test_two_methods_of_one_name_and_no_method_are_refused(three):
    manifest, maps = three
    for methods in ([], [Method("a", maps), Method("a", maps)]):
        with pytest.raises(ConfigError, match=r"methods given.*(?s:.)*each once"):
            evaluate_methods(manifest, methods, [protocol("pysod")])


def test_extra_metrics_are_computed_where_they_are_asked_for(three):
    manifest, maps = three
    cell = evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior", extra=["boundary_iou"])
    assert 0 < cell.value("BIoU", "pysod") < 1 and "BIoU" in cell.per_image
    with pytest.raises(KeyError):
        evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior").value("BIoU", "pysod")
    with pytest.raises(UnknownNameError, match="did you mean 'boundary_iou'"):
        evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior", extra=["boundry_iou"])


def test_missing_maps_are_left_out_and_counted_where_the_protocol_allows_it(three, tmp_path):
    manifest, _ = three
    maps = mapset_of(tmp_path / "fewer", {"a": soft(1), "b": None, "c": soft(3)})
    lenient = dataclasses.replace(protocol("pysod"), missing="leave_out")
    found = score(evaluate_maps(manifest, maps, None, [lenient], "prior"), "pysod", "MAE")
    assert (found.n_used, found.n_expected, found.counts["missing"]) == (2, 3, 1)


def test_a_protocol_that_resizes_nothing_refuses_maps_of_another_size(tmp_path):
    manifest = manifest_of(tmp_path, {"a": disc()})
    maps = mapset_of(tmp_path / "maps", {"a": soft(1, shape=(60, 80))})
    with pytest.raises(MapError, match=r"(?s)80x60 pixels, its mask has 40x30.*a\.png.*resizes nothing"):
        evaluate_maps(manifest, maps, None, [protocol("salbenchmark")], "prior")
