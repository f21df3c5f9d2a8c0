"""What a type of detector is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sodlift.datasets.manifest import Manifest
from sodlift.detectors._health import CheckedWriter, MapsReport
from sodlift.errors import MapError, SodliftError, listed
from sodlift.mapset import MapSet, MapWriter, new_mapset
from sodlift.progress import track

Run = Callable[[Any, Manifest, CheckedWriter, int], None]
Train = Callable[[Any, Sequence[Manifest], Path, int, int], None]


def _no_files(options: Any, dataset: str) -> Iterable[Path]:
    return ()


def _nothing_seen(options: Any) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True)
class DetectorType:
    """One registered kind of detector; the configuration's rows give it options.

    Attributes
    ----------
    title : str
        What it is, in a few words.
    options : type
        Frozen dataclass of its options; an attribute ``modules`` names what they load by name. Of a type that can be
        trained, ``trained`` tells whether a detector with these options has to be, ``model`` is the file that they name
        (None where they name none), and ``with_model(file)`` returns them with that file. Of a type that takes the maps
        of another detector, ``needs`` names it, and the workflow fills in ``maps``, the folder of these maps.
    run : callable
        ``run(options, manifest, writer, workers)`` adds the prior map of every image in ``manifest`` to ``writer``, at
        the map's own size, using at most ``workers`` processes or threads. The maps do not depend on ``workers``.
        Raises MapError, DataError, WeightsError, ConfigError or MissingDependencyError, or leaves it to the writer to
        tell every map that it refuses.
    files : callable
        ``files(options, dataset)`` names the files that the maps of a data set are made of, besides its images, without
        reading any; a change of them makes the maps anew. None by default. Raises SodliftError.
    train : callable, optional
        ``train(options, manifests, model, seed, workers)`` writes the file ``model``, whole or not at all; it does not
        depend on ``workers``. Raises DataError or MissingDependencyError.
    seen : callable
        ``seen(options)`` returns the SHA-256 of every image that the detector was trained on, as far as its model
        tells. Raises ConfigError or WeightsError.
    divisible : bool
        Whether parts of a data set can be worked on apart from each other.
    """

    title: str
    options: type
    run: Run
    files: Callable[[Any, str], Iterable[Path]] = _no_files
    train: Train | None = None
    seen: Callable[[Any], frozenset[str]] = _nothing_seen
    divisible: bool = False

    def needs_training(self, options: Any) -> bool:
        """Return whether a detector with these options has to be trained."""
        return self.train is not None and options.trained

    def needs(self, options: Any) -> str | None:
        """Return the detector whose maps one with these options takes, None for most."""
        needed: str | None = getattr(options, "needs", None)
        return needed

    def make(self, name: str, options: Any, manifest: Manifest, folder: str | Path, workers: int = 1) -> MapsReport:
        """Write the maps of every image of a data set, whole or not at all, and return their health.

        Parameters
        ----------
        name : str
            Name of the detector.
        options : object
            An instance of ``self.options``.
        manifest : Manifest
            The images.
        folder : path
            The map set to be.
        workers : int
            Number of processes.

        Raises
        ------
        MapError
            If the report holds errors: one message lists them all.
        DataError
            If an image or a mask cannot be read.
        """
        with new_mapset(folder) as plain:
            writer = self._writer(plain, options, manifest)
            self.run(options, manifest, writer, workers)
            report = writer.report(name)
            report.raise_errors(writer.source)
        return report

    def join(
        self, name: str, options: Any, manifest: Manifest, folder: str | Path, parts: Iterable[str | Path]
    ) -> MapsReport:
        """Write one map set out of those of the data set's parts: the same bytes and report as ``make`` gives.

        Parameters
        ----------
        name, options, manifest, folder
            As ``make`` takes them.
        parts : iterable of path
            The map sets of all parts.

        Raises
        ------
        MapError
            If an image has no map in any part, or in two.
        DataError
            If a mask cannot be read.
        """
        found: dict[str, MapSet] = {}
        for part in map(MapSet, parts):
            if twice := found.keys() & part.records.keys():
                raise MapError(f"maps in two parts: {listed(sorted(twice))}", where=part.folder, mend="make them anew")
            found |= dict.fromkeys(part.records, part)
        with new_mapset(folder) as plain:
            writer = self._writer(plain, options, manifest)
            for entry in track(manifest.entries, f"maps of {manifest.dataset}"):
                if entry.stem in found:
                    writer.adopt(found[entry.stem], entry.stem)
            report = writer.report(name)
            report.raise_errors()
        return report

    def _writer(self, plain: MapWriter, options: Any, manifest: Manifest) -> CheckedWriter:
        return CheckedWriter(plain.folder, plain.records, manifest=manifest, seen=self.seen(options))

    def fingerprint(self, options: Any, dataset: str) -> str:
        """Return a short hash of the names and sizes of ``files``, without reading any.

        Where they cannot be found, it is the hash of the error, which ``run`` will raise.
        """
        try:
            facts = [f"{file.name} {file.stat().st_size}" for file in self.files(options, dataset)]
        except SodliftError as error:
            facts = [str(error)]
        return sha256("\0".join(facts).encode(errors="surrogateescape")).hexdigest()[:16]
