"""How much of MIRM is the relation: ``python benchmarks/foreground_shuffle.py CONFIG REFINER DATASET``.

Every image is refined with its own foreground vector F_fg and with that of the image before it, the last one's for the
first. If the two score alike, what is gained over the prior is the network's own saliency, not the relation. The
network's map is scored alone too, before it is merged with the prior. The run must have been made.
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from sodlift.arrays import FloatMap, read_image, resize
from sodlift.config.load import load_run
from sodlift.config.run import Run
from sodlift.datasets.manifest import Entry, Manifest
from sodlift.evaluation.protocols import Protocol, load_protocol
from sodlift.evaluation.run import evaluate_maps
from sodlift.mapset import MapSet, MapWriter, new_mapset
from sodlift.progress import track
from sodlift.refiners.mirm.refine import MirmRefiner, decide, load, merge, stretch

REPOSITORY = Path(__file__).resolve().parents[1]
KINDS = ("own", "other", "own, not merged", "other, not merged")


def predictions(refiner: MirmRefiner, manifest: Manifest, priors: MapSet, writers: dict[str, MapWriter]) -> None:
    """Refine all images with a certain foreground in the ways of ``KINDS``; of the others the prior is kept."""
    entries = [entry for entry in manifest.entries if _prior(entry, priors).max() >= refiner.options.theta_fg]
    kept = [entry for entry in manifest.entries if entry not in entries]
    for entry in kept:
        for writer in writers.values():
            writer.add(entry.stem, _prior(entry, priors))
    vectors = []
    for entry in entries:
        image, prior = refiner.at_network_size(read_image(entry.image), _prior(entry, priors))
        vectors.append(refiner.foreground_vector(image, prior, decide(prior, refiner.options).theta_fg))
    for i, entry in enumerate(track(entries, manifest.dataset)):
        prior = _prior(entry, priors)
        small_image, small_prior = refiner.at_network_size(read_image(entry.image), prior)
        for name, vector in (("own", vectors[i]), ("other", vectors[i - 1])):
            predicted = refiner.predict(small_image, small_prior, refiner.options.theta_fg, vector)
            predicted = resize(predicted, (entry.height, entry.width))
            writers[name].add(entry.stem, stretch(merge(prior, predicted)))
            writers[f"{name}, not merged"].add(entry.stem, predicted)


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
    """Compare over every detector of the run that has maps of the data set."""
    parser = argparse.ArgumentParser(description="Refine with the foreground of another image.")
    parser.add_argument("config", type=Path)
    parser.add_argument("refiner")
    parser.add_argument("dataset")
    parser.add_argument("--protocol", default="pysod_gt127")
    arguments = parser.parse_args()
    run = load_run(arguments.config)
    options = run.refiner(arguments.refiner).options
    refiner = load(options, run.results / "models" / arguments.refiner / "model.pt", "cpu")
    protocol = load_protocol(arguments.protocol)
    print("detector      prior          " + "  ".join(f"{kind:13s}" for kind in KINDS))
    for cell in run.scored_cells:
        if cell.dataset == arguments.dataset and cell.refiner == arguments.refiner:
            compare(run, refiner, cell.dataset, cell.detector, protocol)


if __name__ == "__main__":
    main()
