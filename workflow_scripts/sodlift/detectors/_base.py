"""What a type of detector is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sodlift.datasets.manifest import Manifest
from sodlift.detectors._health import CheckedWriter, MapsReport
from sodlift.errors import SodliftError
from sodlift.mapset import new_mapset

Run = Callable[[Any, Manifest, CheckedWriter, int], None]


def _no_files(options: Any, dataset: str) -> Iterable[Path]:
    return ()


@dataclass(frozen=True)
class DetectorType:
    """One registered kind of detector; the configuration's rows give it options.

    Attributes
    ----------
    title : str
        What it is, in a few words.
    options : type
        Frozen dataclass of its options; an attribute ``modules`` names what they load by name.
    run : callable
        ``run(options, manifest, writer, workers)`` adds the prior map of every image in ``manifest`` to ``writer``, at
        the map's own size, using at most ``workers`` processes or threads. The maps do not depend on ``workers``.
        Raises MapError, DataError, WeightsError, ConfigError or MissingDependencyError, or leaves it to the writer to
        tell every map that it refuses.
    files : callable
        ``files(options, dataset)`` names the files that the maps of a data set are made of, besides its images, without
        reading any; a change of them makes the maps anew. None by default. Raises SodliftError.
    """

    title: str
    options: type
    run: Run
    files: Callable[[Any, str], Iterable[Path]] = _no_files

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
            writer = CheckedWriter(plain.folder, plain.records, manifest=manifest)
            self.run(options, manifest, writer, workers)
            report = writer.report(name)
            report.raise_errors(writer.source)
        return report

    def fingerprint(self, options: Any, dataset: str) -> str:
        """Return a short hash of the names and sizes of ``files``, without reading any.

        Where they cannot be found, it is the hash of the error, which ``run`` will raise.
        """
        try:
            facts = [f"{file.name} {file.stat().st_size}" for file in self.files(options, dataset)]
        except SodliftError as error:
            facts = [str(error)]
        return sha256("\0".join(facts).encode(errors="surrogateescape")).hexdigest()[:16]
