"""The downloader against a server that misbehaves: never a wrong file accepted."""

import itertools
import random
import time
from email.utils import formatdate
from pathlib import Path

import pytest
import requests
from download_samples import DATA, MD5, OTHER, SHA256, Clock, names, quick, refused, remote

from http_server import Behaviour, Site, answer, running_site, serve, serve_chunked, serve_unframed, serve_whole, stall
from sodlift.fetch._http import Refused, Session
from sodlift.fetch.download import Patience, download


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def patience(clock: Clock) -> Patience:
    return quick(clock)


def test_a_whole_file_arrives_and_nothing_else_stays(site, tmp_path, patience):
    site.usual["/a.zip"] = serve(DATA)
    target = tmp_path / "new" / "a.zip"
    assert download(remote(site, md5=MD5.upper()), target, progress=False, patience=patience) == target
    assert target.read_bytes() == DATA
    assert names(target.parent) == ["a.zip"]
    assert site.requests == [("/a.zip", "")]


def test_cut_at_20_random_points_every_byte_is_sent_once(site, tmp_path, patience, clock):
    cuts = [0, *sorted(random.Random(6).sample(range(1, len(DATA)), 20))]
    site.plans["/a.zip"] = [serve(DATA, stop=b - a) for a, b in itertools.pairwise(cuts)]
    site.usual["/a.zip"] = serve(DATA)
    assert download(remote(site), tmp_path / "a.zip", progress=False, patience=patience).read_bytes() == DATA
    assert [asked for _, asked in site.requests] == ["", *(f"bytes={cut}-" for cut in cuts[1:])]
    assert site.bytes_sent == len(DATA)
    assert clock.slept == [1.0] * 20  # each try gained bytes, so that none counts as the second failure


