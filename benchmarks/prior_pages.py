"""Pictures of the priors' pages: ``python benchmarks/prior_pages.py [prior ...] [--model FILE]``.

Draws, for each prior, two demo images with their steps and map into ``docs/priors/<name>.png``, and, of all of them, a
contact sheet over twelve demo images into ``docs/priors/contact_sheet.png``. With ``--images FOLDER --sheet FILE`` only
a contact sheet is drawn, of twelve images spread over that folder. A prior that learns is left out unless ``--model``
names its trained file.
"""

import argparse
from pathlib import Path
from typing import Any

from sodlift.arrays import read_image
from sodlift.demo import demo_root
from sodlift.plots.gallery import GalleryRow, gallery, save_gallery
from sodlift.priors import PRIORS

PAGES = Path(__file__).resolve().parents[1] / "docs" / "priors"
SHOWN = ("composite_021", "composite_034")
"""The demo images of the pages."""

SHEET_ROWS = 12
STEP_CELL, SHEET_CELL = (130, 98), (92, 69)


def page(name: str, params: Any) -> None:
    """Draw the picture of one prior's page: image, steps and map."""
    images, prior = [read_image(demo_root() / "images" / f"{stem}.jpg") for stem in SHOWN], PRIORS.get(name)
    steps = [prior.steps(image, params) for image in images]
    rows = [GalleryRow("", (image, *found.values())) for image, found in zip(images, steps, strict=True)]
    save_gallery(gallery(rows, ["image", *steps[0]], cell=STEP_CELL), PAGES / f"{name}.png")


def spread(folder: Path) -> list[Path]:
    """Return twelve images spread evenly over a folder."""
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in {".jpg", ".png"})
    return files[:: max(1, len(files) // SHEET_ROWS)][:SHEET_ROWS]


def contact_sheet(priors: dict[str, Any], files: list[Path], target: Path) -> None:
    """Draw the maps of priors, by name and with their parameters: a row an image."""
    images = [read_image(file) for file in files]
    methods = [(PRIORS.get(name), params) for name, params in priors.items()]
    rows = [GalleryRow("", (image, *(prior.compute(image, params) for prior, params in methods))) for image in images]
    save_gallery(gallery(rows, ["image", *(prior.title for prior, _ in methods)], cell=SHEET_CELL), target)


def ready(names: list[str], model: Path | None) -> dict[str, Any]:
    """Return the priors that can be drawn, each with its parameters; says which learn and have no model."""
    found = {}
    for name in names:
        prior = PRIORS.get(name)
        if prior.learning is None:
            found[name] = prior.params()
        elif model is not None:
            found[name] = prior.params(model=model)
        else:
            print(f"{name} is left out: it learns, and no --model is given")
    return found


def main() -> None:
    """Draw the pictures of the priors named on the command line, or of all."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the priors' pages.")
    parser.add_argument("priors", nargs="*", metavar="prior", help="all, where none is named")
    parser.add_argument("--images", type=Path, help="folder of images for a contact sheet alone")
    parser.add_argument("--sheet", type=Path, help="file of that sheet")
    parser.add_argument("--model", type=Path, help="trained model file of the priors that learn")
    arguments = parser.parse_args()
    if (arguments.images is None) != (arguments.sheet is None):
        parser.error("--images and --sheet go together")
    priors = ready(arguments.priors or PRIORS.names(), arguments.model)
    if arguments.images:
        contact_sheet(priors, spread(arguments.images), arguments.sheet)
        return
    for name, params in priors.items():
        page(name, params)
        print(f"{name}: drawn")
    if not arguments.priors:
        contact_sheet(priors, spread(demo_root() / "images"), PAGES / "contact_sheet.png")


if __name__ == "__main__":
    main()
