"""The health report of a detector's maps on one data set, gathered while the maps are written: each is read once."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from sodlift.arrays import Grey, Image8, read_grey, to_uint8
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.datasets.report import Kind, Remark, Report, Spread, average, findings, shares
from sodlift.errors import DataError, MapError
from sodlift.mapset import MapSet, MapWriter

KINDS: dict[str, Kind] = {
    "missing": Kind(
        "error", "maps that are missing", "add the maps, or say in `suffixes` what follows the stem in their names"
    ),
    "several": Kind("error", "several files could be one image's map", "remove all but one, or narrow `suffixes`"),
    "invalid": Kind(
        "error",
        "maps of a network that are none: not finite, outside [0, 1], or of another size than their image",
        "train the detector again: its weights may be damaged",
    ),
    "unreadable": Kind("error", "maps that cannot be read", "mend or fetch these files again"),
    "transposed": Kind("error", "maps transposed against their image", "rotate the maps"),
    "aspect": Kind(
        "error",
        "maps of another aspect ratio than their image",
        "check that they belong to these images and were not cropped; squares are stretched with `allow_aspect: true`",
    ),
    "ground_truth": Kind(
        "error",
        "maps that are the ground truth: most of the set, so that every score would be wrong",
        "put the detector's own maps in the folder",
    ),
    "some_ground_truth": Kind("warning", "maps that are the ground truth", "check where these maps come from"),
    "unused": Kind(
        "warning",
        "files that belong to no image",
        "none needed where the run uses a part of the data set; else remove them, or correct `suffixes`",
    ),
    "size": Kind(
        "warning", "maps of another size than their image", "none needed; they are scaled where they are used"
    ),
    "stretched": Kind("warning", "maps stretched to their image's aspect ratio", "none needed: `allow_aspect` is set"),
    "format": Kind("warning", "maps in another format than 8-bit grey PNG", "none needed; they are read as documented"),
    "lossy": Kind("warning", "maps compressed with loss", "prefer PNG where the authors offer both"),
    "colour": Kind(
        "warning", "maps whose colour channels differ", "check that they are maps, and not drawings with a colour scale"
    ),
    "alpha": Kind("warning", "maps that are not opaque", "check the colours; transparency is dropped"),
    "empty": Kind("warning", "maps that are black all over", "check that the detector found nothing there"),
    "full": Kind("warning", "maps that are white all over", "check that the maps are not inverted"),
    "constant": Kind("warning", "maps of a single grey", "check them: they tell nothing"),
    "seen": Kind(
        "warning",
        "images that the detector was trained on",
        "never report scores on them; as training data of a refiner they are no error",
    ),
    "same": Kind("warning", "maps of different images that are the same", "check that no map was saved twice"),
    "binary": Kind(
        "warning", "all maps are black and white", "check that they were not binarised: thresholds change nothing then"
    ),
}
"""Every kind of finding, in the order in which reports list them."""

PLAIN = "PNG, 8-bit grey"
"""The format in which maps are written here."""

_MODES = {
    "1": "1-bit",
    "L": "8-bit grey",
    "LA": "grey with alpha",
    "I": "32-bit grey",
    "I;16": "16-bit grey",
    "I;16B": "16-bit grey",
    "F": "float",
    "P": "palette",
    "PA": "palette with alpha",
    "RGB": "RGB",
    "RGBA": "RGBA",
}
_NOTED = ("colour", "alpha")
"""Notes of ``read_grey`` that are findings of their own."""


@dataclass(frozen=True)
class MapsReport(Report):
    """What was found among one detector's maps on one data set.

    Attributes
    ----------
    dataset, detector : str
        Their names.
    expected, found : int
        Number of images, and of their maps that can be used.
    formats : dict of str to int
        Number of files of each format; empty for maps that were computed.
    sizes : dict of str to int
        Number of maps of each size, as ``WxH``; "as the image" for those of their image's.
    values : Spread or None
        Means of the maps, in [0, 1].
    mean_value : float or None
        The mean of these means.
    grey_share : float or None
        Share of pixels that are neither black nor white in 8 bits, over all maps.
    float_range : tuple of float, or None
        Least and largest value of the maps that are stored as floats.
    """

    dataset: str
    detector: str
    expected: int
    found: int
    formats: dict[str, int]
    sizes: dict[str, int]
    values: Spread | None
    mean_value: float | None
    grey_share: float | None
    float_range: tuple[float, float] | None

    error = MapError

    @property
    def subject(self) -> str:
        """The detector and the data set."""
        return f"maps of '{self.detector}' on '{self.dataset}'"

    def facts(self) -> Mapping[str, str]:
        """Return counts, formats, sizes and values."""
        low, high = self.float_range or (0, 0)
        return {
            "Maps": f"{self.found} of {self.expected}",
            "Formats": _counted(self.formats),
            "Sizes": _counted(self.sizes),
            "Values": shares(self.values, self.mean_value),
            "Grey pixels": "" if self.grey_share is None else f"{self.grey_share:.1%}",
            "Float values": f"{low:.4g} to {high:.4g}" if self.float_range else "",
        }


@dataclass
class CheckedWriter(MapWriter):
    """Writes maps as ``MapWriter`` does, looks at each, and gathers what a report needs.

    Attributes
    ----------
    manifest : Manifest
        The images; their masks are read too.
    seen : frozenset of str
        SHA-256 of the images that the detector was trained on.
    source : Path or None
        Folder that the maps are taken from, for messages.
    may_be_truth : bool
        Whether maps that are the ground truth are what is meant.
    """

    manifest: Manifest = field(kw_only=True)
    seen: frozenset[str] = frozenset()
    source: Path | None = None
    may_be_truth: bool = False

    def __post_init__(self) -> None:
        self._entries = {entry.stem: entry for entry in self.manifest.entries}
        self._refused: set[str] = set()
        self._remarks: list[Remark] = []
        self._formats: Counter[str] = Counter()
        self._sizes: Counter[str] = Counter()
        self._floats: list[float] = []
        self._means: list[float] = []
        self._histogram = np.zeros(256, np.int64)
        self._first: dict[str, Entry] = {}
        self._truths: list[str] = []
        self._comparable = 0

    def remark(self, kind: str, item: str) -> None:
        """Note a finding, one of ``KINDS``."""
        self._remarks.append((kind, item))

    def refuse(self, stem: str, kind: str, item: str) -> None:
        """Note an error because of which an image gets no map; ``raise_errors`` of the report tells it with others."""
        self._refused.add(stem)
        self.remark(kind, item)

    def read_from(self, file: Path, grey: Grey) -> None:
        """Note the format of the file that a map was read from."""
        kind = _format(file)
        self._formats[kind] += 1
        if kind != PLAIN:
            self.remark("lossy" if kind.startswith("JPEG") else "format", f"{short(file)} ({kind})")
        for note in set(_NOTED) & set(grey.notes):
            self.remark(note, short(file))
        if "float" in grey.notes:
            self._floats += [float(grey.values.min()), float(grey.values.max())]

    def add(self, stem: str, saliency: npt.NDArray[Any] | None, status: str = "ok", note: str = "") -> None:
        """Write and record a map as ``MapWriter.add`` does, and look at it."""
        super().add(stem, saliency, status, note)
        if saliency is not None:
            self._look(self._entries[stem], to_uint8(saliency))

    def adopt(self, maps: MapSet, stem: str) -> None:
        """Take and record a map as ``MapWriter.adopt`` does, and look at it."""
        super().adopt(maps, stem)
        if self.records[stem].status == "ok":
            self._look(self._entries[stem], to_uint8(maps.read(stem)))

    def _look(self, entry: Entry, levels: Image8) -> None:
        histogram = np.bincount(levels.ravel(), minlength=256)
        self._histogram += histogram
        self._means.append(float(histogram @ np.arange(256)) / (255 * levels.size))
        height, width = levels.shape
        as_image = (height, width) == (entry.height, entry.width)
        self._sizes["as the image" if as_image else f"{width}x{height}"] += 1
        if not as_image:
            self.remark("size", f"{entry.stem} ({width}x{height} for {entry.width}x{entry.height}; width x height)")
        if entry.image_sha256 in self.seen:
            self.remark("seen", entry.stem)
        if histogram.max() == levels.size:
            self.remark({0: "empty", 255: "full"}.get(int(levels[0, 0]), "constant"), entry.stem)
            return
        first = self._first.setdefault(sha256(f"{levels.shape}".encode() + levels.tobytes()).hexdigest(), entry)
        if first is not entry and (first.image_sha256 != entry.image_sha256 or not entry.image_sha256):
            self.remark("same", f"{first.stem} = {entry.stem}")
        if entry.mask is not None and as_image:
            self._comparable += 1
            if _is_truth(levels, to_uint8(read_grey(entry.mask, DataError).unit())):
                self._truths.append(entry.stem)

    def report(self, detector: str) -> MapsReport:
        """Return what was found, once all maps are written; an image without a map is an error."""
        pixels = self._histogram.sum()
        grey = pixels - self._histogram[0] - self._histogram[255]
        return MapsReport(
            findings=findings(KINDS, [*self._remarks, *self._overall(bool(pixels and not grey))]),
            dataset=self.manifest.dataset,
            detector=detector,
            expected=len(self._entries),
            found=len(self._means),
            formats=dict(sorted(self._formats.items())),
            sizes=dict(sorted(self._sizes.items(), key=lambda size: (-size[1], size[0]))),
            values=Spread.of(self._means),
            mean_value=average(self._means),
            grey_share=float(grey / pixels) if pixels else None,
            float_range=(min(self._floats), max(self._floats)) if self._floats else None,
        )

    def _overall(self, binary: bool) -> Iterator[Remark]:
        """Yield what only the whole set tells."""
        yield from (("missing", stem) for stem in self._entries if stem not in self.records.keys() | self._refused)
        most = 2 * len(self._truths) > self._comparable
        if not self.may_be_truth:
            yield from (("ground_truth" if most else "some_ground_truth", stem) for stem in self._truths)
        if binary:
            yield "binary", f"{len(self._means)} maps"


def short(file: Path) -> str:
    """Return the file's name with its folder's."""
    return Path(*file.parts[-2:]).as_posix()


def _format(file: Path) -> str:
    """Return the format of a map's file, as its header shows it."""
    if file.suffix.lower() == ".npy":
        return "NPY, float"
    with Image.open(file) as header:
        return f"{header.format}, {_MODES.get(header.mode, header.mode)}"


def _is_truth(levels: Image8, mask: Image8) -> bool:
    """Whether a map holds just what a mask of its image does, either as stored or cut in two at > 127."""
    if levels.shape != mask.shape:
        return False
    return bool(
        np.array_equal(levels, mask) or np.array_equal(levels, np.where(mask > 127, np.uint8(255), np.uint8(0)))
    )


def _counted(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in numbers.items())
