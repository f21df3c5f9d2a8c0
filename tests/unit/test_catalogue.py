"""The catalogue: what is in place, what comes how, and what putting it in place accepts."""

from dataclasses import replace
from pathlib import Path

import pytest

from http_server import Site, serve
from release_samples import MAPS, SET, archive, png, store
from sodlift.catalogue import KINDS
from sodlift.catalogue._base import Registered
from sodlift.catalogue.names import all_items, resolve
from sodlift.catalogue.status import status
from sodlift.config.registries import registered_rows
from sodlift.config.rows import DatasetRow, DetectorRow
from sodlift.errors import ConfigError, DataError, UnknownNameError
from sodlift.options import build

STEMS = ("a", "b", "c")
FOLDER = {"folder": "maps/{dataset}/D"}


def registered(tmp_path: Path, urls: tuple[str, ...] = (), **change: object) -> Registered:
    """One data set of three images and one detector with maps of it, both to be fetched."""
    release = {
        "page": "https://people.example",
        "files": [{"name": "S.zip", "urls": list(urls), "take": {"images": "S/imgs/*", "masks": "S/gt/*"}}],
    }
    row = {"id": "S", "title": "S", "type": "folder", "expected": 3, "release": release, **change}
    dataset = build(DatasetRow, row)
    maps = build(DetectorRow, {"id": "D", "title": "D", "type": "maps", "datasets": ["S"]})
    dataset, maps = (
        replace(row, options=build(row.kind.options, options))
        for row, options in ((dataset, {"root": "S"}), (maps, FOLDER))
    )
    return Registered({"S": dataset}, {"D": maps}, tmp_path / "data")


def items(registered: Registered):
    return {item.address: item for item in all_items(registered, ["datasets", "maps"])}


def test_a_data_set_that_is_missing_is_shown_as_never_verified_with_how_it_comes(tmp_path):
    here = store(tmp_path)
    shown = status(items(registered(tmp_path))["datasets/S"], here)
    assert (shown.state, shown.count, shown.expected) == ("missing", None, 3)
    assert shown.checked == "never verified"
    assert shown.comes == "by hand from https://people.example"


def test_a_data_set_is_downloaded_put_in_place_and_pinned(tmp_path, site: Site):
    site.usual["/S.zip"] = serve(archive(tmp_path / "S.zip", SET).read_bytes())
    here = store(tmp_path)
    item = items(registered(tmp_path, (site.url + "/S.zip",)))["datasets/S"]
    assert status(item, here).comes == "1 address"
    item.get(here)
    shown = status(item, here)
    assert (shown.state, shown.count) == ("in place", 3)
    assert shown.checked.startswith("pinned 20")
    lines = item.verify(here)
    assert any(line.startswith("S.zip: pinned") for line in lines)
    assert any(line.startswith("6 files are as they were") for line in lines)
    assert "3 images and 3 masks can be read" in lines


def test_a_data_set_of_another_number_of_images_is_not_accepted(tmp_path):
    here = store(tmp_path)
    item = items(registered(tmp_path, expected=4))["datasets/S"]
    archive(here.manual(item.release.files[0]), SET)
    with pytest.raises(DataError, match="datasets/S has 3 files where 4 were expected"):
        item.get(here)
    assert item.found(here) is None
    assert not here.pins_file.exists()


def test_a_data_set_whose_masks_do_not_pair_is_not_accepted(tmp_path):
    here = store(tmp_path)
    item = items(registered(tmp_path))["datasets/S"]
    archive(here.manual(item.release.files[0]), {k: v for k, v in SET.items() if k != "S/gt/b.png"})
    with pytest.raises(DataError, match="1 of 3 images have no mask: b"):
        item.get(here)
    assert item.found(here) is None


