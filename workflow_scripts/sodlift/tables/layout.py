"""How a table is laid out, before it is written in any language: lines, columns, footnotes and footer."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, product
from string import ascii_lowercase

from sodlift.tables.cells import Cell
from sodlift.tables.compare import SIGNS
from sodlift.tables.footer import DAGGER, dagger_note, footer
from sodlift.tables.measures import MEASURES, Measure
from sodlift.tables.run_info import RunInfo
from sodlift.tables.scores import Scores
from sodlift.tables.spec import TableSpec

DASH = "–"


@dataclass(frozen=True)
class Entry:
    """What stands in one place of the table.

    Attributes
    ----------
    text : str
        The number, or a dash.
    difference : str
        Ours minus the printed number, with its sign; empty where they are not compared.
    sign : str
        The verdict's sign.
    marks : tuple of str
        Marks of its footnotes.
    rank : int
        Its place among what it is ranked with, 1 the best; 0 where it is not ranked.
    """

    text: str = DASH
    difference: str = ""
    sign: str = ""
    marks: tuple[str, ...] = ()
    rank: int = 0


@dataclass(frozen=True)
class Line:
    """One line: its label, whose numbers it holds ("ours" or "paper"), and an entry a column."""

    label: str
    source: str
    entries: tuple[Entry, ...]
    ranked: bool = True


@dataclass(frozen=True)
class Group:
    """The lines of one detector, or of one printed method."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Layout:
    """A table ready to be written.

    Attributes
    ----------
    columns : tuple of (str, tuple of Measure)
        Data sets with their measures; an empty title where the measures are of none.
    groups : tuple of Group
        The lines below each other.
    sourced : bool
        Whether any line holds printed numbers, so that lines must say whose numbers they hold.
    footnotes : tuple of (str, str)
        Mark and text: the dagger of what is significant, then letters.
    footer : tuple of str
        Protocol, numbers of images, seeds, verdicts and what is missing.
    leads : (str, str)
        What groups and lines stand for.
    """

    columns: tuple[tuple[str, tuple[Measure, ...]], ...]
    groups: tuple[Group, ...]
    sourced: bool
    footnotes: tuple[tuple[str, str], ...]
    footer: tuple[str, ...]
    leads: tuple[str, str] = ("detector", "map")


@dataclass
class _Footnotes:
    """Letters for texts, in the order in which they are first needed."""

    letters: dict[str, str] = field(default_factory=dict)

    def mark(self, text: str) -> str:
        if text not in self.letters:
            names = ("".join(name) for length in count(1) for name in product(ascii_lowercase, repeat=length))
            self.letters[text] = next(name for i, name in enumerate(names) if i == len(self.letters))
        return self.letters[text]


def lay_out(spec: TableSpec, cells: Sequence[Cell], run: RunInfo, scores: Scores) -> Layout:
    """Lay out what the run has; the footer tells of the rest.

    Left out are detectors and data sets that the run does not have, and those of which there is no number at all.
    """
    here = [cell for cell in cells if cell.detector and cell.dataset_id]
    known = [cell for cell in here if cell.score or cell.printed]
    filled = ({cell.detector for cell in known}, {cell.dataset_id for cell in known})
    shown = [cell for cell in here if cell.detector in filled[0] and cell.dataset_id in filled[1]]
    present = {cell.dataset_id: cell.dataset for cell in shown}
    datasets = {name: present[name] for name in run.datasets if name in present}
    measures = tuple(MEASURES[name] for name in spec.metrics)
    places = [(dataset, measure.name) for dataset in datasets for measure in measures]
    notes, dagger = _Footnotes(), dagger_note(shown)
    groups = [
        Group(members[0].method, tuple(_lines(members, places, spec.decimals, notes)))
        for members in _grouped(shown, lambda cell: (cell.group, "" if cell.group else cell.detector))
    ]
    return Layout(
        columns=tuple((title, measures) for title in datasets.values()),
        groups=_ranked(groups, [MEASURES[metric] for _, metric in places], spec.rank),
        sourced=any(cell.printed for cell in shown),
        footnotes=(*([(DAGGER, dagger)] if dagger else []), *((mark, text) for text, mark in notes.letters.items())),
        footer=tuple(footer(spec, cells, shown, datasets, run, scores)),
    )


