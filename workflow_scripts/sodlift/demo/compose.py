"""Write the demo data set: ``python -m sodlift.demo.compose --output DIR [--seed N] [--contact-sheet FILE]``."""

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from sodlift.atomic import atomic_file, atomic_folder
from sodlift.demo import COLUMNS, demo_root
from sodlift.demo.photos import SOURCES
from sodlift.demo.scenes import Scene, make_scene, plan_scenes
from sodlift.demo.sheet import contact_sheet

SEED = 7
"""Seed of the data set that is shipped."""

_QUALITY = 85
_OWN_LICENCE = "Apache-2.0"


def row(scene: Scene) -> dict[str, str]:
    """Return the scene's row of ``scenes.csv``."""
    licences = [SOURCES[name].licence for name in scene.photos] + ([] if scene.kind == "photo" else [_OWN_LICENCE])
    return {
        "stem": scene.stem,
        "split": scene.split,
        "kind": scene.kind,
        "objects": ";".join(scene.objects),
        "background": ";".join(scene.background),
        "source": ";".join(scene.photos) or "generated",
        "licence": ";".join(dict.fromkeys(licences)),
    }


def licences(scenes: Iterable[Scene]) -> str:
    """Return the text of ``LICENSES.md``: every photograph in the scenes with its author and licence."""
    used = sorted({name for scene in scenes for name in scene.photos})
    lines = [
        "# Licences of the demo data",
        "",
        "The masks, the outlines and everything rendered are part of sodlift (Apache-2.0). The photographs below were",
        "cropped, scaled, recoloured and combined; scenes.csv names those in each image. They come from the packages",
        "scikit-image (skimage) and scikit-learn (sklearn), whose documentation states these licences, and Matplotlib,",
        "whose portrait of Grace Hopper is an official photograph of the US Navy and as such in the public domain.",
        "CC BY 2.0 asks for the attribution given here: https://creativecommons.org/licenses/by/2.0/",
        "",
        "| name | title | author | licence | shipped as | origin |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in used:
        s = SOURCES[name]
        lines.append(f"| {name} | {s.title} | {s.author} | {s.licence} | {s.package}/{s.path} | <{s.url}> |")
    return "\n".join(lines) + "\n"


def write(output: Path, scenes: Iterable[Scene], seed: int) -> None:
    """Write images, masks, ``scenes.csv`` and ``LICENSES.md`` into the new folder ``output``; whole or not at all."""
    scenes = tuple(scenes)
    with atomic_folder(output) as part:
        (part / "images").mkdir()
        (part / "masks").mkdir()
        for scene in tqdm(scenes, unit="scene"):
            image, mask = make_scene(scene, seed)
            Image.fromarray(image).save(part / "images" / f"{scene.stem}.jpg", quality=_QUALITY, optimize=True)
            Image.fromarray(mask.astype(np.uint8) * 255).save(part / "masks" / f"{scene.stem}.png", optimize=True)
        with (part / "scenes.csv").open("w", newline="", encoding="utf-8") as handle:
            table = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(row(scene) for scene in scenes)
        (part / "LICENSES.md").write_text(licences(scenes), encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Compose the demo data set of sodlift.")
    parser.add_argument("--output", type=Path, help="new folder for the data set")
    parser.add_argument("--seed", type=int, default=SEED, help=f"seed of the scenes (default: {SEED})")
    parser.add_argument("--contact-sheet", type=Path, metavar="FILE", help="PNG showing every scene with its outline")
    options = parser.parse_args(arguments)
    if options.output is None and options.contact_sheet is None:
        parser.error("nothing to do: give --output, --contact-sheet or both")
    if options.output is not None:
        write(options.output, plan_scenes(options.seed), options.seed)
    if options.contact_sheet is not None:
        with atomic_file(options.contact_sheet) as part:
            contact_sheet(options.output or demo_root()).save(part, format="PNG", optimize=True)


if __name__ == "__main__":
    main()