def test_a_file_that_changed_after_it_was_put_in_place_is_named(tmp_path):
    here = store(tmp_path)
    item = items(registered(tmp_path))["datasets/S"]
    archive(here.manual(item.release.files[0]), SET)
    item.get(here)
    (item.place(here) / "masks" / "b.png").write_bytes(png(0))
    with pytest.raises(DataError, match=r"datasets/S has changed since .*: masks/b\.png has changed"):
        item.verify(here)


def test_a_data_set_of_the_users_own_is_said_to_be_compared_with_nothing(tmp_path):
    here = store(tmp_path)
    item = items(registered(tmp_path))["datasets/S"]
    for name, content in SET.items():
        file = item.place(here) / name.replace("S/imgs", "images").replace("S/gt", "masks")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    assert status(item, here).checked == "not fetched by sodlift"
    assert "compared with nothing" in item.verify(here)[0]


def test_a_folder_without_its_masks_is_broken_with_the_reason(tmp_path):
    here = store(tmp_path)
    item = items(registered(tmp_path))["datasets/S"]
    (item.place(here) / "images").mkdir(parents=True)
    (item.place(here) / "images" / "a.png").write_bytes(png(1, "RGB"))
    shown = status(item, here)
    assert shown.state == "broken"
    assert "1 of 1 images have no mask" in shown.problem


def test_maps_come_from_an_archive_named_after_detector_and_data_set_where_no_file_is_known(tmp_path):
    here = store(tmp_path)
    item = items(registered(tmp_path))["maps/D/S"]
    with pytest.raises(DataError, match=r"D-S\.zip is missing"):
        item.get(here)
    archive(here.manual(item.release.files[0]), MAPS)
    item.get(here)
    assert sorted(file.name for file in (tmp_path / "data/maps/S/D").iterdir()) == ["a.png", "b.png", "c.png"]
    assert item.verify(here)[-1] == "3 maps"


def test_too_few_maps_are_not_accepted(tmp_path):
    here = store(tmp_path)
    item = items(registered(tmp_path))["maps/D/S"]
    archive(here.manual(item.release.files[0]), {"out/a.png": png(9)})
    with pytest.raises(DataError, match="maps/D/S has 1 files where 3 were expected"):
        item.get(here)
    assert item.found(here) is None


def test_maps_in_place_that_are_too_few_are_shown_as_incomplete(tmp_path):
    here = store(tmp_path)
    item = items(registered(tmp_path))["maps/D/S"]
    item.place(here).mkdir(parents=True)
    (item.place(here) / "a.png").write_bytes(png(9))
    assert (status(item, here).state, status(item, here).count) == ("incomplete", 1)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("S", ["datasets/S"]),
        ("datasets", ["datasets/S"]),
        ("datasets/S", ["datasets/S"]),
        ("D", ["maps/D/S"]),
        ("D/S", ["maps/D/S"]),
        ("maps/D/", ["maps/D/S"]),
    ],
)
def test_items_go_by_their_address_its_beginning_or_without_the_kind(tmp_path, name, found):
    known = list(items(registered(tmp_path)).values())
    assert [item.address for item in resolve([name, name], known)] == found


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path):
    known = all_items(Registered(*registered_rows({}), tmp_path), ["datasets", "maps"])
    with pytest.raises(UnknownNameError, match="did you mean 'ECSSD'"):
        resolve(["ECSD"], known)


def test_a_name_of_two_kinds_must_say_which(tmp_path):
    known = registered(tmp_path)
    twins = replace(known, detectors={"S": replace(known.detectors["D"], id="S")})
    with pytest.raises(ConfigError, match="one of: datasets/S, maps/S"):
        resolve(["S"], list(items(twins).values()))


@pytest.mark.parametrize("kind", KINDS.names())
def test_every_registered_item_has_a_state_before_anything_is_there(tmp_path, kind):
    here = store(tmp_path)
    for item in KINDS.get(kind).items(Registered(*registered_rows({}), tmp_path / "data")):
        shown = status(item, here)
        assert shown.state == ("missing" if item.place(here) else "in place"), item.address
        assert shown.checked
        assert shown.comes
