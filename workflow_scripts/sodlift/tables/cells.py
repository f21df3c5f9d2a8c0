"""A table's cells: ours beside the printed number, with a verdict, or the reason why one of them is missing."""

from dataclasses import dataclass

from sodlift.statistics.significance import ALPHA, WinTieLoss
from sodlift.tables.compare import Printed, Verdict, verdict
from sodlift.tables.run_info import DatasetInfo, Labels, RunInfo
from sodlift.tables.scores import Score, Scores
from sodlift.tables.spec import TableSpec, Variant
from sodlift.tables.summary import BASELINE


@dataclass(frozen=True)
class Missing:
    """What a run lacks, so that a cell has no value: ``kind`` says what sort of thing, ``name`` which one."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"not in this run: {self.kind} {self.name}"


@dataclass(frozen=True)
class Significance:
    """A refined cell against its prior, image by image.

    Attributes
    ----------
    n, n_unpaired : int
        Images behind it; images that only one of prior and refined maps have.
    interval : (float, float) or None
        Bootstrap interval of the gain over images; None where there are too few.
    p, p_holm : float
        Of the Wilcoxon signed-rank test; the same corrected for the family.
    family : int
        Number of comparisons that were corrected for.
    outcome : WinTieLoss
        Images that became better, stayed equal and became worse.
    """

    n: int
    n_unpaired: int
    interval: tuple[float, float] | None
    p: float
    p_holm: float
    family: int
    outcome: WinTieLoss

    @property
    def significant(self) -> bool:
        """Whether the difference, a gain or a loss, is significant after correction."""
        return self.p_holm < ALPHA


@dataclass(frozen=True)
class Cell:
    """One number of a table.

    Attributes
    ----------
    method, detector : str
        The detector's name in the table, and its id; the id is empty if the run has no such detector.
    variant : str
        What is shown of it: the title of the table's variant.
    row, refiner : str
        The refiner's title, and its id; the id is empty if the run has no such refiner.
    dataset, dataset_id : str
        The data set's name in the table, and its id; the id is empty if the run does not have it.
    metric : str
        The measure, by our name.
    score, baseline : Score or None
        Our value, and that of the unrefined prior; None where the run has none.
    printed, printed_baseline : Printed or None
        The printed number, and that of the unrefined prior.
    verdict : Verdict or None
        The comparison; None where there is nothing to compare.
    missing : Missing or None
        Why the run has no score; None where it has one.
    marks : tuple of str
        The table's remarks on the printed number.
    significance : Significance or None
        The paired comparison with the prior; None where the table has none, or the measure is no mean over images.
    group : str
        The printed method that its line stands under, where lines of several detectors do; else empty.
    """

    method: str
    detector: str
    variant: str
    row: str
    refiner: str
    dataset: str
    dataset_id: str
    metric: str
    score: Score | None = None
    baseline: Score | None = None
    printed: Printed | None = None
    printed_baseline: Printed | None = None
    verdict: Verdict | None = None
    missing: Missing | None = None
    marks: tuple[str, ...] = ()
    significance: Significance | None = None
    group: str = ""

    @property
    def status(self) -> str:
        """``ok``, ``failed`` or ``missing``."""
        return "missing" if self.score is None else "failed" if self.score.value is None else "ok"

    @property
    def value(self) -> float | None:
        """Our value, if there is one."""
        return None if self.score is None else self.score.value

    @property
    def delta(self) -> float | None:
        """What the refiner adds to our value of the unrefined prior; None for that prior itself."""
        before = None if self.baseline is None else self.baseline.value
        return None if self.refiner == BASELINE or self.value is None or before is None else self.value - before

    @property
    def printed_delta(self) -> float | None:
        """What the refiner adds in print; None for the unrefined prior."""
        if self.refiner == BASELINE or self.printed is None or self.printed_baseline is None:
            return None
        return self.printed.value - self.printed_baseline.value


@dataclass(frozen=True)
class Row:
    """What the lines of a variant stand for; ids are empty where the run has nothing of the kind.

    Attributes
    ----------
    method, label : str
        The detector's name in the table, and the printed method that it stands for.
    detector : str
        Its id.
    variant : Variant
        What is shown of it.
    refiner : str
        The refiner's id, ``none`` for the unrefined prior.
    title : str
        The name of our line.
    group : str
        As ``Cell.group``.
    """

    method: str
    label: str
    detector: str
    variant: Variant
    refiner: str
    title: str
    group: str = ""


@dataclass(frozen=True)
class Counterpart:
    """The printed side of a cell and why, if so, it must not be compared with ours."""

    printed: Printed | None
    baseline: Printed | None
    reasons: tuple[str, ...]


def title_of(detector: str, labels: Labels) -> str:
    """Return our name of a detector."""
    return labels.get(detector, {}).get("title", detector)


def players(variant: Variant, run: RunInfo) -> list[str]:
    """Return the refiners of the run that play a paper's variant."""
    if variant.is_baseline:
        return [BASELINE]
    return [name for name, info in run.refiners.items() if not variant.select.differences(info)]


