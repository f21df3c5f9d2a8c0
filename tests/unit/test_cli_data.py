"""``sodlift data``: status, get, verify and where, as a user types them."""

import json
from pathlib import Path

import pytest
import yaml
from test_catalogue import MAPS, SET

from http_server import Site, answer, serve
from release_samples import archive
from sodlift.cli.main import WRONG_INPUT, main


@pytest.fixture
def project(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a user with one data set on a server and one detector's maps to drop in by hand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SODLIFT_DATA", raising=False)
    site.usual["/S.zip"] = serve(archive(tmp_path / "desktop" / "S.zip", SET).read_bytes())
    take = {"images": "S/imgs/*", "masks": "S/gt/*"}
    files = [{"name": "S.zip", "urls": [site.url + "/S.zip"], "take": take}]
    rows = {
        "datasets": {
            "S": {"title": "S", "type": "folder", "options": {"root": "S"}, "expected": 3, "release": {"files": files}}
        },
        "detectors": {
            "D": {
                "title": "D",
                "type": "maps",
                "options": {"folder": "maps/{dataset}/D"},
                "datasets": ["S"],
                "release": {"page": "https://people.example/D"},
            }
        },
    }
    run = {
        "results": "results",
        "registries": {kind: [f"{kind}.yaml"] for kind in rows},
        "datasets": ["S"],
        "detectors": ["D"],
        "protocols": ["pysod"],
    }
    for name, content in {**rows, "run": run}.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def data(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
    """Run ``sodlift data`` on the run's configuration; return what it wrote."""
    assert main(["data", *arguments, "--configfile", "run.yaml", "--quiet"]) == status
    written = capsys.readouterr()
    return written.out, written.err


def table(out: str) -> dict[str, list[str]]:
    lines = out.splitlines()[1:]
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_status_shows_what_the_run_needs_and_that_it_was_never_verified(project, capsys):
    out, _ = data(capsys, "status")
    shown = table(out)
    assert list(shown) == ["datasets/S", "maps/D/S"]
    assert " ".join(shown["datasets/S"]) == "missing - of 3 never verified 1 address"
    assert " ".join(shown["maps/D/S"]) == "missing - of 3 never verified by hand from https://people.example/D"


def test_get_fetches_what_it_can_and_lists_what_it_cannot(project, capsys):
    out, err = data(capsys, "get", status=WRONG_INPUT)
    assert "datasets/S: fetched, 3 files in data/S" in out
    assert "put it at resources/manual/D-S.zip" in err
    assert "1 of 2 failed: maps/D/S" in err
    archive(project / "resources" / "manual" / "D-S.zip", MAPS)
    out, _ = data(capsys, "get")
    assert out.splitlines() == ["datasets/S: in place", "maps/D/S: fetched, 3 files in data/maps/S/D"]
    shown = table(data(capsys, "status")[0])
    assert [row[:3] for row in shown.values()] == [["in", "place", "3"]] * 2
    assert all("pinned" in row for row in shown.values())
    assert set(json.loads((project / "resources" / "pins.json").read_text())) == {"D-S.zip", "S.zip"}


def test_another_file_at_the_same_address_is_refused_once_the_first_was_pinned(project, capsys, site):
    data(capsys, "get", "S")
    (project / "resources" / "downloads" / "S.zip").unlink()
    (project / "data" / "S").rename(project / "data" / "old")
    site.usual["/S.zip"] = serve(archive(project / "desktop" / "T.zip", {**SET, "more": b"x"}).read_bytes())
    _, err = data(capsys, "get", "S", status=WRONG_INPUT)
    assert "pinned" in err or "size and checksum are those of your first copy" in err
    assert not (project / "data" / "S").exists()


def test_status_as_json_holds_every_field(project, capsys):
    rows = json.loads(data(capsys, "status", "S", "--json")[0])
    assert rows[0] == {
        "address": "datasets/S",
        "state": "missing",
        "count": None,
        "expected": 3,
        "checked": "never verified",
        "comes": "1 address",
        "place": "data/S",
        "problem": "",
    }


def test_verify_says_what_was_compared_with_what(project, capsys):
    data(capsys, "get", "S")
    out, _ = data(capsys, "verify", "S")
    assert "S.zip: pinned" in out
    assert "6 files are as they were put there" in out
    assert "3 images and 3 masks can be read" in out


def test_verify_names_a_file_that_changed(project, capsys):
    data(capsys, "get", "S")
    (project / "data" / "S" / "images" / "b.png").write_bytes(b"rotten")
    _, err = data(capsys, "verify", "S", status=WRONG_INPUT)
    assert "images/b.png has changed" in err


def test_verify_names_a_download_that_changed(project, capsys):
    data(capsys, "get", "S")
    archive(project / "resources" / "downloads" / "S.zip", {"a": b""})
    _, err = data(capsys, "verify", "S", status=WRONG_INPUT)
    assert "S.zip is another file than expected" in err


def test_verify_of_what_is_missing_says_so(project, capsys):
    assert data(capsys, "verify", "S")[0] == "datasets/S: not in place\n"


def test_where_prints_a_folder_that_a_shell_can_use(project, capsys):
    data(capsys, "get", "S")
    assert data(capsys, "where", "S")[0] == "data/S\n"


def test_where_says_of_what_is_missing_what_goes_where(project, capsys):
    _, err = data(capsys, "where", "S", "D", status=WRONG_INPUT)
    assert "run `sodlift data get datasets/S`, or put by hand S.zip at resources/manual/S.zip" in err
    assert "put D-S.zip from https://people.example/D at resources/manual/D-S.zip, then run" in err


def test_offline_nothing_is_asked_of_the_network(project, capsys, site):
    _, err = data(capsys, "get", "S", "--offline", status=WRONG_INPUT)
    assert "the network is forbidden" in err
    assert site.requests == []


def test_a_failed_download_is_one_message_with_its_address(project, capsys, site):
    site.usual["/S.zip"] = answer(404)
    _, err = data(capsys, "get", "S", status=WRONG_INPUT)
    assert f"{site.url}/S.zip: " in err
    assert "404" in err
    assert "Traceback" not in err


def test_get_without_a_name_or_a_run_is_an_error(project, capsys):
    assert main(["data", "get"]) == WRONG_INPUT
    assert "nothing to get" in capsys.readouterr().err


def test_without_a_run_the_shipped_registry_is_shown_with_a_line_a_detector(project, capsys):
    assert main(["data", "status", "--data-root", "nowhere"]) == 0
    shown = table(capsys.readouterr().out)
    assert shown["datasets/ECSSD"][:4] == ["missing", "-", "of", "1000"]
    assert shown["maps/DSS"][0] == "missing"
    assert "weights/resnet50" in shown


def test_an_unknown_name_is_answered_with_the_nearest(project, capsys):
    assert main(["data", "status", "ECSD"]) == WRONG_INPUT
    assert "did you mean 'ECSSD'" in capsys.readouterr().err
