"""The folder of resources: manual drops, downloads, pins, receipts."""

import json

import pytest

from http_server import Site, serve
from release_samples import IMAGES, PAGE, archive, release, sha256, store
from sodlift.errors import ConfigError, DataError
from sodlift.fetch.release import ReleaseFile
from sodlift.fetch.store import Store


def test_a_file_dropped_in_by_hand_is_taken_before_any_address_is_asked(tmp_path):
    here = store(tmp_path)
    file = ReleaseFile("a.zip", urls=("http://127.0.0.1:9/a.zip",))
    archive(here.manual(file), IMAGES)
    assert here.obtain(file, release(file)) == here.manual(file)


def test_a_file_dropped_in_by_hand_must_be_the_published_one(tmp_path):
    here = store(tmp_path)
    file = ReleaseFile("a.zip", sha256="0" * 64, checksum_source="the page")
    archive(here.manual(file), IMAGES)
    with pytest.raises(DataError, match=r"a\.zip is another file than expected: sha256 .* where 0{64} was expected"):
        here.obtain(file, release(file))
    assert here.manual(file).exists()


def test_what_comes_by_hand_only_says_which_file_from_which_page_goes_where_and_its_size(tmp_path):
    here = store(tmp_path)
    file = ReleaseFile("a.zip", size=17, md5="a" * 8, checksum_source="the page")
    with pytest.raises(DataError) as caught:
        here.obtain(file, release(file, note="a form must be filled in"))
    message = str(caught.value)
    assert str(caught.value.where) == str(here.manual(file))
    for part in (
        "a.zip is missing",
        "no address",
        "17 bytes, md5 aaaaaaaa",
        f"get a.zip from {PAGE} (a form",
        "put it at",
    ):
        assert part in message


def test_offline_says_the_same_of_a_file_with_an_address_and_asks_nobody(tmp_path, site: Site):
    file = ReleaseFile("a.zip", urls=(site.url + "/a.zip",))
    with pytest.raises(DataError, match=r"a\.zip is missing and the network is forbidden"):
        store(tmp_path, offline=True).obtain(file, release(file))
    assert site.requests == []


def test_a_failed_download_names_the_place_for_a_manual_drop(tmp_path, site: Site):
    here, file = store(tmp_path), ReleaseFile("a.zip", urls=(site.url + "/a.zip",))
    with pytest.raises(DataError, match=r"404") as caught:
        here.obtain(file, release(file))
    assert str(here.manual(file)) in str(caught.value)


def test_the_first_copy_is_pinned_and_another_one_is_an_error_afterwards(tmp_path):
    here, file = store(tmp_path), ReleaseFile("a.zip")
    of = release(file)
    assert here.trust(file) == "never verified"
    path = here.obtain(file, of) if archive(here.manual(file), IMAGES) else None
    here.pin(file, path)
    assert here.trust(file).startswith("pinned 20")
    assert here.obtain(file, of) == path
    archive(here.manual(file), {**IMAGES, "more": b"x"})
    with pytest.raises(DataError) as caught:
        here.obtain(file, of)
    message = str(caught.value)
    assert "another file than expected" in message
    assert "size and checksum are those of your first copy: if the publisher has replaced it on purpose" in message
    assert str(here.pins_file) in message


def test_a_download_that_was_pinned_must_arrive_again_as_it_was(tmp_path, site: Site):
    here, file = store(tmp_path), ReleaseFile("a.zip", urls=(site.url + "/a.zip",))
    first = archive(tmp_path / "first.zip", IMAGES)
    site.usual["/a.zip"] = serve(first.read_bytes())
    path = here.obtain(file, release(file))
    here.pin(file, path)
    path.unlink()
    site.usual["/a.zip"] = serve(archive(tmp_path / "second.zip", {"b": b"other"}).read_bytes())
    with pytest.raises(DataError, match="could not be downloaded"):
        here.obtain(file, release(file))
    assert not path.exists()
    site.usual["/a.zip"] = serve(first.read_bytes())
    assert sha256(here.obtain(file, release(file))) == sha256(first)


