"""Protocols: the named, hashed sets of choices under which metrics are computed.

The same maps score several hundredths apart under different choices of normalisation, ground-truth rule and
thresholds, so every number carries the protocol's name and hash. Adding a protocol is adding one YAML file to
``config/protocols``, which the installed library carries with it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sodlift.arrays import MASK_RULES, Grey
from sodlift.document import read_document
from sodlift.evaluation.fit import FILTERS, REFUSE
from sodlift.metrics._pair import COMPARISONS, LEVELS, NORMS, Choices, Thresholds
from sodlift.options import build
from sodlift.problems import Problem, one_of, raise_any, shown, suggestion
from sodlift.registry import unknown_name
from sodlift.schema import read_schema, schema_problems

Role = Literal["prior", "refined"]
"""What a map is: the unrefined baseline, or a refiner's output."""

FOLDER = Path(__file__).resolve().parents[1] / "shipped" / "protocols"
"""The shipped protocols."""

_SCHEMA = FOLDER.parent / "schemas" / "protocol.schema.json"
_PROSE = ("name", "title", "source", "reports")


@dataclass(frozen=True)
class DropRule:
    """Which images leave the test set, by their raw prior map in [0, 1].

    Attributes
    ----------
    max_below, min_above : float
        An image goes if its prior's maximum is below the first or its minimum above the second.
    """

    max_below: float
    min_above: float

    def drops(self, prior: Grey) -> bool:
        """Whether the image of this prior map leaves the test set."""
        low, high = (float(bound) / prior.full for bound in (prior.values.min(), prior.values.max()))
        return high < self.max_below or low > self.min_above


@dataclass(frozen=True)
class Protocol:
    """One way of scoring.

    Attributes
    ----------
    name, title, source : str
        Key, what it stands for, and where it comes from.
    reports : mapping of str to str
        What the source calls its numbers, and which metric here each of them is.
    prior_norm, refined_norm : str
        Normalisation of baseline and of refined maps; one of ``NORMS``.
    quantise : str
        ``trunc8`` truncates maps that are not 8-bit to 8 bits before anything else; ``none`` takes them as stored.
    gt_rule : str
        How a grey ground truth becomes binary; one of ``arrays.MASK_RULES``.
    size : str
        Size at which scores are taken: ``mask`` (the ground truth's) or ``image``.
    resize : str
        Filter for maps of another size; for masks too where ``size`` is ``image``. One of ``FILTERS``,
        or ``refuse``.
    thresholds : Thresholds
        The curves' thresholds, the comparisons and the adaptive threshold's cap.
    precision_of_nothing : float
        Precision where nothing is predicted: 0, or 1.
    empty_gt : str
        Images whose ground truth is empty: ``keep`` scores them, ``skip`` leaves them out, and ``special`` scores them
        with the metrics that have a rule of their own for them (MAE, S-measure, E-measure) and with no other.
    s_quadrant : str
        A quadrant without pixels, where the S-measure is not a number: ``ignore`` has it weigh nothing; ``nan`` makes
        the image's score NaN, and the mean's.
    missing : str
        Images without a map: ``error``, or ``leave_out``, which counts them.
    drop : DropRule or None
        Which images leave the test set.

    Raises
    ------
    ConfigProblems
        If a choice is not among those that exist; all such are listed.
    """

    name: str
    title: str
    source: str
    reports: Mapping[str, str] = field(default_factory=dict)
    prior_norm: str = "minmax"
    refined_norm: str = "minmax"
    quantise: str = "none"
    gt_rule: str = "gt128"
    size: str = "mask"
    resize: str = "bilinear"
    thresholds: Thresholds = field(default_factory=Thresholds)
    precision_of_nothing: float = 0.0
    empty_gt: str = "keep"
    s_quadrant: str = "ignore"
    missing: str = "error"
    drop: DropRule | None = None

    def __post_init__(self) -> None:
        checks: list[tuple[str, object, Iterable[object]]] = [
            ("prior_norm", self.prior_norm, NORMS),
            ("refined_norm", self.refined_norm, NORMS),
            ("quantise", self.quantise, ("none", "trunc8")),
            ("gt_rule", self.gt_rule, MASK_RULES),
            ("size", self.size, ("mask", "image")),
            ("resize", self.resize, (*FILTERS, REFUSE)),
            ("thresholds.levels", self.thresholds.levels, LEVELS),
            ("thresholds.comparison", self.thresholds.comparison, COMPARISONS),
            ("thresholds.e_comparison", self.thresholds.e_comparison, COMPARISONS),
            ("precision_of_nothing", self.precision_of_nothing, (0, 1)),
            ("empty_gt", self.empty_gt, ("keep", "skip", "special")),
            ("s_quadrant", self.s_quadrant, ("ignore", "nan")),
            ("missing", self.missing, ("error", "leave_out")),
        ]
        raise_any(
            Problem(key, f"{shown(value)} is not allowed", one_of(known), suggestion(value, known))
            for key, value, known in checks
            if value not in known
        )

    @cached_property
    def hash(self) -> str:
        """Twelve hexadecimal digits over every choice that is not the reference's.

        Name, title, source and the names of what is reported are prose and do not count: one hash is one set of
        choices. A choice that a later version adds leaves the hashes of all protocols that do not make it.
        """
        choices = {key: value for key, value in asdict(self).items() if key not in _PROSE and value != _REFERENCE[key]}
        return hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()[:12]

    def choices(self, role: Role) -> Choices:
        """Return what metrics need to know of the protocol for maps of this role."""
        norm = self.prior_norm if role == "prior" else self.refined_norm
        return Choices(norm, self.thresholds, self.precision_of_nothing, self.empty_gt, self.s_quadrant)

    def quantised(self, grey: Grey) -> Grey:
        """Return the map as the protocol has it stored."""
        if self.quantise == "none" or grey.values.dtype == np.uint8:
            return grey
        return Grey(np.trunc(grey.values / grey.full * 255).astype(np.uint8), 255.0, grey.notes)


_REFERENCE: dict[str, Any] = asdict(Protocol("", "", ""))
"""PySODMetrics' choices."""


def protocol_names(folder: str | Path = FOLDER) -> list[str]:
    """Return the names of the protocols in a folder of YAML files, sorted."""
    return sorted(file.stem for file in Path(folder).glob("*.yaml"))


def load_protocol(name_or_path: str | Path, folder: str | Path = FOLDER) -> Protocol:
    """Load a protocol by its name in ``folder``, or from the path of a YAML file.

    Parameters
    ----------
    name_or_path : str or Path
        A name such as ``pysod``, or a path that ends in ``.yaml``.
    folder : str or Path
        The folder of protocols; the shipped ones by default.

    Raises
    ------
    UnknownNameError
        If the folder has no protocol of the name; a near match is proposed.
    ConfigError
        If the file is missing, not YAML, or breaks the schema (every breach is listed).
    """
    folder, path = Path(folder), Path(name_or_path)
    if path.suffix != ".yaml":
        known = protocol_names(folder)
        if str(name_or_path) not in known:
            raise unknown_name("protocol", str(name_or_path), known, folder)
        path = folder / f"{name_or_path}.yaml"
    document = read_document(path)
    problems = schema_problems(document.data, read_schema(_SCHEMA))
    if not problems and document.data["name"] != path.stem:
        problems = [Problem("name", f"protocol '{document.data['name']}' in a file of another name", path.stem)]
    raise_any(document.locate(problems), f"protocol {path.name}")
    return build(Protocol, document.data)
