"""A table written as CSV (long, full precision), as Markdown and as LaTeX."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from sodlift.tables.cells import Cell
from sodlift.tables.layout import DASH, Entry, Layout, Line

CSV_COLUMNS = (
    "table",
    "method",
    "detector",
    "variant",
    "refiner",
    "dataset",
    "dataset_id",
    "metric",
    "protocol",
    "seeds",
    "ours",
    "spread",
    "baseline",
    "delta",
    "ci_low",
    "ci_high",
    "p",
    "p_holm",
    "wins",
    "ties",
    "losses",
    "printed",
    "printed_delta",
    "printed_in",
    "difference",
    "verdict",
    "reason",
    "n_used",
    "n_expected",
    "status",
    "notes",
)

ARROWS = {True: "↑", False: "↓", None: ""}
TEX_ARROWS = {True: r"\uparrow", False: r"\downarrow", None: ""}
"""Which way is better."""


def to_csv(table: str, protocol: str, cells: Iterable[Cell]) -> str:
    """Return all cells in long form with the columns ``CSV_COLUMNS``, those that the run lacks included."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(_record(table, protocol, cell) for cell in cells)
    return out.getvalue()


def _record(table: str, protocol: str, cell: Cell) -> list[object]:
    score, judged, printed, test = cell.score, cell.verdict, cell.printed, cell.significance
    return [
        table,
        cell.method,
        cell.detector,
        cell.row,
        cell.refiner,
        cell.dataset,
        cell.dataset_id,
        cell.metric,
        protocol,
        *((score.seeds, score.value, score.spread) if score else ("", "", "")),
        cell.baseline.value if cell.baseline else "",
        cell.delta,
        *(test.interval if test and test.interval else ("", "")),
        *((test.p, test.p_holm, *test.outcome) if test else [""] * 5),
        *((printed.text, cell.printed_delta, printed.source) if printed else ("", "", "")),
        *((judged.difference, judged.kind, judged.reason) if judged else ("", "", str(cell.missing or ""))),
        *((score.n_used, score.n_expected) if score else ("", "")),
        cell.status,
        "; ".join(cell.marks),
    ]


def to_markdown(title: str, layout: Layout) -> str:
    """Return the table with its footnotes and footer as Markdown."""
    lines = [f"### {_md(title)}", ""]
    if layout.columns:
        heads = [*layout.leads, *(["source"] if layout.sourced else [])]
        heads += [
            f"{_md(dataset)} {_md(m.text)} {ARROWS[m.higher]}".strip()
            for dataset, measures in layout.columns
            for m in measures
        ]
        lines += [_md_row(heads), _md_row(["---"] * (len(heads) - _places(layout)) + ["---:"] * _places(layout))]
        for group in layout.groups:
            for i, line in enumerate(group.lines):
                lead = [_md(group.title) if i == 0 else "", *_lead(line, layout.sourced, _md)]
                lines.append(_md_row([*lead, *(_md_entry(entry) for entry in line.entries)]))
        lines.append("")
    else:
        lines += ["No cell of this table is in this run.", ""]
    lines += [f"- {_md(text)}" for text in layout.footer]
    lines += [f"- <sup>{mark}</sup> {_md(text)}" for mark, text in layout.footnotes]
    return "\n".join(lines) + "\n"


def to_latex(name: str, title: str, layout: Layout) -> str:
    """Return the table with its footnotes and footer as LaTeX; needs the packages booktabs, multirow and graphicx."""
    out = [
        r"% \usepackage{booktabs,multirow,graphicx}",
        r"\begin{table*}[t]",
        r"\centering",
        rf"\caption{{{latex_escape(title)}}}",
        rf"\label{{tab:{name}}}",
    ]
    if layout.columns:
        out += [r"\resizebox{\textwidth}{!}{%", *_tabular(layout), "}"]
    else:
        out.append("No cell of this table is in this run.")
    out += [r"\par\smallskip", r"\begin{minipage}{\textwidth}\footnotesize\raggedright"]
    texts = [latex_escape(text) for text in layout.footer]
    texts += [f"{_tex_marks([mark])}~{latex_escape(text)}" for mark, text in layout.footnotes]
    return "\n".join([*out, "\n\n".join(texts), r"\end{minipage}", r"\end{table*}"]) + "\n"