def test_a_pin_never_changes_by_itself(tmp_path):
    here, file = store(tmp_path), ReleaseFile("a.zip")
    first = here.pin(file, archive(tmp_path / "a.zip", IMAGES))
    assert here.pin(file, archive(tmp_path / "b.zip", {"b": b"other"})) == first


def test_a_pin_that_contradicts_what_is_published_is_an_error(tmp_path):
    here = store(tmp_path)
    here.pin(ReleaseFile("a.zip"), archive(tmp_path / "a.zip", IMAGES))
    published = ReleaseFile("a.zip", sha256="0" * 64, checksum_source="the page")
    with pytest.raises(DataError, match=r"pinned as another file than is published") as caught:
        here.obtain(published, release(published))
    assert caught.value.where == here.pins_file


def test_published_digits_and_a_pin_are_said_apart(tmp_path):
    here = store(tmp_path)
    whole = ReleaseFile("a", sha256="0" * 64, checksum_source="x")
    part = ReleaseFile("b", md5="0" * 8, checksum_source="x")
    assert (here.trust(whole), here.trust(part)) == ("published sha256", "published 8 digits of md5")


def test_a_broken_file_of_pins_is_named_and_left_alone(tmp_path):
    here = store(tmp_path)
    here.root.mkdir()
    for text in ("{", "[]", json.dumps({"a.zip": {"size": 1}}), json.dumps({"a.zip": 3})):
        here.pins_file.write_text(text)
        with pytest.raises(DataError, match="cannot be read") as caught:
            here.pins()
        assert caught.value.where == here.pins_file
        assert here.pins_file.read_text() == text


def test_changes_since_a_receipt_name_every_file(tmp_path):
    here, folder = store(tmp_path), tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    for name in ("a", "b", "c"):
        (folder / "images" / name).write_text(name)
    here.write_receipt("datasets/set", folder, {})
    assert here.changes("datasets/set", folder) == []
    (folder / "images" / "a").unlink()
    (folder / "images" / "b").write_text("B")
    (folder / "images" / "d").write_text("d")
    assert here.changes("datasets/set", folder) == [
        "images/a is missing",
        "images/d was added",
        "images/b has changed",
    ]
    assert here.receipt("datasets/set").files == 3
    assert here.receipt("datasets/other") is None


def test_the_digests_of_a_receipt_have_the_form_of_sha256sum(tmp_path):
    here, folder = store(tmp_path), tmp_path / "set"
    folder.mkdir()
    (folder / "a").write_text("a")
    here.write_receipt("datasets/set", folder, {})
    assert (here.root / "receipts/datasets/set.sha256").read_text() == f"{sha256(folder / 'a')}  a\n"


def test_the_environment_names_the_store_and_forbids_the_network(tmp_path, monkeypatch):
    monkeypatch.setenv("SODLIFT_RESOURCES", str(tmp_path))
    assert Store.default() == Store(tmp_path)
    monkeypatch.setenv("SODLIFT_OFFLINE", "1")
    assert Store.default().offline


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"name": "a/b.zip"}, "not a name of a file"),
        ({"name": ".hidden"}, "not a name of a file"),
        ({"name": ""}, "not a name of a file"),
        ({"sha256": "0" * 64}, "a checksum without its source"),
        ({"md5": "0" * 7, "checksum_source": "x"}, "not a md5"),
        ({"sha256": "0" * 32, "checksum_source": "x"}, "not a sha256"),
        ({"urls": ("ftp://x/y",)}, "not an address"),
    ],
)
def test_a_file_of_a_release_that_cannot_be_right_is_an_error(change, what):
    with pytest.raises(ConfigError, match=what):
        ReleaseFile(**{"name": "a.zip", **change})
