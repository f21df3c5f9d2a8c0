"""Weights files: found, downloaded once, checked, pinned, and the messages that say which file goes where."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from backbone_samples import ENTRY, PAGE, Tiny, released, same, save, store_at, tiny

from http_server import Site, serve
from sodlift.backbones import _weights
from sodlift.backbones._base import WeightsEntry
from sodlift.backbones._weights import find_weights, load_pretrained, package_file, verify_weights
from sodlift.errors import MissingDependencyError, UnknownNameError, WeightsError
from sodlift.fetch.store import RESOURCES, digest


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A published weights file."""
    (tmp_path / "published").mkdir()
    return save(tmp_path / "published" / "tiny.pth")


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch):
    """Let the registry know the tiny backbone, with the given entry."""

    def register(entry: WeightsEntry) -> None:
        class Registry:
            @staticmethod
            def get(name: str) -> object:
                return {"tiny": tiny(entry)}[name]

        monkeypatch.setattr(_weights, "BACKBONES", Registry)

    return register


def loads(entry: WeightsEntry, source: Path, **places: object) -> bool:
    return same(load_pretrained(tiny(entry), entry, **places), torch.load(source, weights_only=True))


def refusal(entry: WeightsEntry, **places: object) -> str:
    with pytest.raises(WeightsError) as error:
        load_pretrained(tiny(entry), entry, **places)
    return str(error.value)


def test_weights_are_downloaded_once_pinned_and_found_offline(site: Site, source: Path, tmp_path: Path) -> None:
    entry, root = released(site, source), tmp_path / "resources"
    assert loads(entry, source, store=store_at(root))
    assert loads(entry, source, store=store_at(root, offline=True))
    assert [path for path, _ in site.requests] == ["/tiny.pth"]
    pin = json.loads((root / "pins.json").read_text())["tiny.pth"]
    assert (pin["size"], pin["sha256"]) == (source.stat().st_size, digest(source))


def test_the_environments_store_is_the_default(
    site: Site, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RESOURCES, str(tmp_path / "here"))
    path = find_weights(released(site, source))
    assert path == tmp_path / "here" / "downloads" / "tiny.pth"
    assert path.read_bytes() == source.read_bytes()


def test_loading_says_in_one_line_what_matched(
    site: Site, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(source, {**Tiny().state_dict(), "fc.weight": torch.zeros(1)})
    entry = replace(released(site, source), unused=("fc.",))
    load_pretrained(tiny(entry), entry, store=store_at(tmp_path))
    assert capsys.readouterr().err == "tiny: 2 keys matched, 1 of the classifier unused\n"


def test_wrong_digits_are_refused_and_no_file_is_left(site: Site, source: Path, tmp_path: Path) -> None:
    entry = released(site, source, sha256="01234567")
    said = refusal(entry, store=store_at(tmp_path / "r"))
    assert f"sha256 {digest(source)} where 01234567 was expected" in said
    assert not (tmp_path / "r" / "downloads" / "tiny.pth").exists()


def test_leading_digits_of_md5_are_checked_too(site: Site, source: Path, tmp_path: Path) -> None:
    """MoCo publishes nothing else."""
    import hashlib

    good = hashlib.md5(source.read_bytes()).hexdigest()[:8]
    assert loads(released(site, source, sha256=None, md5=good), source, store=store_at(tmp_path / "a"))
    wrong = released(site, source, sha256=None, md5="01234567")
    assert "md5 01234567" in refusal(wrong, store=store_at(tmp_path / "b"))


def test_file_that_does_not_fit_is_not_pinned(site: Site, source: Path, tmp_path: Path) -> None:
    save(source, {"other.weight": torch.zeros(1)})
    assert "unexpected: other.weight" in refusal(released(site, source), store=store_at(tmp_path / "r"))
    assert not (tmp_path / "r" / "pins.json").exists()


def test_another_file_than_was_pinned_is_refused(site: Site, source: Path, tmp_path: Path) -> None:
    entry, root = released(site, source, sha256=None, checksum_source=""), tmp_path / "r"
    assert loads(entry, source, store=store_at(root))
    (root / "downloads" / "tiny.pth").unlink()
    site.usual["/tiny.pth"] = serve(save(source, {k: v + 1 for k, v in Tiny().state_dict().items()}).read_bytes())
    assert "pins.json" in refusal(entry, store=store_at(root))


def test_file_dropped_in_by_hand_is_found_without_a_request(site: Site, source: Path, tmp_path: Path) -> None:
    entry, store = released(site, source), store_at(tmp_path / "r")
    (tmp_path / "r" / "manual").mkdir(parents=True)
    (tmp_path / "r" / "manual" / "tiny.pth").write_bytes(source.read_bytes())
    assert loads(entry, source, store=store)
    assert not site.requests


def test_wrong_file_dropped_in_by_hand_is_refused_not_passed_over(site: Site, source: Path, tmp_path: Path) -> None:
    (tmp_path / "r" / "manual").mkdir(parents=True)
    save(tmp_path / "r" / "manual" / "tiny.pth", {"other": torch.zeros(1)})
    assert "another file than expected" in refusal(released(site, source), store=store_at(tmp_path / "r"))
    assert not site.requests


@pytest.mark.parametrize("offline", [True, False], ids=["offline", "no address"])
def test_missing_file_names_file_page_and_place(site: Site, source: Path, tmp_path: Path, offline: bool) -> None:
    entry = released(site, source, **({} if offline else {"urls": ()}))
    said = refusal(entry, store=store_at(tmp_path / "r", offline))
    for expected in ("tiny.pth is missing", PAGE, str(tmp_path / "r" / "manual" / "tiny.pth"), digest(source)[:8]):
        assert expected in said


def test_failed_download_names_address_page_and_place(site: Site, source: Path, tmp_path: Path) -> None:
    entry = released(site, source)
    del site.usual["/tiny.pth"]
    said = refusal(entry, store=store_at(tmp_path / "r"))
    for expected in ("could not be downloaded", "404", site.url, PAGE, str(tmp_path / "r" / "manual" / "tiny.pth")):
        assert expected in said


def test_users_own_file_is_taken_checked_and_nothing_is_written(site: Site, source: Path, tmp_path: Path) -> None:
    entry, store = released(site, source), store_at(tmp_path / "r")
    assert loads(entry, source, file=source, store=store)
    other = save(tmp_path / "other.pth")
    said = refusal(entry, file=other, store=store)
    for expected in ("is not tiny", str(other), digest(source)[:8], "choose the weights entry"):
        assert expected in said
    assert not site.requests
    assert not store.root.exists()


def test_missing_file_of_the_user_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"not found[\s\S]*none\.pth[\s\S]*weights_file"):
        find_weights(ENTRY, tmp_path / "none.pth")


