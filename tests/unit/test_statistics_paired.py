"""Per-image scores of refined maps against their prior: pairing, directions, undefined metrics, seeds, files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from sodlift.errors import DataError
from sodlift.statistics.paired import compare, over_seeds
from sodlift.statistics.per_image import read_per_image

METRICS = {"MAE": False, "adpF": True}


def scores(count: int = 30, seed: int = 0, shift: float = 0.0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    values = {"MAE": draw.uniform(0, 0.5, count) - shift, "adpF": draw.uniform(0.5, 1, count) + shift}
    return pd.DataFrame({"stem": [f"i{k:03}" for k in range(count)], **values})


def test_comparison_holds_means_gain_interval_and_test_of_the_pairs() -> None:
    prior, refined = scores(), scores(seed=1)
    _, found = compare(prior, refined, METRICS)
    gains = refined["adpF"] - prior["adpF"]
    assert (found.metric, found.n, found.n_unpaired, found.n_undefined) == ("adpF", 30, 0, 0)
    assert (found.prior, found.refined) == pytest.approx((prior["adpF"].mean(), refined["adpF"].mean()))
    assert found.gain == pytest.approx(gains.mean())
    assert found.p == scipy.stats.wilcoxon(gains, method="exact").pvalue
    assert found.low is not None and found.high is not None and found.gain is not None
    assert found.low < found.gain < found.high
    assert found.outcome == ((gains > 0).sum(), 0, (gains < 0).sum())


def test_win_follows_the_direction_of_the_metric_and_gain_keeps_its_sign() -> None:
    mae, adaptive = compare(scores(), scores(shift=0.1), METRICS)
    assert (mae.outcome.wins, adaptive.outcome.wins) == (30, 30)
    assert (mae.gain, adaptive.gain) == pytest.approx((-0.1, 0.1))


def test_order_of_the_images_changes_nothing() -> None:
    prior, refined = scores(), scores(seed=1)
    shuffled = refined.sample(frac=1, random_state=2)
    assert compare(prior.sample(frac=1, random_state=5), shuffled, METRICS) == compare(prior, refined, METRICS)


def test_images_of_one_side_only_are_left_out_and_counted() -> None:
    prior, refined = scores(), scores(seed=1)
    refined.loc[0, "stem"] = "elsewhere"
    found = compare(prior, refined, METRICS)
    assert {(c.n, c.n_unpaired) for c in found} == {(29, 2)}
    assert found[0].gain == pytest.approx((refined["MAE"] - prior["MAE"])[1:].mean())


def test_images_without_a_value_are_left_out_of_that_metric_alone_and_counted() -> None:
    prior, refined = scores(), scores(seed=1)
    whole = compare(prior, refined, METRICS)
    prior.loc[:3, "adpF"] = np.nan
    refined.loc[3:4, "adpF"] = np.nan
    mae, adaptive = compare(prior, refined, METRICS)
    assert (adaptive.n, adaptive.n_undefined, sum(adaptive.outcome)) == (25, 5, 25)
    assert (mae.n, mae.gain, mae.p, mae.outcome) == (30, whole[0].gain, whole[0].p, whole[0].outcome)
    assert (mae.low, mae.high) == pytest.approx((whole[0].low, whole[0].high), abs=1e-15)
    alone = compare(prior[5:], refined[5:], {"adpF": True})[0]
    assert (adaptive.low, adaptive.high, adaptive.p) == (alone.low, alone.high, alone.p)


def test_nothing_is_said_of_too_few_images() -> None:
    one = compare(scores(1), scores(1, seed=1), METRICS)[0]
    assert (one.n, one.low, one.high, one.p) == (1, None, None, 1.0)
    none = compare(scores(0), scores(3), METRICS)[0]
    assert (none.n, none.n_unpaired, none.prior, none.gain, none.low, none.p) == (0, 3, None, None, None, None)


def test_seeds_are_averaged_per_image_over_the_images_that_all_have() -> None:
    seeds = [scores(4, seed=s) for s in range(3)]
    seeds[1].loc[2, "adpF"] = np.nan
    seeds[2] = seeds[2][1:].sample(frac=1, random_state=1)
    mean = over_seeds(seeds)
    assert list(mean["stem"]) == ["i001", "i002", "i003"]
    assert mean["MAE"][0] == pytest.approx(np.mean([frame.set_index("stem").loc["i001", "MAE"] for frame in seeds]))
    assert np.isnan(mean["adpF"]).tolist() == [False, True, False]


def test_one_seed_is_its_own_mean() -> None:
    assert over_seeds([scores()]).equals(scores())


# ---- files


def test_parquet_of_a_cell_is_read_by_protocol(tmp_path: Path) -> None:
    frame = pd.concat([scores(3).assign(protocol=name) for name in ("pysod", "lps")])
    frame.to_parquet(tmp_path / "per_image.parquet", index=False)
    found = read_per_image(tmp_path / "per_image.parquet")
    assert list(found) == ["pysod", "lps"]
    assert found["lps"].equals(scores(3))


def test_csv_is_read_bit_for_bit_with_empty_places_undefined(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,MAE,AUC\nNA,0.30000000000000004,\nnull,1e-3,0.5\n\n")
    (found,) = read_per_image(tmp_path / "a.csv").values()
    assert list(found["stem"]) == ["NA", "null"]
    assert found["MAE"].tolist() == [0.1 + 0.2, 0.001]
    assert np.isnan(found["AUC"]).tolist() == [True, False]


def test_csv_as_spreadsheets_save_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffname,MAE\r\nx,0.25\r\n".encode())
    assert read_per_image(tmp_path / "a.csv")[""].to_dict("records") == [{"stem": "x", "MAE": 0.25}]


def test_csv_of_several_methods_is_read_by_method(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("method,name,MAE\nours,x,0.1\ntheirs,x,0.2\n")
    found = read_per_image(tmp_path / "a.csv")
    assert {name: frame["MAE"].tolist() for name, frame in found.items()} == {"ours": [0.1], "theirs": [0.2]}


def test_csv_of_several_protocols_and_methods_is_read_by_both(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("protocol,method,name,MAE\nlps,ours,x,0.1\npysod,ours,x,0.2\n")
    found = read_per_image(tmp_path / "a.csv")
    assert {name: frame["MAE"].tolist() for name, frame in found.items()} == {"lps/ours": [0.1], "pysod/ours": [0.2]}
    assert list(found["lps/ours"].columns) == ["stem", "MAE"]


BAD: dict[str, tuple[str, str]] = {
    "a.csv": ("stem,MAE\nx,0.1\n", "no column 'name' among stem, MAE"),
    "b.csv": ("name,MAE\nx,0.1\nx,0.2\n", "images that are there twice: x"),
    "c.csv": ("name,MAE,MAE\nx,0.1,0.2\n", "columns that are there twice: MAE"),
    "cc.csv": ("name,stem,MAE\nx,x,0.1\n", "columns that are there twice: stem"),
    "d.csv": ("name,MAE\nx,o.1\n", "'o.1' is the MAE of image 'x'"),
    "e.csv": ("name,MAE\nx,inf\n", "'inf' is the MAE of image 'x'"),
    "f.csv": ("name,MAE\nx,0.1,7\n", "row 2 has 3 columns"),
    "g.csv": ("", "no column 'name'"),
    "h.parquet": ("name,MAE\n", "cannot read the per-image scores"),
    "i.json": ("[]", r"a file of type '\.json'"),
}


@pytest.mark.parametrize(("name", "content", "message"), [(name, *bad) for name, bad in BAD.items()])
def test_file_that_holds_no_scores_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_per_image(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not found"):
        read_per_image(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00name")
    with pytest.raises(DataError, match="cannot read"):
        read_per_image(tmp_path / "a.csv")
