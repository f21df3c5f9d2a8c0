"""The health report of maps: what each oddity of a folder of maps is told as, in one pass over its files."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import sodlift.detectors.maps
from sodlift.arrays import read_grey
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.detectors import DETECTORS
from sodlift.detectors._base import DetectorType
from sodlift.detectors._health import KINDS, MapsReport
from sodlift.detectors.maps import MapsOptions
from sodlift.errors import DataError, MapError
from sodlift.mapset import MapSet

SIZE = (24, 32)
RAMP = np.linspace(0, 255, 768).reshape(SIZE).astype(np.uint8)
MASK = np.where(RAMP > 100, 255, 0).astype(np.uint8)


def ramp(number: int) -> np.ndarray:
    """Return a map of its own."""
    return np.roll(RAMP, 7 * number)


@pytest.fixture
def manifest(tmp_path) -> Manifest:
    """Four images with masks: rolled as the maps of ``ramp`` are."""
    (tmp_path / "masks").mkdir()
    entries = []
    for number, stem in enumerate("abcd"):
        mask = tmp_path / "masks" / f"{stem}.png"
        Image.fromarray(np.roll(MASK, 11 * number)).save(mask)
        entries.append(Entry(stem, tmp_path / f"{stem}.jpg", mask, *SIZE, f"digest of {stem}"))
    return Manifest("toy", tuple(entries))


@pytest.fixture
def maps(tmp_path):
    """Return a function that saves maps as files of these names; a map is there for each image to begin with."""
    folder = tmp_path / "found" / "toy"
    folder.mkdir(parents=True)

    def save(**files):
        for name, values in files.items():
            file = folder / name.replace("_dot_", ".")
            if file.suffix == ".npy":
                np.save(file, values)
            else:
                (values if isinstance(values, Image.Image) else Image.fromarray(values)).save(file)

    save(**{f"{stem}_dot_png": ramp(number) for number, stem in enumerate("abcd")})
    return save


def made(tmp_path, manifest: Manifest, **options) -> MapsReport:
    settings = MapsOptions(tmp_path / "found" / "{dataset}", **options)
    return DETECTORS.get("maps").make("mine", settings, manifest, tmp_path / "out")


def refused(tmp_path, manifest: Manifest, **options) -> str:
    with pytest.raises(MapError) as caught:
        made(tmp_path, manifest, **options)
    assert not (tmp_path / "out").exists()
    return str(caught.value)


def found(report: MapsReport) -> dict[str, tuple[str, ...]]:
    return {finding.kind: finding.items for finding in report.findings}


def test_a_clean_folder_has_no_finding(tmp_path, manifest, maps):
    report = made(tmp_path, manifest)
    assert report.findings == ()
    assert (report.expected, report.found) == (4, 4)
    assert (report.formats, report.sizes) == ({"PNG, 8-bit grey": 4}, {"as the image": 4})
    assert report.mean_value == pytest.approx(RAMP.mean() / 255)
    assert report.values is not None and report.values.min == pytest.approx(report.values.max)
    assert report.grey_share == pytest.approx(np.mean((RAMP > 0) & (RAMP < 255)))
    assert report.float_range is None


FORMATS = {
    "b_dot_jpg": (ramp(1), "JPEG, 8-bit grey", {"lossy"}),
    "b_dot_tif": (ramp(1), "TIFF, 8-bit grey", {"format"}),
    "b_dot_npy": (ramp(1) / 255, "NPY, float", {"format"}),
    "b_dot_bmp": (np.dstack([ramp(1)] * 3), "BMP, RGB", {"format"}),
    "b_dot_PNG": (np.dstack([ramp(1), ramp(2), ramp(3)]), "PNG, RGB", {"format", "colour"}),
    "b_dot_Png": (np.dstack([ramp(1)] * 3 + [ramp(0)]), "PNG, RGBA", {"format", "alpha"}),
    "b_dot_pnG": (ramp(1).astype(np.uint16) * 257, "PNG, 16-bit grey", {"format"}),
    "b_dot_pNg": (Image.fromarray(ramp(1)).convert("P"), "PNG, palette", {"format"}),
    "b_dot_PnG": (Image.fromarray(ramp(1)).convert("1"), "PNG, 1-bit", {"format"}),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_told_and_read(tmp_path, manifest, maps, name):
    values, form, kinds = FORMATS[name]
    (tmp_path / "found/toy/b.png").unlink()
    maps(**{name: values})
    report = made(tmp_path, manifest)
    assert report.formats == {"PNG, 8-bit grey": 3, form: 1}
    assert found(report).keys() == kinds
    assert all(items[0].startswith(f"toy/{name.replace('_dot_', '.')}") for items in found(report).values())
    assert report.errors == ()


def test_the_range_of_float_maps_is_told(tmp_path, manifest, maps):
    for stem in "ab":
        (tmp_path / f"found/toy/{stem}.png").unlink()
    maps(a_dot_npy=ramp(0) / 510 + 0.125, b_dot_npy=ramp(1) / 510)
    report = made(tmp_path, manifest)
    assert report.float_range == (0.0, 0.625)
    assert "| Float values | 0 to 0.625 |" in report.to_markdown()


def test_extra_files_are_counted_and_named(tmp_path, manifest, maps):
    maps(e_dot_png=ramp(9), b_edge_dot_png=ramp(9))
    (tmp_path / "found/toy/Thumbs.db").touch()
    (tmp_path / "found/toy/.hidden").touch()
    assert found(made(tmp_path, manifest)) == {"unused": ("toy/Thumbs.db", "toy/b_edge.png", "toy/e.png")}


def test_maps_of_another_size_are_counted_by_size(tmp_path, manifest, maps):
    maps(a_dot_png=ramp(0)[::2, ::2], b_dot_png=ramp(1)[::2, ::2], c_dot_png=ramp(2)[::4, ::4])
    report = made(tmp_path, manifest)
    assert report.sizes == {"16x12": 2, "as the image": 1, "8x6": 1}
    assert found(report)["size"] == tuple(
        f"{stem} ({size} for 32x24; width x height)" for stem, size in (("a", "16x12"), ("b", "16x12"), ("c", "8x6"))
    )


@pytest.mark.parametrize(("grey", "kind"), [(0, "empty"), (255, "full"), (90, "constant")])
def test_maps_of_a_single_grey_are_named_and_not_called_the_same(tmp_path, manifest, maps, grey, kind):
    maps(a_dot_png=RAMP * 0 + np.uint8(grey), d_dot_png=RAMP * 0 + np.uint8(grey))
    assert found(made(tmp_path, manifest)) == {kind: ("a", "d")}


def test_the_same_map_of_two_images_is_named_whatever_its_format(tmp_path, manifest, maps):
    (tmp_path / "found/toy/c.png").unlink()
    maps(c_dot_bmp=ramp(0))
    report = made(tmp_path, manifest)
    assert found(report)["same"] == ("a = c",)


def test_the_same_map_of_an_image_that_is_there_twice_is_no_finding(tmp_path, manifest, maps):
    maps(b_dot_png=ramp(0))
    twice = tuple(replace(entry, image_sha256="x") if entry.stem in "ab" else entry for entry in manifest.entries)
    assert made(tmp_path, Manifest("toy", twice)).findings == ()


def test_a_set_of_maps_in_black_and_white_is_told(tmp_path, manifest, maps):
    black_and_white = {
        f"{stem}_dot_png": np.where(ramp(i) > 9, 255, 0).astype(np.uint8) for i, stem in enumerate("abcd")
    }
    maps(**black_and_white)
    report = made(tmp_path, manifest)
    assert found(report) == {"binary": ("4 maps",)}
    assert report.grey_share == 0


GRADED = np.where(MASK > 0, RAMP // 20 * 20, 0).astype(np.uint8)


@pytest.mark.parametrize("cut", [False, True])
def test_maps_that_are_the_ground_truth_are_an_error_where_most_are(tmp_path, manifest, maps, cut):
    """Graded masks too, and those that were cut in two before they were taken for maps."""
    for number, stem in enumerate("abcd"):
        graded = np.roll(GRADED, 11 * number)
        Image.fromarray(graded).save(tmp_path / f"masks/{stem}.png")
        if number < 3:
            maps(**{f"{stem}_dot_png": np.where(graded > 127, 255, 0).astype(np.uint8) if cut else graded})
    text = refused(tmp_path, manifest)
    assert "maps that are the ground truth: most of the set, so that every score would be wrong (3): a, b, c" in text
    maps(b_dot_png=ramp(1))
    assert found(made(tmp_path, manifest)) == {"some_ground_truth": ("a", "c")}


def test_a_set_without_masks_is_compared_with_none(tmp_path, manifest, maps):
    unmasked = Manifest("toy", tuple(replace(entry, mask=None) for entry in manifest.entries))
    assert made(tmp_path, unmasked).findings == ()


def test_every_error_of_the_set_is_in_one_message(tmp_path, manifest, maps):
    (tmp_path / "found/toy/a.png").unlink()
    maps(b_dot_jpg=ramp(1), c_dot_png=np.ascontiguousarray(ramp(2).T))
    (tmp_path / "found/toy/d.png").write_bytes(b"broken")
    text = refused(tmp_path, manifest)
    for part in (
        "maps of 'mine' on 'toy': not fit for use:",
        "maps that are missing (1): a.png",
        "several files could be one image's map (1): b.jpg or b.png",
        "maps that cannot be read (1): toy/d.png (not an image file",
        "maps transposed against their image (1): toy/c.png (24x32 for an image of 32x24; width x height)",
        f"where: {tmp_path / 'found' / 'toy'}",
    ):
        assert part in text
    assert text.count("mend:") == 4


def test_the_ground_truth_is_told_beside_errors_of_files(tmp_path, manifest, maps):
    (tmp_path / "found/toy/a.png").unlink()
    for number, stem in enumerate("abcd"):
        if number:
            maps(**{f"{stem}_dot_png": np.roll(MASK, 11 * number)})
    text = refused(tmp_path, manifest)
    assert "missing (1)" in text and "the ground truth" in text


def test_a_squeezed_map_is_refused_with_the_option_that_allows_it(tmp_path, manifest, maps):
    maps(a_dot_png=ramp(0)[:, :24])
    text = refused(tmp_path, manifest)
    assert "another aspect ratio than their image (1): toy/a.png (24x24 for an image of 32x24" in text
    assert "allow_aspect: true" in text
    assert found(made(tmp_path, manifest, allow_aspect=True)).keys() == {"stretched"}


def test_an_image_that_a_computed_detector_leaves_out_is_missing(tmp_path, manifest):
    def run(options, manifest, writer, machine):
        for entry in manifest.entries[1:]:
            writer.add(entry.stem, RAMP / 255)

    with pytest.raises(MapError, match=r"missing \(1\): a"):
        DetectorType("lazy", dict, run).make("lazy", {}, manifest, tmp_path / "out")


def test_computed_maps_have_the_same_report(tmp_path, manifest):
    def run(options, manifest, writer, machine):
        for number, entry in enumerate(manifest.entries):
            writer.add(entry.stem, ramp(min(number, 2)) / 255)

    report = DetectorType("computed", dict, run).make("mine", {}, manifest, tmp_path / "out")
    assert found(report) == {"same": ("c = d",)}
    assert (report.found, report.formats, report.sizes) == (4, {}, {"as the image": 4})
    assert MapSet(tmp_path / "out").usable("abcd") == list("abcd")


def test_each_map_is_read_once(tmp_path, manifest, maps, monkeypatch):
    read = []
    monkeypatch.setattr(
        sodlift.detectors.maps, "read_grey", lambda file, error: read.append(file.name) or read_grey(file, error)
    )
    made(tmp_path, manifest)
    assert read == ["a.png", "b.png", "c.png", "d.png"]


def test_a_mask_that_vanished_is_named(tmp_path, manifest, maps):
    (tmp_path / "masks/b.png").unlink()
    with pytest.raises(DataError, match=r"b\.png"):
        made(tmp_path, manifest)


def test_both_forms_of_the_report_hold_the_findings(tmp_path, manifest, maps):
    maps(a_dot_png=ramp(0)[::2, ::2], e_dot_png=ramp(9))
    report = made(tmp_path, manifest)
    report.save(tmp_path / "mine.json", tmp_path / "mine.md")
    content = json.loads((tmp_path / "mine.json").read_text("utf-8"))
    assert (content["dataset"], content["detector"], content["found"]) == ("toy", "mine", 4)
    assert [(f["kind"], f["severity"], f["count"]) for f in content["findings"]] == [
        ("unused", "warning", 1),
        ("size", "warning", 1),
    ]
    text = (tmp_path / "mine.md").read_text("utf-8")
    assert text.startswith("# Maps of 'mine' on 'toy'\n")
    assert "| Sizes | as the image: 3, 16x12: 1 |" in text
    assert re.search(r"- \*\*warning\*\* files that belong to no image \(1\): toy/e\.png\. Mend: none needed", text)


def test_every_kind_of_finding_has_a_mend():
    assert all(kind.title and kind.mend for kind in KINDS.values())


# --- the hash by which a folder that changed is noticed ------------------------------------------------------------


def test_the_fingerprint_tells_files_added_removed_and_resized_but_not_touched(tmp_path, manifest, maps):
    detector, options = DETECTORS.get("maps"), MapsOptions(tmp_path / "found" / "{dataset}")
    file = tmp_path / "found/toy/a.png"
    seen = [detector.fingerprint(options, "toy")]
    file.touch()
    assert detector.fingerprint(options, "toy") == seen[0]
    file.write_bytes(file.read_bytes() + b"x")
    seen.append(detector.fingerprint(options, "toy"))
    file.rename(file.with_name("z.png"))
    seen.append(detector.fingerprint(options, "toy"))
    (tmp_path / "found/toy/z.png").unlink()
    seen.append(detector.fingerprint(options, "toy"))
    seen.append(detector.fingerprint(options, "elsewhere"))
    assert len(set(seen)) == 5


def test_computed_detectors_have_one_fingerprint():
    prior = DETECTORS.get("prior")
    assert prior.fingerprint(prior.options("rbd"), "a") == prior.fingerprint(prior.options("mb_plus"), "b")