def counterpart(
    spec: TableSpec, paper: TableSpec, row: Row, dataset: DatasetInfo, metric: str, run: RunInfo
) -> Counterpart:
    """Return what ``paper`` prints of a row of the table ``spec``, for one data set and measure."""
    reasons: list[str] = []
    if not dataset.complete:
        reasons.append(dataset.note or f"only a part of {dataset.paper}")
    if spec.protocol != paper.protocol:
        reasons.append(f"other protocol ({spec.protocol}; the paper's is {paper.protocol})")
    if row.refiner and not row.variant.is_baseline:
        reasons += row.variant.comparable.differences(run.refiner(row.refiner))

    def printed(variant: str) -> Printed | None:
        text = paper.values.text(row.label, variant, dataset.paper, paper.metrics.get(metric, ""))
        return Printed(text, paper.source) if text and dataset.complete else None

    baseline = next((v.printed for v in paper.variants if v.is_baseline), "")
    return Counterpart(printed(row.variant.printed), printed(baseline), tuple(reasons))


def make_cell(
    spec: TableSpec,
    scores: Scores,
    run: RunInfo,
    row: Row,
    info: DatasetInfo,
    dataset: str,
    metric: str,
    there: Counterpart | None,
    marks: tuple[str, ...] = (),
) -> Cell:
    """Return the cell of a row for one data set (its id is empty where the run lacks it) and measure."""
    score = scores.get(row.refiner, row.detector, dataset, spec.protocol, metric)
    judged = None
    if there is not None and score is not None and score.value is not None:
        judged = verdict(score.value, there.printed, there.reasons, spec.tolerance)
    return Cell(
        method=row.method,
        detector=row.detector,
        variant=row.variant.title,
        row=row.title,
        refiner=row.refiner,
        dataset=info.title,
        dataset_id=dataset,
        metric=metric,
        score=score,
        baseline=scores.get(BASELINE, row.detector, dataset, spec.protocol, metric),
        printed=there.printed if there else None,
        printed_baseline=there.baseline if there else None,
        verdict=judged,
        missing=None if score is not None else _missing(spec, scores, run, row, info, dataset, metric),
        marks=marks,
        group=row.group,
    )


def _missing(
    spec: TableSpec, scores: Scores, run: RunInfo, row: Row, info: DatasetInfo, dataset: str, metric: str
) -> Missing:
    """Say what the run lacks, the broadest lack first."""
    on = f"{row.title if row.group else row.method} on {info.title}"
    lacks = (
        (not row.detector, Missing("detector", row.variant.detectors.get(row.label, row.label))),
        (not dataset, Missing("data set", info.paper)),
        (not row.refiner, Missing("refiner", f"({row.variant.select})")),
        (spec.protocol not in run.protocols, Missing("protocol", spec.protocol)),
        (not scores.evaluated(BASELINE, row.detector, dataset, spec.protocol), Missing("prior maps", on)),
        (
            not scores.evaluated(row.refiner, row.detector, dataset, spec.protocol),
            Missing("refined maps", f"{row.title} of {on}"),
        ),
    )
    return next((missing for lacking, missing in lacks if lacking), Missing("measure", metric))
