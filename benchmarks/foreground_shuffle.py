"""How much of MIRM is the relation: ``python benchmarks/foreground_shuffle.py CONFIG REFINER DATASET [DETECTOR ...]``.

Every image is refined with its own foreground vector F_fg, with that of the image before it (the last one's for the
first), and with that of its own background (F_fg under 1 - prior). If the first two score alike, what is gained over
the prior is the network's own saliency, not the relation; a network that compares would find the background by the
third. The network's map is scored alone too, before it is merged with the prior. The run must have been made.
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from sodlift.arrays import FloatMap, Image8, read_image, resize
from sodlift.config.load import load_run
from sodlift.config.run import Run
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.evaluation.protocols import Protocol, load_protocol
from sodlift.evaluation.run import evaluate_maps
from sodlift.mapset import MapSet, MapWriter, new_mapset
from sodlift.progress import track
from sodlift.refiners.mirm.refine import MirmRefiner, load, merge, stretch

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCES = ("own", "other", "background")
"""Whose mean features are F_fg."""

KINDS = (*SOURCES, *(f"{source}, not merged" for source in SOURCES))


def predictions(refiner: MirmRefiner, manifest: Manifest, priors: MapSet, writers: dict[str, MapWriter]) -> None:
    """Refine all images with certain foreground and background in the ways of ``KINDS``; others keep their prior."""
    theta = refiner.options.theta_fg
    entries, vectors = [], []
    for entry in track(manifest.entries, f"{manifest.dataset}, vectors"):
        image, prior = _at_network_size(refiner, entry, priors)
        if min(prior.max(), 1 - prior.min()) >= theta:
            entries.append(entry)
            vectors.append([refiner.foreground_vector(image, side, theta) for side in (prior, 1 - prior)])
        else:
            for writer in writers.values():
                writer.add(entry.stem, _prior(entry, priors))
    for i, entry in enumerate(track(entries, f"{manifest.dataset}, maps")):
        image, prior = _at_network_size(refiner, entry, priors)
        (own, background), (other, _) = vectors[i], vectors[i - 1]
        for source, vector in zip(SOURCES, (own, other, background), strict=True):
            predicted = resize(refiner.predict(image, prior, theta, vector), (entry.height, entry.width))
            writers[source].add(entry.stem, stretch(merge(_prior(entry, priors), predicted)))
            writers[f"{source}, not merged"].add(entry.stem, predicted)


def _at_network_size(refiner: MirmRefiner, entry: Entry, priors: MapSet) -> tuple[Image8, FloatMap]:
    return refiner.at_network_size(read_image(entry.image), _prior(entry, priors))


def _prior(entry: Entry, priors: MapSet) -> FloatMap:
    return resize(priors.read(entry.stem), (entry.height, entry.width), "lanczos")


def compare(run: Run, refiner: MirmRefiner, dataset: str, detector: str, protocol: Protocol) -> None:
    """Print one line of adaptive F / MAE for the prior and for each of ``KINDS``."""
    manifest = Manifest.load(run.results / "datasets" / dataset / "manifest.csv")
    priors = MapSet(run.results / "priors" / dataset / detector)
    with tempfile.TemporaryDirectory() as folder:
        made = {kind: Path(folder) / kind.replace(", ", "_") for kind in KINDS}
        with ExitStack() as stack:
            writers = {kind: stack.enter_context(new_mapset(path)) for kind, path in made.items()}
            predictions(refiner, manifest, priors, writers)
        cells = [f"{detector:12s}", _score(manifest, priors, priors, protocol, prior=True)]
        cells += [_score(manifest, MapSet(path), priors, protocol, prior=False) for path in made.values()]
    print("  ".join(cells), flush=True)


def _score(manifest: Manifest, maps: MapSet, priors: MapSet, protocol: Protocol, *, prior: bool) -> str:
    scores = evaluate_maps(manifest, maps, priors, [protocol], "prior" if prior else "refined").scores
    found = {score.metric: score.value for score in scores}
    return f"{found['adpF']:.4f}/{found['MAE']:.4f}"


def main() -> None:
    """Compare over the detectors named, or every detector of the run that has maps of the data set."""
    parser = argparse.ArgumentParser(description="Refine with the foreground of another image.")
    parser.add_argument("config", type=Path)
    parser.add_argument("refiner")
    parser.add_argument("dataset")
    parser.add_argument("detectors", nargs="*", metavar="DETECTOR")
    parser.add_argument("--protocol", default="pysod_gt127")
    arguments = parser.parse_args()
    run = load_run(arguments.config)
    of = (arguments.dataset, arguments.refiner)
    there = [cell.detector for cell in run.scored_cells if (cell.dataset, cell.refiner) == of]
    if unknown := set(arguments.detectors) - set(there):
        parser.error(
            f"the run scores no {', '.join(sorted(unknown))} with {of[1]} on {of[0]}; it has {', '.join(there)}"
        )
    options = run.refiner(arguments.refiner).options
    refiner = load(options, run.results / "models" / arguments.refiner / "model.pt", "cpu")
    protocol = load_protocol(arguments.protocol)
    print(f"{'detector':12s}  {'prior':13s}  " + "  ".join(f"{kind:13s}" for kind in KINDS))
    for detector in arguments.detectors or there:
        compare(run, refiner, arguments.dataset, detector, protocol)


if __name__ == "__main__":
    main()
