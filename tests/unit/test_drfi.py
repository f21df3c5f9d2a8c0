"""DRFI trained on small scenes, its model files, and what it refuses."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from PIL import Image

from drfi_samples import SMALL, scene, scenes, small_model
from sodlift.datasets.manifest import Manifest
from sodlift.errors import ConfigError, DataError, WeightsError
from sodlift.priors._drfi_model import DrfiModel, load_model
from sodlift.priors._drfi_regions import RegionParams
from sodlift.priors._drfi_training import examples, train_drfi
from sodlift.priors.drfi import PRIOR, DrfiParams, compute, steps


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("drfi")


@pytest.fixture(scope="module")
def model(folder) -> DrfiModel:
    return small_model(folder)


@pytest.fixture(scope="module")
def params(folder, model) -> DrfiParams:
    model.save(folder / "model.npz")
    return DrfiParams(model=folder / "model.npz")


def test_objects_of_scenes_that_it_has_not_seen_are_found(params):
    for seed in range(100, 104):
        image, mask = scene(seed)
        saliency = compute(image, params)
        assert saliency[mask].mean() > 0.8 and saliency[~mask].mean() < 0.1


def test_a_scene_without_regions_gives_zeros(params):
    assert not compute(np.full((90, 120, 3), 77, np.uint8), params).any()


def test_the_steps_end_in_the_map(params):
    image, _ = scene(3)
    maps = steps(image, params)
    assert list(maps) == ["finest level", "middle level", "coarsest level", "all levels"]
    assert np.array_equal(maps["all levels"], compute(image, params))
    assert all(each.shape == (150, 200) and 0 <= each.min() <= each.max() <= 1 for each in maps.values())


def test_a_larger_image_is_worked_on_at_the_side_that_features_are_made_for(params):
    image, mask = scene(5, 600, 800)
    saliency = compute(image, params)
    assert saliency.shape == mask.shape and saliency[mask].mean() > 0.7 and saliency[~mask].mean() < 0.15


def test_the_model_is_the_same_for_two_runs_and_its_file_gives_it_back(folder, model, params):
    again = train_drfi([scenes(folder)], training=SMALL)
    again.save(folder / "again.npz")
    assert (folder / "again.npz").read_bytes() == params.model.read_bytes()
    loaded = load_model(params.model)
    features = np.random.default_rng(0).random((50, 93), np.float32)
    assert np.array_equal(loaded.forest.predict(features), model.forest.predict(features))


def test_the_record_says_what_it_was_trained_on(folder, model, params):
    record = load_model(params.model).record
    assert record["datasets"] == ["scenes"] and record["regions"] > 100 and record["seed"] == 0
    assert [row[:3] for row in record["images"]] == [["scenes", f"{n:02d}", f"digest {n}"] for n in range(12)]
    assert PRIOR.learning.seen(params) == {f"digest {n}" for n in range(12)}
    assert record["training"] == asdict(SMALL) and record["region"]["side"] == 400
    fewer = Manifest("scenes", scenes(folder).entries[:6])
    other = train_drfi([fewer], training=replace(SMALL, trees=1))
    assert other.record["images_sha256"] != model.record["images_sha256"]


def test_another_seed_grows_another_forest(folder, model):
    few = [Manifest("scenes", scenes(folder).entries[:4])]
    one, same, other = (train_drfi(few, training=replace(SMALL, trees=2), seed=seed) for seed in (0, 0, 1))
    features = np.random.default_rng(0).random((50, 93), np.float32)
    scores = [grown.forest.predict(features) for grown in (one, same, other)]
    assert np.array_equal(scores[0], scores[1]) and not np.array_equal(scores[0], scores[2])


def test_mixed_regions_are_no_examples():
    image, mask = scene(0)
    regions = RegionParams(sigmas=(0.8,), scales=((300.0, 200),))
    features, targets = examples(image, mask, regions, 0.75)
    assert set(targets) == {0, 1} and features.shape == (len(targets), 93)
    # a mask of noise leaves no region clear
    torn = np.random.default_rng(0).random(mask.shape) < 0.5
    assert len(examples(image, torn, regions, 0.75)[0]) == 0


def test_without_a_model_the_error_says_how_to_train_one():
    with pytest.raises(ConfigError, match=r"(?s)DRFI needs a trained model.*`train: "):
        PRIOR.compute(scene(0)[0], DrfiParams())


def test_a_model_file_that_is_none_is_refused(folder):
    for content in (b"", b"PK\x03\x04 torn", b"text"):
        (folder / "bad.npz").write_bytes(content)
        with pytest.raises(WeightsError, match=r"bad\.npz"):
            compute(scene(0)[0], DrfiParams(model=folder / "bad.npz"))
    np.savez(folder / "other.npz", weights=np.zeros(3))
    with pytest.raises(WeightsError, match="not a model file of DRFI"):
        load_model(folder / "other.npz")
    with pytest.raises(WeightsError, match="not found"):
        load_model(folder / "absent.npz")


def test_features_of_another_kind_than_the_models_are_refused(params):
    with pytest.raises(ConfigError, match=r"'side': 400.*'side': 300"):
        compute(scene(0)[0], replace(params, side=300))


def test_training_refuses_images_without_masks_and_masks_without_objects(folder):
    data = scenes(folder, 2)
    bare = Manifest("bare", tuple(replace(entry, mask=None) for entry in data.entries))
    with pytest.raises(DataError, match="without a mask"):
        train_drfi([data, bare], training=SMALL)
    empty = folder / "empty.png"
    Image.fromarray(np.zeros((150, 200), np.uint8)).save(empty)
    flat = Manifest("flat", tuple(replace(entry, mask=empty) for entry in data.entries))
    with pytest.raises(DataError, match="all salient or all not"):
        train_drfi([flat], training=SMALL)
