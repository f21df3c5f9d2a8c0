"""What a type of detector is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sodlift.datasets.manifest import Manifest
from sodlift.detectors._health import CheckedWriter, MapsReport
from sodlift.errors import MapError, WeightsError, listed
from sodlift.fingerprint import fingerprint
from sodlift.mapset import MapSet, MapWriter, new_mapset
from sodlift.progress import track

if TYPE_CHECKING:
    from sodlift.detectors._deep import DeepDetector
    from sodlift.training.job import TrainingJob


@dataclass(frozen=True)
class Machine:
    """What a detector runs on.

    Attributes
    ----------
    workers : int
        Processes or threads that it may use at most.
    device : str
        Where a network runs: ``cpu``, ``cuda``, ``cuda:1``, or ``auto``, a GPU where there is one.
    precision : str
        Arithmetic of a network: ``float32`` or ``bfloat16``.
    """

    workers: int = 1
    device: str = "cpu"
    precision: Literal["float32", "bfloat16"] = "float32"


ONE_WORKER = Machine()

Run = Callable[[Any, Manifest, CheckedWriter, Machine], None]


class ModelOptions(Protocol):
    """Options of a detector that learns."""

    @property
    def model(self) -> Path | None:
        """The file of the trained model; None where the run trains it, until it has."""
        ...


def model_files(options: ModelOptions, dataset: str) -> list[Path]:
    """Return the model file, where the options name one, for any data set; raises WeightsError if it is missing."""
    if options.model is None:
        return []
    if not options.model.is_file():
        raise WeightsError("model file not found", where=options.model, mend="put it there, or correct `model`")
    return [options.model]


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
        ``run(options, manifest, writer, machine)`` adds the prior map of every image in ``manifest`` to ``writer``, at
        the map's own size. The maps do not depend on ``machine.workers``, but for the last bits of a deep detector's.
        Raises MapError, DataError, WeightsError, ConfigError or MissingDependencyError, or leaves it to the writer to
        tell every map that it refuses.
    files : callable
        ``files(options, dataset)`` names the files that the maps of a data set are made of, besides its images, without
        reading any; a change of them makes the maps anew. None by default. Raises SodliftError.
    seen : callable
        ``seen(options)`` returns the SHA-256 of every image that the detector was trained on, as far as its model
        tells. Raises ConfigError or WeightsError.
    divisible : bool
        Whether parts of a data set can be worked on apart from each other.
    learns_from : str or None
        What a detector that has to be trained learns from: ``images`` alone, the ``priors`` of other detectors beside
        them, or ``masks``; None where none has to. ``train`` is given where one has.
    train : callable or None
        ``train(options, job)`` writes the model file ``job.output``, whole or not at all; it does not depend on
        ``job.threads`` but for the last bits of a network. Raises SodliftError.
    load : callable or None
        ``load(options, device)`` returns a deep detector, ready for single images; None for the other types.
        Raises ConfigError or WeightsError.
    """

    title: str
    options: type
    run: Run
    files: Callable[[Any, str], Iterable[Path]] = _no_files
    seen: Callable[[Any], frozenset[str]] = _nothing_seen
    divisible: bool = False
    learns_from: Literal["images", "priors", "masks"] | None = None
    train: "Callable[[Any, TrainingJob], None] | None" = None
    load: "Callable[[Any, str], DeepDetector] | None" = None

    @property
    def deep(self) -> bool:
        """Whether it runs a network by torch, so that a GPU helps. Its training writes a log, a report and a figure."""
        return self.load is not None

    def needs_training(self, options: Any) -> bool:
        """Return whether a detector with these options has to be trained."""
        return self.train is not None and options.trained

    def needs(self, options: Any) -> str | None:
        """Return the detector whose maps one with these options takes, None for most."""
        needed: str | None = getattr(options, "needs", None)
        return needed

    def make(
        self, name: str, options: Any, manifest: Manifest, folder: str | Path, machine: Machine = ONE_WORKER
    ) -> MapsReport:
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
        machine : Machine
            What it runs on.

        Raises
        ------
        MapError
            If the report holds errors: one message lists them all.
        DataError
            If an image or a mask cannot be read.
        """
        with new_mapset(folder) as plain:
            writer = self._writer(plain, options, manifest)
            self.run(options, manifest, writer, machine)
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
        return fingerprint(partial(self.files, options, dataset))
