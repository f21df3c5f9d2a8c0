"""From maps and masks on disk to scores: what is counted, what is refused, what is written."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from evaluation_samples import SHAPE, disc, manifest_of, mapset_of, protocol, score, soft, three_images

from sodlift.datasets.manifest import Manifest
from sodlift.errors import ConfigError, DataError, MapError
from sodlift.evaluation.run import evaluate_maps
from sodlift.evaluation.scores import COUNTS
from sodlift.metrics import metrics_with


@pytest.fixture
def three(tmp_path):
    return three_images(tmp_path)


def test_every_protocol_gives_every_metric_for_every_image(three):
    manifest, maps = three
    cell = evaluate_maps(manifest, maps, None, [protocol("pysod"), protocol("lps")], "prior")
    metrics = metrics_with()
    names = [name for metric in metrics for name in metric.names]
    for name in ("pysod", "lps"):
        found = [s for s in cell.scores if s.protocol == name]
        assert [s.metric for s in found] == names
        assert all(s.status == "ok" and s.n_used == s.n_expected == 3 for s in found)
        assert {s.protocol_hash for s in found} == {protocol(name).hash}
    assert list(cell.per_image.columns) == [
        "protocol",
        "stem",
        *(name for metric in metrics for name in metric.image_names),
    ]
    assert cell.per_image["stem"].tolist() == ["a", "b", "c"] * 2
    means = cell.per_image.query("protocol == 'pysod'")[["MAE", "adpF", "S", "wF", "adpE"]].mean()
    for metric, value in means.items():
        assert score(cell, "pysod", metric).value == pytest.approx(value, abs=1e-14)


def test_curves_are_means_over_the_images_by_ascending_threshold(three):
    manifest, maps = three
    cell = evaluate_maps(manifest, maps, None, [protocol("pysod"), protocol("lps")], "prior")
    assert all(cell.curves[f"pysod/{key}"].shape == (256,) for key in ("P", "R", "F"))
    assert all(cell.curves[f"lps/{key}"].shape == (21,) for key in ("P", "R", "F"))
    assert cell.curves["pysod/R"][0] == 1 and (np.diff(cell.curves["pysod/R"]) <= 0).all()
    assert score(cell, "pysod", "maxF").value == cell.curves["pysod/F"].max()


def test_a_baseline_of_low_range_suffers_under_ldps_alone(three):
    manifest, maps = three
    protocols = [protocol("pysod"), protocol("ldps_all")]
    prior = evaluate_maps(manifest, maps, None, protocols, "prior").per_image.set_index(["protocol", "stem"])
    refined = evaluate_maps(manifest, maps, maps, protocols, "refined").per_image.set_index(["protocol", "stem"])
    assert prior.loc[("ldps_all", "b"), "MAE"] > prior.loc[("pysod", "b"), "MAE"] + 0.05
    assert refined.loc[("ldps_all", "b"), "MAE"] == pytest.approx(refined.loc[("pysod", "b"), "MAE"], abs=1e-15)
    assert prior.loc[("ldps_all", "a"), "MAE"] == pytest.approx(prior.loc[("pysod", "a"), "MAE"], abs=1e-15)


@pytest.mark.parametrize("role", ["prior", "refined"])
def test_ldps_drops_images_of_low_contrast_priors_for_baseline_and_refined(three, tmp_path, role):
    manifest, prior = three
    better = mapset_of(tmp_path / "refined", {stem: soft(9) for stem in "abc"})
    maps = prior if role == "prior" else better
    cell = evaluate_maps(manifest, maps, prior, [protocol("pysod"), protocol("ldps")], role)
    dropping, keeping = score(cell, "ldps", "adpF"), score(cell, "pysod", "adpF")
    assert (dropping.n_used, dropping.n_expected, dropping.counts["dropped"]) == (2, 3, 1)
    assert (keeping.n_used, keeping.n_expected, keeping.counts["dropped"]) == (3, 3, 0)
    assert cell.per_image.query("protocol == 'ldps'")["stem"].tolist() == ["a", "c"]


def test_ldps_and_ldps_all_score_an_image_alike(three):
    manifest, maps = three
    cell = evaluate_maps(manifest, maps, None, [protocol("ldps"), protocol("ldps_all")], "prior")
    rows = cell.per_image.set_index(["protocol", "stem"])
    assert rows.loc["ldps"].equals(rows.loc["ldps_all"].loc[["a", "c"]])


def test_ldps_without_prior_maps_is_refused_for_refined_maps(three):
    manifest, maps = three
    with pytest.raises(ConfigError, match="'ldps' drops images by their prior map"):
        evaluate_maps(manifest, maps, None, [protocol("ldps")], "refined")


def test_ground_truth_rules_differ_on_a_grey_mask(tmp_path):
    grey = np.where(disc(12), 100, 0).astype(np.uint8)
    grey[disc(6)] = 255
    manifest = manifest_of(tmp_path, {"a": grey})
    maps = mapset_of(tmp_path / "maps", {"a": disc(6).astype(float)})
    cell = evaluate_maps(manifest, maps, None, [protocol("pysod"), protocol("lps")], "prior")
    assert score(cell, "pysod", "MAE").value == 0
    assert score(cell, "lps", "MAE").value == pytest.approx((disc(12) ^ disc(6)).mean())


def test_a_constant_map_scores_differently_under_lps(tmp_path):
    manifest = manifest_of(tmp_path, {"a": disc()})
    maps = mapset_of(tmp_path / "maps", {"a": np.full(SHAPE, 0.4)})
    cell = evaluate_maps(manifest, maps, None, [protocol("pysod"), protocol("lps")], "prior")
    assert score(cell, "lps", "MAE").value == pytest.approx(disc().mean())
    assert score(cell, "pysod", "MAE").value == pytest.approx(0.4 + 0.2 * disc().mean())


def test_odd_images_are_counted(tmp_path):
    masks = {stem: disc() for stem in "abcd"} | {"e": np.zeros(SHAPE, bool), "f": disc()}
    corner = np.zeros(SHAPE, bool)
    corner[-1, -1] = True  # its centroid cuts off empty quadrants
    masks["g"] = corner
    maps = {
        "a": soft(1),
        "b": np.zeros(SHAPE),
        "c": np.full(SHAPE, 0.5),
        "d": soft(2, 0.1, 0.9),
        "e": soft(3),
        "f": soft(4, shape=(60, 80)),
        "g": soft(5),
    }
    cell = evaluate_maps(
        manifest_of(tmp_path, masks), mapset_of(tmp_path / "maps", maps), None, [protocol("pysod")], "prior"
    )
    counts = score(cell, "pysod", "MAE").counts
    assert set(counts) == {*COUNTS, "undefined"}
    assert {name: number for name, number in counts.items() if number} == {
        "empty_gt": 1,
        "constant": 2,
        "all_zero": 1,
        "resized": 1,
        "partial_range": 3,
        "nan_s": 1,
    }
    area = score(cell, "pysod", "AUC")
    assert (area.n_used, area.n_expected, area.counts["undefined"]) == (6, 7, 1)
    assert np.isnan(cell.per_image.set_index("stem").loc["e", "AUC"])


def test_an_empty_ground_truth_is_skipped_where_the_protocol_says_so(tmp_path):
    manifest = manifest_of(tmp_path, {"a": disc(), "b": np.zeros(SHAPE, bool)})
    maps = mapset_of(tmp_path / "maps", {"a": soft(1), "b": soft(2)})
    skipping = dataclasses.replace(protocol("pysod"), name="skipping", empty_gt="skip")
    cell = evaluate_maps(manifest, maps, None, [protocol("pysod"), skipping], "prior")
    assert score(cell, "pysod", "adpF").n_used == 2
    assert score(cell, "skipping", "adpF").n_used == 1
    assert score(cell, "skipping", "adpF").counts["empty_gt"] == 1


def test_images_that_the_refiner_dropped_are_left_out_and_counted(three, tmp_path):
    manifest, prior = three
    maps = mapset_of(tmp_path / "refined", {"a": soft(5), "b": None, "c": soft(6)})
    found = score(evaluate_maps(manifest, maps, prior, [protocol("pysod")], "refined"), "pysod", "MAE")
    assert (found.n_used, found.n_expected, found.counts["left_out"], found.status) == (2, 3, 1, "ok")


def test_no_usable_map_at_all_gives_failed_scores_and_no_numbers(tmp_path):
    manifest = manifest_of(tmp_path, {"a": disc()})
    maps = mapset_of(tmp_path / "maps", {"a": None})
    cell = evaluate_maps(manifest, maps, None, [protocol("pysod"), protocol("ldps")], "prior")
    assert all((s.status, s.value, s.n_used) == ("failed", None, 0) for s in cell.scores)
    cell.save(tmp_path / "cell")
    assert json.loads((tmp_path / "cell" / "scores.json").read_text())[0]["value"] is None
    assert pd.read_parquet(tmp_path / "cell" / "per_image.parquet").empty


# sizes -----------------------------------------------------------------------------------------------------------


def test_a_map_of_another_size_is_resized_to_the_ground_truth(tmp_path):
    manifest = manifest_of(tmp_path, {"a": disc()})
    doubled = np.kron(disc().astype(float), np.ones((2, 2)))
    maps = mapset_of(tmp_path / "maps", {"a": doubled})
    cell = evaluate_maps(manifest, maps, None, [protocol("pysod"), protocol("lps")], "prior")
    assert score(cell, "pysod", "MAE").value == score(cell, "lps", "MAE").value == 0
    assert score(cell, "pysod", "MAE").counts["resized"] == 1


@pytest.mark.parametrize(("shape", "word"), [((40, 30), "transposed"), ((30, 30), "another aspect ratio")])
def test_a_map_of_another_shape_is_refused(tmp_path, shape, word):
    manifest = manifest_of(tmp_path, {"a": disc()})
    maps = mapset_of(tmp_path / "maps", {"a": np.zeros(shape)})
    with pytest.raises(MapError, match=rf"(?s)map of {shape[1]}x{shape[0]} .*40x30: {word}.*a\.png"):
        evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior")


@pytest.mark.parametrize(
    ("truth", "shape"),
    [((30, 40), (256, 342)), ((10, 100), (26, 255)), ((100, 10), (255, 26)), ((400, 300), (400, 299))],
)
def test_a_size_rounded_by_one_pixel_is_no_other_shape(tmp_path, truth, shape):
    manifest = manifest_of(tmp_path, {"a": disc(3, truth)})
    maps = mapset_of(tmp_path / "maps", {"a": soft(1, shape=shape)})
    assert score(evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior"), "pysod", "MAE").n_used == 1


def test_ldps_scores_at_the_size_of_the_image(tmp_path):
    manifest = manifest_of(tmp_path, {"a": np.kron(disc(), np.ones((2, 2), bool))})
    entry = dataclasses.replace(manifest.entries[0], height=SHAPE[0], width=SHAPE[1])
    maps = mapset_of(tmp_path / "maps", {"a": soft(1)})
    cell = evaluate_maps(Manifest("toy", (entry,)), maps, None, [protocol("pysod"), protocol("ldps_all")], "prior")
    assert score(cell, "pysod", "MAE").counts["resized"] == 1
    assert score(cell, "ldps_all", "MAE").counts["resized"] == 0


# bad input -------------------------------------------------------------------------------------------------------


def test_missing_maps_are_named(three, tmp_path):
    manifest, _ = three
    with pytest.raises(MapError, match=r"2 of 3 maps are missing: b, c"):
        evaluate_maps(manifest, mapset_of(tmp_path / "few", {"a": soft(1)}), None, [protocol("pysod")], "prior")


def test_a_map_recorded_but_not_there_is_named(three):
    manifest, maps = three
    maps.path("b").unlink()
    with pytest.raises(MapError, match=r"1 of 3 maps are missing: b"):
        evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior")


def test_images_without_masks_cannot_be_scored(tmp_path):
    manifest = manifest_of(tmp_path, {"a": disc(), "b": None})
    maps = mapset_of(tmp_path / "maps", {"a": soft(1), "b": soft(2)})
    with pytest.raises(DataError, match=r"(?s)1 of 2 images of 'toy' have no mask: b.*scoring needs masks"):
        evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior")


def test_a_truncated_map_is_named(three):
    manifest, maps = three
    path = maps.path("c")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(MapError, match=r"c\.png"):
        evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior")


def test_a_truncated_mask_is_named(three):
    manifest, maps = three
    path = manifest.entries[1].mask
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match=r"b\.png"):
        evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior")


def test_the_same_protocol_twice_or_none_is_refused(three):
    manifest, maps = three
    for protocols in ([], [protocol("pysod")] * 2):
        with pytest.raises(ConfigError, match="protocols given"):
            evaluate_maps(manifest, maps, None, protocols, "prior")


def test_an_unknown_role_is_refused(three):
    manifest, maps = three
    with pytest.raises(ConfigError, match="unknown role 'baseline'"):
        evaluate_maps(manifest, maps, None, [protocol("pysod")], "baseline")


# written ---------------------------------------------------------------------------------------------------------


def test_what_is_saved_reads_back_unrounded(three, tmp_path):
    manifest, maps = three
    cell = evaluate_maps(manifest, maps, None, [protocol("pysod"), protocol("ldps")], "prior")
    cell.save(tmp_path / "cell")
    assert sorted(p.name for p in (tmp_path / "cell").iterdir()) == ["curves.npz", "per_image.parquet", "scores.json"]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "cell" / "per_image.parquet"), cell.per_image)
    with np.load(tmp_path / "cell" / "curves.npz") as curves:
        assert {key: curves[key].tolist() for key in curves} == {k: c.tolist() for k, c in cell.curves.items()}
    records = json.loads((tmp_path / "cell" / "scores.json").read_text())
    assert records == [dataclasses.asdict(s) for s in cell.scores]
    keys = ("protocol", "protocol_hash", "metric", "value", "n_used", "n_expected", "status", "counts")
    assert tuple(records[0]) == keys


def test_the_same_maps_give_the_same_bytes(three, tmp_path):
    manifest, maps = three
    for name in ("first", "second"):
        evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior").save(tmp_path / name)
    for file in ("scores.json", "per_image.parquet"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_saving_again_replaces_what_was_there(three, tmp_path):
    manifest, maps = three
    evaluate_maps(manifest, maps, None, [protocol("lps")], "prior").save(tmp_path / "cell")
    cell = evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior")
    cell.save(tmp_path / "cell")
    assert json.loads((tmp_path / "cell" / "scores.json").read_text())[0]["protocol"] == "pysod"


def test_scores_do_not_depend_on_which_protocols_are_asked_for_together(three):
    manifest, maps = three
    together = evaluate_maps(manifest, maps, None, [protocol(n) for n in ("lps", "ldps", "pysod")], "prior")
    alone = evaluate_maps(manifest, maps, None, [protocol("pysod")], "prior")
    assert [s for s in together.scores if s.protocol == "pysod"] == list(alone.scores)