def _tabular(layout: Layout) -> Iterable[str]:
    leads = [lead.capitalize() for lead in (*layout.leads, *(["source"] if layout.sourced else []))]
    spans = [len(measures) for _, measures in layout.columns]
    yield rf"\begin{{tabular}}{{{'l' * len(leads)}{'r' * sum(spans)}}}"
    yield r"\toprule"
    tops = [rf"\multirow{{2}}{{*}}{{{lead}}}" for lead in leads]
    tops += [rf"\multicolumn{{{len(ms)}}}{{c}}{{{latex_escape(dataset)}}}" for dataset, ms in layout.columns]
    yield _tex_row(tops)
    starts = [len(leads) + 1 + sum(spans[:i]) for i in range(len(spans))]
    named = [(s, n) for s, n, (dataset, _) in zip(starts, spans, layout.columns, strict=True) if dataset]
    if named:
        yield " ".join(rf"\cmidrule(lr){{{s}-{s + n - 1}}}" for s, n in named)
    heads = [f"${m.latex}{TEX_ARROWS[m.higher]}$" for _, ms in layout.columns for m in ms]
    yield _tex_row([*[""] * len(leads), *heads])
    for group in layout.groups:
        yield r"\midrule"
        for i, line in enumerate(group.lines):
            first = rf"\multirow{{{len(group.lines)}}}{{*}}{{{latex_escape(group.title)}}}" if i == 0 else ""
            lead = [first, *_lead(line, layout.sourced, latex_escape)]
            yield _tex_row([*lead, *(_tex_entry(entry) for entry in line.entries)])
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _places(layout: Layout) -> int:
    return sum(len(measures) for _, measures in layout.columns)


def _lead(line: Line, sourced: bool, escape: Callable[[str], str]) -> list[str]:
    return [escape(line.label), *([line.source] if sourced else [])]


def _md(text: str) -> str:
    for sign in "\\|*_<`[":
        text = text.replace(sign, f"\\{sign}")
    return text


def _md_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _md_entry(entry: Entry) -> str:
    text = f"**{entry.text}**" if entry.rank == 1 else entry.text
    compared = f" ({entry.difference} {entry.sign})" if entry.sign else ""
    return text + compared + (f" <sup>{','.join(entry.marks)}</sup>" if entry.marks else "")


_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    **{sign: f"\\{sign}" for sign in "&%$#_"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    DASH: "--",
    "Δ": r"$\Delta$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "θ": r"$\theta$",
    "≈": r"$\approx$",
    "≠": r"$\neq$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "†": r"\dag{}",
    "→": r"$\rightarrow$",
    "²": r"$^2$",
    "β": r"$\beta$",
}


def latex_escape(text: str) -> str:
    """Return ``text`` so that LaTeX sets it as it is."""
    return "".join(_TEX.get(sign, sign) for sign in text)


def _tex_row(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _tex_entry(entry: Entry) -> str:
    text = _tex_number(entry.text)
    text = rf"\textbf{{{text}}}" if entry.rank == 1 else text
    compared = rf" {{\scriptsize({_tex_number(entry.difference)} {latex_escape(entry.sign)})}}" if entry.sign else ""
    return text + compared + (_tex_marks(entry.marks) if entry.marks else "")


def _tex_marks(marks: Sequence[str]) -> str:
    return rf"\textsuperscript{{{','.join(latex_escape(mark) for mark in marks)}}}"


def _tex_number(text: str) -> str:
    return f"${text}$" if text[0] in "+-" else latex_escape(text)
