"""The health report of a data set: what is wrong with it, what is odd about it, and its sizes at a glance."""

from collections.abc import Mapping
from dataclasses import dataclass

from sodlift.datasets.report import Kind, Report, Spread, shares
from sodlift.errors import listed

KINDS: dict[str, Kind] = {
    "count": Kind(
        "error",
        "another number of images than expected",
        "complete the data set, correct `expected` in its row, or set `expected: null`",
    ),
    "unreadable": Kind("error", "files that cannot be read", "mend or fetch these files again"),
    "size": Kind("error", "masks of another size than their image", "fetch image and mask from the same release"),
    "transposed": Kind(
        "error", "masks transposed against their image", "rotate the mask, or apply the image's EXIF orientation to it"
    ),
    "changed": Kind(
        "error", "files that changed after the manifest was written", "restore them, or run the datasets stage again"
    ),
    "unused": Kind("warning", "files that belong to no image", "remove them, or correct the patterns and suffixes"),
    "no_mask": Kind("warning", "images without a mask", "none needed for inference; they cannot be evaluated"),
    "non_binary": Kind("warning", "masks that are not binary", "choose the ground-truth rule on purpose"),
    "zero_one": Kind(
        "warning", "masks that hold 0 and 1 in place of 0 and 255", "use the rule `nonzero`, or scale the masks to 255"
    ),
    "dim": Kind("warning", "masks whose brightest value is below 255", "check that > 128 is the rule you mean"),
    "empty": Kind("warning", "masks without a pixel > 128", "decide in the protocol what an empty mask counts"),
    "full": Kind("warning", "masks without a pixel <= 128", "check that the masks are not inverted"),
    "mask_format": Kind("warning", "masks in an unusual format", "none needed; they are read as documented"),
    "image_grey": Kind("warning", "images without colour", "none needed; they are read as equal channels"),
    "image_palette": Kind("warning", "images with a palette", "none needed; the palette is resolved"),
    "image_16bit": Kind("warning", "images of 16 bits a channel", "none needed; the high byte is used"),
    "image_alpha": Kind("warning", "images with transparency", "none needed; it is dropped, colours stay as stored"),
    "image_cmyk": Kind("warning", "images in CMYK", "convert them yourself where colour accuracy matters"),
    "image_rotated": Kind(
        "warning", "images with an EXIF orientation", "none needed where masks fit the stored pixels: it is not applied"
    ),
    "duplicate": Kind("warning", "images that are byte for byte the same", "keep one of each"),
    "near_duplicate": Kind("warning", "images that are near-identical", "keep one of each, or count them as one"),
}
"""Every kind of finding, in the order in which reports list them."""


@dataclass(frozen=True)
class HealthReport(Report):
    """What was found in one data set.

    Attributes
    ----------
    dataset : str
        Its name.
    images, masks : int
        Number of images that could be read, and of their masks that could.
    found : int
        Number of images that there are, before any subset.
    expected : int or None
        Number of images that there should be; None where that is open.
    splits : dict
        Number of images of each split; empty for a data set without splits.
    distinct_sizes : int
        Number of different image sizes.
    height, width : Spread or None
        In pixels.
    foreground : Spread or None
        Share of mask pixels > 128, over the masks.
    mean_foreground : float or None
        Mean of that share over the masks.
    mask_levels : tuple of int
        Grey levels (in 8 bits) that occur in any mask.
    grey_share : float or None
        Share of mask pixels that are neither 0 nor 255, over all masks.
    """

    dataset: str
    images: int
    masks: int
    found: int
    expected: int | None
    splits: dict[str, int]
    distinct_sizes: int
    height: Spread | None
    width: Spread | None
    foreground: Spread | None
    mean_foreground: float | None
    mask_levels: tuple[int, ...]
    grey_share: float | None

    @property
    def subject(self) -> str:
        """The data set."""
        return f"data set '{self.dataset}'"

    def facts(self) -> Mapping[str, str]:
        """Return counts, sizes and what the masks hold."""
        return {
            "Images": f"{self.images} of {self.found}"
            + (f", {self.expected} expected" if self.expected is not None else ""),
            "Masks": str(self.masks),
            "Splits": ", ".join(f"{split or '(none)'}: {n}" for split, n in self.splits.items()),
            "Image sizes": f"{self.distinct_sizes} different",
            "Height": _pixels(self.height),
            "Width": _pixels(self.width),
            "Foreground": shares(self.foreground, self.mean_foreground),
            "Mask levels": _levels(self.mask_levels, self.grey_share),
        }


def _pixels(spread: Spread | None) -> str:
    return f"{spread.min:g} to {spread.max:g} pixels, median {spread.median:g}" if spread else ""


def _levels(levels: tuple[int, ...], grey_share: float | None) -> str:
    return f"{listed(levels, 16)}; {grey_share:.2%} of the pixels are grey" if levels else ""