def test_entry_without_a_release_asks_for_weights_file() -> None:
    with pytest.raises(WeightsError, match="weights_file"):
        find_weights(ENTRY)


def test_entry_without_a_release_takes_the_users_file(tmp_path: Path) -> None:
    file = save(tmp_path / "w.pth")
    assert loads(ENTRY, file, file=file)


def test_missing_package_names_the_extra() -> None:
    with pytest.raises(MissingDependencyError, match=r"sodlift\[lite0\]"):
        package_file("a_module_that_is_not_there", "x.pth", "a-package", "lite0")


def test_file_of_a_package_is_checked_too(site: Site, source: Path, tmp_path: Path) -> None:
    entry = replace(released(site, source), locate=lambda: source)
    assert loads(entry, source, store=store_at(tmp_path / "r"))
    assert "is not tiny" in refusal(replace(entry, release=released(site, source, sha256="01234567").release))
    assert not site.requests
    assert not (tmp_path / "r").exists()


def test_verifying_reports_file_trust_and_keys_and_writes_nothing(
    site: Site, source: Path, tmp_path: Path, registered
) -> None:
    registered(released(site, source))
    place = tmp_path / "r" / "manual" / "tiny.pth"
    place.parent.mkdir(parents=True)
    place.write_bytes(source.read_bytes())
    assert verify_weights("tiny", "a", store_at(tmp_path / "r")).splitlines() == [
        "tiny",
        f"file: {place}",
        "checked against: published 8 digits of sha256",
        "2 keys matched",
        "matched:",
        "    stem.weight",
        "    stem.bias",
    ]
    assert [path for path in (tmp_path / "r").rglob("*") if path.is_file()] == [place]


def test_verifying_downloads_nothing_and_says_how_to_get_the_file(
    site: Site, source: Path, tmp_path: Path, registered
) -> None:
    registered(released(site, source))
    with pytest.raises(WeightsError) as error:
        verify_weights("tiny", "a", store_at(tmp_path / "r"))
    for expected in (
        "tiny.pth is not here",
        PAGE,
        str(tmp_path / "r" / "manual" / "tiny.pth"),
        "sodlift data get weights/tiny/a`",
    ):
        assert expected in str(error.value)
    assert not site.requests


def test_verifying_refuses_another_file_and_another_network(
    site: Site, source: Path, tmp_path: Path, registered
) -> None:
    store = store_at(tmp_path / "r")
    store.root.joinpath("downloads").mkdir(parents=True)
    registered(released(site, source))
    save(store.root / "downloads" / "tiny.pth", {"other": torch.zeros(1)})
    with pytest.raises(WeightsError, match="another file than expected"):
        verify_weights("tiny", "a", store)
    registered(released(site, store.root / "downloads" / "tiny.pth"))
    with pytest.raises(WeightsError, match=r"missing: stem\.weight[\s\S]*unexpected: other"):
        verify_weights("tiny", "a", store)
    with pytest.raises(UnknownNameError, match="'c'"):
        verify_weights("tiny", "c", store)
