"""What every source of data sets promises; a new one is tested by registering it and giving an example."""

import dataclasses
import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from PIL import Image

from sodlift.arrays import read_image, read_mask
from sodlift.datasets.sources import SOURCES, has_masks
from sodlift.datasets.sources._base import Listing, Source
from sodlift.datasets.validate import build_manifest, validate
from sodlift.errors import ConfigError
from sodlift.options import build


def folder_example(root: Path) -> str:
    for i in range(3):
        for folder, mode in (("images", "RGB"), ("masks", "L")):
            (root / "mine" / folder).mkdir(parents=True, exist_ok=True)
            Image.new(mode, (8, 6), i + 1).save(root / "mine" / folder / f"{i}.png")
    (root / "mine" / "train.txt").write_text("0\n1\n")
    (root / "mine" / "test.txt").write_text("2\n")
    return "{root: mine, splits: '*.txt'}"


EXAMPLES: dict[str, Callable[[Path], str]] = {"demo": lambda root: "{}", "folder": folder_example}
"""For each source: prepares a folder and returns the options of a registry row, as YAML."""


@pytest.fixture(params=SOURCES.names())
def name(request) -> str:
    return request.param


@pytest.fixture
def source(name) -> Source:
    return SOURCES.get(name)


@pytest.fixture
def row(name, tmp_path) -> dict:
    return yaml.safe_load(EXAMPLES[name](tmp_path))


@pytest.fixture
def listing(source, row, tmp_path) -> Listing:
    return source.find(build(source.options, row, "row"), tmp_path)


def test_every_source_has_an_example():
    assert set(EXAMPLES) == set(SOURCES.names())


def test_it_is_a_source_with_a_title_and_documented_frozen_options(source):
    assert isinstance(source, Source)
    assert source.title
    assert dataclasses.is_dataclass(source.options)
    assert source.options.__dataclass_params__.frozen
    for field in dataclasses.fields(source.options):
        assert field.name in inspect.getdoc(source.options)


def test_it_offers_a_choice_of_split(source):
    assert typing.get_type_hints(source.options)["split"] == str | None


def test_it_finds_existing_files_each_stem_once_and_sorted(listing):
    stems = [pair.stem for pair in listing.pairs]
    assert stems
    assert stems == sorted(set(stems))
    for pair in listing.pairs:
        assert pair.image.is_file()
        assert pair.mask is None or pair.mask.is_file()


def test_it_tells_without_looking_whether_there_is_ground_truth(source, row, listing):
    options = build(source.options, row, "row")
    assert has_masks(SimpleNamespace(kind=source, options=options)) == any(pair.mask for pair in listing.pairs)


def test_finding_twice_gives_the_same(source, row, listing, tmp_path):
    assert source.find(build(source.options, row, "row"), tmp_path) == listing


def test_its_splits_are_disjoint_and_their_own(source, row, listing, tmp_path):
    splits = {pair.split for pair in listing.pairs}
    assert "" not in splits
    for split in splits:
        part = source.find(build(source.options, {**row, "split": split}, "row"), tmp_path)
        assert part.pairs == tuple(pair for pair in listing.pairs if pair.split == split)


def test_an_unknown_split_is_an_error(source, row, tmp_path):
    with pytest.raises(ConfigError, match="unknown split 'nonesuch'"):
        source.find(build(source.options, {**row, "split": "nonesuch"}, "row"), tmp_path)


def test_an_unknown_option_is_an_error(source, row):
    with pytest.raises(ConfigError, match="nonesuch"):
        build(source.options, {**row, "nonesuch": 1}, "row")


def test_its_data_set_is_healthy_and_its_files_fit_the_manifest(source, row, tmp_path):
    manifest, report = build_manifest("set", source, build(source.options, row, "row"), tmp_path)
    assert report.errors == ()
    assert validate(manifest).errors == ()
    for entry in manifest.entries:
        assert read_image(entry.image).shape == (entry.height, entry.width, 3)
        assert entry.mask is None or read_mask(entry.mask).shape == (entry.height, entry.width)