def _grouped(cells: Iterable[Cell], key: Callable[[Cell], Hashable]) -> list[list[Cell]]:
    groups: dict[Hashable, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return list(groups.values())


def _lines(cells: list[Cell], places: list[tuple[str, str]], decimals: int, notes: _Footnotes) -> Iterable[Line]:
    """Yield the lines of one group: of each variant the printed line, then ours, each followed by its gain."""
    for variant in _grouped(cells, lambda cell: cell.variant):
        players = _grouped(variant, lambda cell: cell.refiner)
        if any(cell.printed for cell in variant):
            paper = _by_place(players[0])
            yield Line(variant[0].variant, "paper", tuple(_printed(paper.get(p), notes) for p in places))
            if any(cell.printed_delta is not None for cell in variant):
                yield Line("Δ", "paper", tuple(_gain(paper.get(p), decimals, True) for p in places), ranked=False)
        for player in players:
            ours = _by_place(player)
            yield Line(player[0].row, "ours", tuple(_value(ours.get(p), decimals, notes) for p in places))
            if any(cell.delta is not None for cell in player):
                entries = [_gain(ours.get(p), decimals, False) for p in places]
                marked = [_remarked(ours.get(p), entry, notes) for p, entry in zip(places, entries, strict=True)]
                yield Line("Δ", "ours", tuple(marked), ranked=False)


def _by_place(cells: Iterable[Cell]) -> dict[tuple[str, str], Cell]:
    return {(cell.dataset_id, cell.metric): cell for cell in cells}


def _printed(cell: Cell | None, notes: _Footnotes) -> Entry:
    if cell is None or cell.printed is None:
        return Entry()
    return Entry(cell.printed.text, marks=tuple(notes.mark(text) for text in cell.marks))


def _value(cell: Cell | None, decimals: int, notes: _Footnotes) -> Entry:
    if cell is None:
        return Entry()
    if cell.value is None:
        folder = f"evaluation/{cell.dataset_id}/{cell.detector}/{cell.refiner}"
        why = str(cell.missing) if cell.missing else f"failed; see {folder}"
        return Entry(marks=(notes.mark(why),))
    spread = cell.score.spread if cell.score else None
    text = f"{cell.value:.{decimals}f}" + (f" ± {spread:.{decimals}f}" if spread is not None else "")
    if cell.verdict is None:
        return Entry(text)
    if cell.verdict.reason or cell.verdict.difference is None:
        return Entry(text, marks=(notes.mark(f"not comparable: {cell.verdict.reason}"),))
    return Entry(text, _signed(cell.verdict.difference, decimals), SIGNS[cell.verdict.kind])


def _gain(cell: Cell | None, decimals: int, printed: bool) -> Entry:
    gain = None if cell is None else cell.printed_delta if printed else cell.delta
    return Entry() if gain is None else Entry(_signed(gain, decimals))


def _signed(number: float, decimals: int) -> str:
    """Format with a sign; what rounds to zero is +0, from either side."""
    return f"{round(number, decimals) + 0.0:+.{decimals}f}"


def _remarked(cell: Cell | None, entry: Entry, notes: _Footnotes) -> Entry:
    """Mark a gain that is significant, and one between means over different numbers of images, which says less."""
    if cell is None or cell.delta is None or cell.score is None or cell.baseline is None:
        return entry
    marks: tuple[str, ...] = (DAGGER,) if cell.significance and cell.significance.significant else ()
    if cell.score.n_used != cell.baseline.n_used:
        text = f"refined over {cell.score.n_used} images, the prior over {cell.baseline.n_used}"
        marks += (notes.mark(text),)
    return replace(entry, marks=marks)


def _ranked(groups: list[Group], measures: list[Measure], within: str) -> tuple[Group, ...]:
    """Rank every column among lines of one source, within each group or over all of them, on the displayed value."""
    scopes = [[g] for g in range(len(groups))] if within == "detector" else [list(range(len(groups)))]
    lines = [list(group.lines) for group in groups]
    for scope, source in product(scopes, ("ours", "paper")):
        rows = [(g, i) for g in scope for i, line in enumerate(lines[g]) if line.ranked and line.source == source]
        columns = [
            _ranks([lines[g][i].entries[c].text for g, i in rows], measure.higher) for c, measure in enumerate(measures)
        ]
        for k, (g, i) in enumerate(rows):
            line = lines[g][i]
            entries = (replace(e, rank=ranks[k]) for e, ranks in zip(line.entries, columns, strict=True))
            lines[g][i] = replace(line, entries=tuple(entries))
    return tuple(replace(group, lines=tuple(made)) for group, made in zip(groups, lines, strict=True))


def _ranks(texts: list[str], higher: bool | None) -> list[int]:
    """Rank displayed numbers, equal ones alike; 0 are dashes, a number that stands alone, and where none is better."""
    shown = [None if text == DASH else float(text.split(" ")[0]) for text in texts]
    numbers = [value for value in shown if value is not None]
    if len(numbers) < 2 or higher is None:
        return [0] * len(texts)
    return [
        0 if value is None else 1 + sum(other > value if higher else other < value for other in numbers)
        for value in shown
    ]
