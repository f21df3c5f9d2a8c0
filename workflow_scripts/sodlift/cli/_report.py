"""What ``sodlift evaluate`` prints: a table of methods, how its numbers came about, and warnings."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sodlift.cli._outputs import images_used, scores_under
from sodlift.evaluation.protocols import Protocol
from sodlift.evaluation.scores import CellScores, Score
from sodlift.metrics import METRICS
from sodlift.tables.counted import COUNTED

USUAL = (
    *("MAE", "maxF", "maxF_PR", "meanF", "adpF", "wF", "S"),
    *("maxE", "meanE", "adpE", "AUC", "IoU", "Dice", "BER"),
)
"""Metrics that are printed under their names here, beside those that the protocol's source reports."""

_RELATIVE = ("half_max", "nonzero")
"""Ground-truth rules that read masks of any white, such as 0 and 1."""


def report(
    cells: Mapping[str, CellScores], protocol: Protocol, extra: Iterable[str], unpaired: Mapping[str, Collection[str]]
) -> str:
    """Return the scores under one protocol as text.

    Parameters
    ----------
    cells : mapping of str to CellScores
        The scores by method.
    protocol : Protocol
        The protocol; what its source reports comes first, under the source's names.
    extra : iterable of str
        Metrics that were asked for beside the usual ones.
    unpaired : mapping of str to collection of str
        Maps without a ground truth by method.
    """
    asked = [name for metric in extra for name in METRICS.get(metric).names]
    others = [name for name in (*USUAL, *asked) if name not in protocol.reports.values()]
    alike: dict[str, list[str]] = {}
    for method, cell in cells.items():
        alike.setdefault(_counts(scores_under(cell, protocol), len(unpaired[method])), []).append(method)
    lines = [
        *_table(cells, protocol, protocol.reports),
        "",
        *_table(cells, protocol, {name: name for name in others}),
        "",
        f"protocol {protocol.name} ({protocol.hash}): {protocol.title}",
        *(f"{', '.join(methods)}: {counts}" for counts, methods in alike.items()),
    ]
    return "\n".join(lines)


def warnings(cells: Mapping[str, CellScores], protocol: Protocol) -> Iterable[str]:
    """Yield what makes the numbers meaningless, though they were asked for: said, never guessed away."""
    scores = [score for cell in cells.values() for score in scores_under(cell, protocol)]
    if any(_all_are("empty_gt", score) for score in scores):
        yield (
            f"every ground truth is empty under the rule '{protocol.gt_rule}' of protocol {protocol.name}. "
            "If masks are of 0 and 1, add --gt-rule nonzero."
        )
    elif protocol.gt_rule not in _RELATIVE and any(_all_are("mask_dim", score) for score in scores):
        yield (
            f"no ground truth has white, so that the rule '{protocol.gt_rule}' of protocol {protocol.name} may miss "
            "foreground. If everything but black is foreground, add --gt-rule nonzero."
        )


def _all_are(count: str, score: Score) -> bool:
    read = score.n_expected - sum(score.counts[name] for name in ("dropped", "left_out", "missing"))
    return read > 0 and score.counts[count] == read


def _table(cells: Mapping[str, CellScores], protocol: Protocol, columns: Mapping[str, str]) -> list[str]:
    """Lay out methods in rows; ``columns`` are metrics by title. A number that does not exist is a dash."""
    rows = [["", *columns]]
    for method, cell in cells.items():
        values = [cell.value(metric, protocol.name) for metric in columns.values()]
        rows.append([method, *("-" if value is None else f"{value:.4f}" for value in values)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]


def _counts(scores: Sequence[Score], unpaired: int) -> str:
    """Say over how many images the numbers are, and what was counted more than no times."""
    counts = scores[0].counts
    found = [f"{words}: {counts[name]}" for name, words in COUNTED.items() if name != "undefined" and counts[name]]
    found += [f"maps without a ground truth: {unpaired}"] if unpaired else []
    found += [
        f"images without {score.metric}: {score.counts['undefined']}" for score in scores if score.counts["undefined"]
    ]
    return "; ".join([f"{images_used(scores)} of {scores[0].n_expected} images scored", *found])
