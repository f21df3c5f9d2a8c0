"""Pictures of the priors' pages: ``python benchmarks/prior_pages.py [prior ...] [--images FOLDER --sheet FILE]``.

Draws, for each prior that names its steps, two demo images with their steps and map into ``docs/priors/<name>.png``,
and a contact sheet of all priors over twelve demo images into ``docs/priors/contact_sheet.png``. With ``--images`` only
a contact sheet is drawn, of twelve images spread over that folder, into ``--sheet``.
"""

import argparse
from pathlib import Path

from sodlift.arrays import read_image
from sodlift.demo import demo_root
from sodlift.errors import SodliftError
from sodlift.plots.gallery import GalleryRow, gallery, save_gallery
from sodlift.priors import PRIORS

PAGES = Path(__file__).resolve().parents[1] / "docs" / "priors"
SHOWN = ("composite_021", "composite_034")
"""The demo images of the pages."""

SHEET_ROWS = 12
STEP_CELL, SHEET_CELL = (130, 98), (92, 69)


def page(name: str) -> None:
    """Draw the picture of one prior's page: image, steps and map."""
    images, prior = [read_image(demo_root() / "images" / f"{stem}.jpg") for stem in SHOWN], PRIORS.get(name)
    steps = [prior.steps(image, prior.params()) for image in images]
    rows = [GalleryRow("", (image, *found.values())) for image, found in zip(images, steps, strict=True)]
    save_gallery(gallery(rows, ["image", *steps[0]], cell=STEP_CELL), PAGES / f"{name}.png")


def spread(folder: Path) -> list[Path]:
    """Return twelve images spread evenly over a folder."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in {".jpg", ".png"})
    return files[:: max(1, len(files) // SHEET_ROWS)][:SHEET_ROWS]


def contact_sheet(names: list[str], files: list[Path], target: Path) -> None:
    """Draw the maps of all priors, a row an image."""
    images = [read_image(file) for file in files]
    priors = [PRIORS.get(name) for name in names]
    rows = [GalleryRow("", (image, *(prior.compute(image, prior.params()) for prior in priors))) for image in images]
    save_gallery(gallery(rows, ["image", *(prior.title for prior in priors)], cell=SHEET_CELL), target)


def ready(name: str) -> bool:
    """Whether a prior runs as it is, without a model; says why where not."""
    prior = PRIORS.get(name)
    try:
        prior.compute(read_image(demo_root() / "images" / f"{SHOWN[0]}.jpg"), prior.params())
    except SodliftError as error:
        print(f"{name} is left out: {error.what}")
        return False
    return True


def main() -> None:
    """Draw the pictures of the priors named on the command line, or of all."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the priors' pages.")
    parser.add_argument("priors", nargs="*", default=PRIORS.names(), metavar="prior")
    parser.add_argument("--images", type=Path, help="folder of images for a contact sheet alone")
    parser.add_argument("--sheet", type=Path, default=PAGES / "contact_sheet.png", help="the contact sheet's file")
    arguments = parser.parse_args()
    names = [name for name in arguments.priors if ready(name)]
    if not arguments.images:
        for name in names:
            page(name)
            print(f"{name}: drawn")
    contact_sheet(names, spread(arguments.images or demo_root() / "images"), arguments.sheet)


if __name__ == "__main__":
    main()