def test_a_later_run_resumes_and_the_bar_counts_what_was_there(site, tmp_path, patience, capfd):
    site.plans["/a.zip"] = [serve(DATA, stop=200_000), answer(404)]
    site.usual["/a.zip"] = serve(DATA)
    refused(remote(site), tmp_path / "a.zip", patience)
    assert names(tmp_path) == ["a.zip.part", "a.zip.part.json"]
    capfd.readouterr()
    download(remote(site), tmp_path / "a.zip", patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert site.bytes_sent == len(DATA)
    assert "67%" in capfd.readouterr().err  # where the bar starts: 200 000 of 300 000


@pytest.mark.parametrize("size", [len(DATA), None])
def test_a_server_without_ranges_is_asked_for_all_again(site, tmp_path, patience, size):
    site.plans["/a.zip"] = [serve_whole(DATA, stop=1000)]
    site.usual["/a.zip"] = serve_whole(DATA)
    download(remote(site, size=size), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert site.requests == [("/a.zip", ""), ("/a.zip", "")]  # nothing tells whether the file has changed


def test_a_server_that_ignores_the_range_is_read_from_the_start(site, tmp_path, patience):
    site.plans["/a.zip"] = [serve(DATA, stop=1000)]
    site.usual["/a.zip"] = serve_whole(DATA)
    download(remote(site), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert site.requests == [("/a.zip", ""), ("/a.zip", "bytes=1000-")]


def test_a_server_that_is_always_cut_off_is_given_up(site, tmp_path, patience):
    site.usual["/a.zip"] = serve_whole(DATA, stop=1000)
    assert "the connection broke" in refused(remote(site), tmp_path / "a.zip", patience)
    assert len(site.requests) == 3


def test_a_file_that_changed_meanwhile_is_never_glued_to_the_old_beginning(site, tmp_path, patience):
    site.plans["/a.zip"] = [serve(OTHER, etag='"old"', stop=150_000)]
    site.usual["/a.zip"] = serve(DATA, etag='"new"')
    download(remote(site, sha256=None), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA


def wrong_ranges() -> dict[str, dict[str, object]]:
    return {
        "other etag": {"etag": '"new"', "Content_Range": "bytes 1000-299999/300000"},
        "other size": {"etag": '"v1"', "Content_Range": "bytes 1000-299999/310000"},
        "other start": {"etag": '"v1"', "Content_Range": "bytes 900-299999/300000"},
        "not to the end": {"etag": '"v1"', "Content_Range": "bytes 1000-2000/300000"},
        "no range": {"etag": '"v1"'},
    }


@pytest.mark.parametrize("headers", wrong_ranges().values(), ids=wrong_ranges())
def test_a_part_that_does_not_continue_ours_starts_the_download_again(site, tmp_path, patience, headers):
    headers = {("ETag" if name == "etag" else name): value for name, value in headers.items()}
    site.plans["/a.zip"] = [serve(DATA, stop=1000), answer(206, OTHER[1000:], **headers)]
    site.usual["/a.zip"] = serve(DATA)
    download(remote(site, sha256=None), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert [asked for _, asked in site.requests] == ["", "bytes=1000-", ""]


def test_a_part_longer_than_the_file_is_dropped(site, tmp_path, patience):
    site.plans["/a.zip"] = [serve(DATA, stop=1000)]
    site.plans["/a.zip"].append(answer(404))
    refused(remote(site), tmp_path / "a.zip", patience)
    (tmp_path / "a.zip.part").write_bytes(DATA + b"!")
    site.usual["/a.zip"] = serve(DATA)
    download(remote(site), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA


@pytest.mark.parametrize("note", [None, "", "{", "[]", '{"url": 1}', "null"])
def test_a_part_without_a_readable_note_is_dropped(site, tmp_path, patience, note):
    (tmp_path / "a.zip.part").write_bytes(OTHER[:1000])
    if note is not None:
        (tmp_path / "a.zip.part.json").write_text(note)
    site.usual["/a.zip"] = serve(DATA)
    download(remote(site), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA


@pytest.mark.parametrize(
    ("behaviour", "facts", "message"),
    {
        "too short": (serve(DATA[:-1]), {}, "299999 bytes where 300000 were expected"),
        "too long": (serve(DATA + b"!"), {}, "300001 bytes where 300000 were expected"),
        "chunks too short": (serve_chunked(DATA[:-1]), {}, "299999 bytes where 300000 were expected"),
        "chunks too long": (serve_chunked(DATA + b"!"), {}, "more than the 300000 bytes"),
        "sha256": (serve(OTHER), {}, f"where {SHA256} was expected"),
        "md5": (serve(OTHER), {"sha256": None, "md5": MD5}, f"where {MD5} was expected"),
        "page by type": (answer(200, b"Sorry", Content_Type="text/html; charset=utf-8"), {"size": None}, "HTML page"),
        "page by content": (answer(200, b"\n<!DOCTYPE html><p>"), {"size": None}, "HTML page"),
        "no end": (serve_unframed(DATA[:-1]), {"size": None, "sha256": None}, "gives no length"),
        "gone": (answer(410), {}, "HTTP 410"),
        "forbidden": (answer(403), {}, "HTTP 403"),
    }.values(),
)
def test_a_wrong_answer_is_told_dropped_not_retried_and_the_next_mirror_delivers(
    site: Site, tmp_path: Path, patience: Patience, behaviour: Behaviour, facts: dict[str, object], message: str
) -> None:
    site.usual |= {"/bad": behaviour, "/good": serve(DATA)}
    said = refused(remote(site, "/bad", **facts), tmp_path / "a.zip", patience)
    assert message in said
    for part in (f"{site.url}/bad", "https://people.example/dataset", str(tmp_path / "a.zip")):
        assert part in said
    assert names(tmp_path) == []
    assert len(site.requests) == 1
    download(remote(site, "/bad", "/good", **facts), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA


def test_a_mirror_follows_a_404_and_resumes_its_own_part(site, tmp_path, patience):
    site.usual["/good"] = serve(DATA)
    site.plans["/good"] = [serve(DATA, stop=1000), answer(404)]
    source = remote(site, "/gone", "/good")
    said = refused(source, tmp_path / "a.zip", patience)
    assert f"{site.url}/gone: HTTP 404" in said
    assert f"{site.url}/good: HTTP 404" in said
    download(source, tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert site.requests[-2:] == [("/gone", ""), ("/good", "bytes=1000-")]


def test_a_part_is_never_continued_from_another_address(site, tmp_path, patience):
    site.plans["/other"] = [serve(OTHER, stop=1000), answer(404)]
    site.usual["/good"] = serve(DATA)
    source = remote(site, "/other", "/good", sha256=None)
    download(source, tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert site.requests[-1] == ("/good", "")


def test_errors_that_pass_are_waited_for_longer_each_time(site, tmp_path, patience, clock):
    site.plans["/a.zip"] = [answer(500), answer(503)]
    site.usual["/a.zip"] = serve(DATA)
    download(remote(site), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert clock.slept == [1.0, 2.0]


def test_errors_that_stay_are_given_up_and_counted(site, tmp_path, patience):
    site.usual["/a.zip"] = answer(500)
    assert "HTTP 500 Internal Server Error (given up after 3 tries)" in refused(
        remote(site), tmp_path / "a.zip", patience
    )
    assert len(site.requests) == 3


def test_retry_after_is_obeyed_in_seconds_and_as_a_date(site, tmp_path, patience, clock):
    soon = formatdate(time.time() + 60, usegmt=True)
    site.plans["/a.zip"] = [answer(429, Retry_After=7), answer(429, Retry_After=soon)]
    site.usual["/a.zip"] = serve(DATA)
    download(remote(site), tmp_path / "a.zip", progress=False, patience=patience)
    assert clock.slept[0] == 7
    assert 50 < clock.slept[1] <= 60


def test_a_server_that_wants_too_long_a_wait_is_left_for_the_next(site, tmp_path, patience, clock):
    site.usual |= {"/busy": answer(429, Retry_After=3600), "/good": serve(DATA)}
    download(remote(site, "/busy", "/good"), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert clock.slept == []


def test_waits_are_bounded_and_spread():
    assert Patience(longest=10, jitter=lambda: 1.0).pause(9, None) == 10
    assert Patience(longest=10, jitter=lambda: 0.0).pause(9, None) == 5


def test_redirects_are_followed_with_the_range(site, tmp_path, patience):
    site.usual |= {"/a.zip": answer(302, Location="/b"), "/b": serve(DATA)}
    site.plans["/b"] = [serve(DATA, stop=1000)]
    download(remote(site), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert site.requests[-1] == ("/b", "bytes=1000-")


def test_a_redirect_loop_ends(site, tmp_path, patience):
    site.usual |= {"/a.zip": answer(302, Location="/b"), "/b": answer(302, Location="/a.zip")}
    assert "more than 10 redirects" in refused(remote(site), tmp_path / "a.zip", patience)
    assert len(site.requests) <= 11


@pytest.mark.parametrize("location", ["file:///etc/hosts", "ftp://127.0.0.1/a"])
def test_a_redirect_out_of_http_is_refused(site, tmp_path, patience, location):
    site.usual["/a.zip"] = answer(302, Location=location)
    assert f"redirects to {location}" in refused(remote(site), tmp_path / "a.zip", patience)


def test_a_redirect_from_https_to_http_is_refused_and_one_to_https_is_not():
    reply = requests.Response()
    reply.status_code, reply.url = 302, "https://one.example/a"
    reply.headers["Location"] = "http://two.example/a"
    with pytest.raises(Refused, match="not https"):
        Session().get_redirect_target(reply)
    reply.headers["Location"] = "/b"
    assert Session().get_redirect_target(reply) == "https://one.example/b"


def test_a_stalled_connection_is_left_and_resumed(site, tmp_path, patience):
    site.plans["/a.zip"] = [stall(DATA, after=200_000)]
    site.usual["/a.zip"] = serve(DATA)
    download(remote(site), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert int(site.requests[1][1].removeprefix("bytes=").removesuffix("-")) >= 200_000 - (1 << 16)


def test_a_reset_connection_is_tried_again(site, tmp_path, patience, clock):
    site.plans["/a.zip"] = [serve(DATA, stop=100_000, reset=True)]
    site.usual["/a.zip"] = serve(DATA)
    download(remote(site), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
    assert clock.slept == [1.0]


def test_nobody_listening_is_told(tmp_path, patience):
    with running_site() as site:
        source = remote(site)
    assert "the connection broke" in refused(source, tmp_path / "a.zip", patience)


def test_bytes_are_kept_as_sent_whatever_packing_the_server_claims(site, tmp_path, patience):
    site.usual["/a.zip"] = serve(DATA, Content_Encoding="gzip")
    download(remote(site), tmp_path / "a.zip", progress=False, patience=patience)
    assert (tmp_path / "a.zip").read_bytes() == DATA
