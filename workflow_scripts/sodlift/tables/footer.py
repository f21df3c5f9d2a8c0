"""What stands below a table: how its numbers came about, and what it lacks."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sodlift.statistics import LEVEL
from sodlift.statistics.significance import ALPHA
from sodlift.tables.cells import Cell
from sodlift.tables.compare import SIGNS, VERDICTS, Tolerance
from sodlift.tables.counted import ALWAYS, COUNTED
from sodlift.tables.measures import MEASURES
from sodlift.tables.run_info import DatasetInfo, RunInfo
from sodlift.tables.scores import Score, Scores
from sodlift.tables.spec import TableSpec

DAGGER = "†"
"""Mark of a significant difference."""

_NAMED = 6  # names listed before the rest is only counted


def footer(
    spec: TableSpec,
    cells: Sequence[Cell],
    shown: Sequence[Cell],
    datasets: dict[str, str],
    run: RunInfo,
    scores: Scores,
) -> Iterable[str]:
    """Yield the sentences below a table: protocol, images and counts, seeds, verdicts, what is missing, and notes."""
    about = run.protocols.get(spec.protocol, "")
    yield f"Protocol {spec.protocol}" + (f": {about}." if about else ".")
    for name, title in datasets.items():
        here = [(cell, cell.score) for cell in shown if cell.dataset_id == name and cell.score is not None]
        if here:
            part = _part(run.datasets[name])
            yield f"Images used / expected, {title}: {_images(here)}{part}." + _counts(spec, name, here, scores)
            yield from _leaks(title, run.datasets[name], max(score.n_expected for _, score in here))
    yield from _axes(spec, shown, run)
    yield from _verdicts(cells, spec.tolerance)
    if any(cell.value is not None for cell in shown):
        yield f"Bold: the best of {'a detector' if spec.rank == 'detector' else 'a column'} as displayed."
    yield from _absent(cells)
    yield from (note.text for note in spec.notes if note.general)


def _images(here: list[tuple[Cell, Score]]) -> str:
    """Say over how many images the values are: the usual number, then the rows with another one."""
    rows: dict[tuple[int, int], dict[str, None]] = {}
    for cell, score in here:
        rows.setdefault((score.n_used, score.n_expected), {})[f"{cell.row} of {cell.method}"] = None
    usual = max(rows, key=lambda n: len(rows[n]))
    others = [f"{n[0]}/{n[1]} for {_some(names)}" for n, names in rows.items() if n != usual]
    return "; ".join([f"{usual[0]}/{usual[1]}", *others])


def _part(dataset: DatasetInfo) -> str:
    """Say what was used of a data set where it is not complete."""
    return "" if dataset.complete or not dataset.note else f" ({dataset.note})"


def _leaks(title: str, dataset: DatasetInfo, expected: int) -> Iterable[str]:
    """Say how many images of a test set are accepted as known from training, and who was trained on all of them."""
    for trained, count in dataset.leaks.items():
        many = f"up to {count} of its {expected} images are" if count > 1 else f"1 of its {expected} images is"
        yield f"{title}: {many} near-identical to training images of {trained} (accepted)."
    if dataset.learners:
        yield f"{title}: scored in spite of training on its images (accepted): {_some(dataset.learners)}."


def _counts(spec: TableSpec, dataset: str, here: list[tuple[Cell, Score]], scores: Scores) -> str:
    """Say what the evaluation counted in these cells: what protocols treat differently, and all else that occurred."""
    found = scores.counted(dataset, spec.protocol, {(cell.detector, cell.refiner) for cell, _ in here})
    words = [
        f"{words}: {_range(low, high)}"
        for name, words in COUNTED.items()
        for low, high in ([found[name]] if name in found else [])
        if high > 0 or name in ALWAYS
    ]
    return f" Counted there: {'; '.join(words)}." if words else ""


def _axes(spec: TableSpec, shown: Sequence[Cell], run: RunInfo) -> Iterable[str]:
    """Say over what numbers vary: seeds and images are two axes."""
    seeds = ", ".join(map(str, run.seeds))
    spread = any(cell.score and cell.score.spread is not None for cell in shown)
    if spread:
        yield f"Mean ± sample standard deviation of the data sets' numbers over the seeds {seeds}."
    elif shown:
        yield f"Seed{'s' if len(run.seeds) > 1 else ''}: {seeds}."
    if any(cell.significance for cell in shown):
        level = f"{100 * LEVEL:g} %"
        over = "images, after the mean over seeds of each image" if spread else "images"
        yield f"In the CSV file, ci_low and ci_high bound the {level} bootstrap interval of the gain over {over}."
    untested = [measure.text for measure in map(MEASURES.__getitem__, spec.metrics) if not measure.per_image]
    if spec.significance and untested:
        yield f"Significance n/a for {', '.join(untested)}: not a mean over images."


def _verdicts(cells: Sequence[Cell], tolerance: Tolerance) -> Iterable[str]:
    found = Counter(cell.verdict.kind for cell in cells if cell.verdict)
    if not found:
        return
    meaning = {
        "match": f"within the rounding of the print and {tolerance.match:g}",
        "near": f"within {tolerance.near:g}",
        "off": "beyond",
        "not comparable": "see the footnotes",
    }
    words = [f"{SIGNS.get(kind, '')} {kind} ({meaning[kind]}): {found[kind]}".strip() for kind in VERDICTS]
    yield f"Ours against print, cells: {'; '.join(words)}."


def _absent(cells: Sequence[Cell]) -> Iterable[str]:
    """Say what the run lacks, gathered by kind, and how many cells each kind costs."""
    absent: dict[str, list[str]] = {}
    for cell in cells:
        if cell.missing:
            absent.setdefault(cell.missing.kind, []).append(cell.missing.name)
    if absent:
        words = [
            f"{_kind(kind, set(names))} {_some(dict.fromkeys(names), 30)} ({len(names)} cells)"
            for kind, names in absent.items()
        ]
        yield f"Not in this run: {'; '.join(words)}."


def _kind(kind: str, names: set[str]) -> str:
    return kind if len(names) == 1 or kind.endswith("s") else f"{kind}s"


def _some(names: Iterable[str], limit: int = _NAMED) -> str:
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def dagger_note(shown: Sequence[Cell]) -> str:
    """Return what the dagger of a table means: test, correction, size of the family and numbers of images.

    Empty where no cell was tested.
    """
    tested = [(cell, cell.significance) for cell in shown if cell.significance]
    families = {MEASURES[cell.metric].text: test.family for cell, test in tested}
    paired = _by_dataset((cell.dataset, test.n) for cell, test in tested)
    unpaired = _by_dataset((cell.dataset, test.n_unpaired) for cell, test in tested if test.n_unpaired)
    texts = [
        f"differs from the prior, p < {ALPHA:g} (two-sided Wilcoxon signed-rank test over images, Holm-corrected for "
        f"{_families(families)})",
        f"paired images: {paired}",
        *([f"left out, since only one side has them: {unpaired}"] if unpaired else []),
    ]
    return "; ".join(texts) if tested else ""


def _families(sizes: Mapping[str, int]) -> str:
    """Say how many comparisons each measure has."""
    if len(set(sizes.values())) == 1:
        (size,) = set(sizes.values())
        return f"{size} comparison{'s' if size > 1 else ''} of each measure"
    return f"the comparisons of each measure: {', '.join(f'{size} of {measure}' for measure, size in sizes.items())}"


def _by_dataset(numbers: Iterable[tuple[str, int]]) -> str:
    """Say the number of each data set, or the least and the largest."""
    found: dict[str, list[int]] = {}
    for dataset, number in numbers:
        found.setdefault(dataset, []).append(number)
    return ", ".join(f"{dataset} {_range(min(few), max(few))}" for dataset, few in found.items())


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}–{high}"
