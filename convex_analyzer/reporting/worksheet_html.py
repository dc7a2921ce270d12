"""Worksheets and solutions as one HTML file that needs nothing else; formulas are MathML."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convex_analyzer.reporting.mathml import to_mathml
from convex_analyzer.reporting.worksheet import (
    HOW,
    facts,
    judged_lines,
    judged_slips,
    letters,
    points_of,
    room_for,
    sheet_title,
    source_of,
    task_of,
)

if TYPE_CHECKING:
    from convex_analyzer.derivations.exercises import Exercise

__all__ = ["worksheet_html"]

_STYLE = """
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.5;
       font-family: Georgia, "Times New Roman", serif; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
math[display=block] { margin: .6rem 0; overflow-x: auto; }
code { font-size: .9em; background: #f2f2f2; padding: .1em .3em; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { border-bottom: 1px solid #bbb; text-align: left; vertical-align: top;
         padding: .3rem .5rem; }
.small { color: #555; font-size: .92rem; } ol > li { margin: .6rem 0; }
.empty td { height: 2.4rem; }
@media print { h2 { break-after: avoid; } }
"""


def worksheet_html(
    tasks: Sequence[Exercise], *, solutions: bool = False, title: str | None = None
) -> str:
    """Return a worksheet as one HTML file that needs nothing else; formulas are MathML."""
    name = html.escape(sheet_title(tasks, solutions=solutions, title=title))
    below = html.escape(" · ".join(facts(tasks, solutions=solutions)))
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
        f'<h1>{name}</h1>\n<p class="small">{below}</p>',
    ]
    for number, task in enumerate(tasks, 1):
        parts += [
            f"<h2>{number}. {html.escape(task.title)}</h2>",
            _intro(task),
            *(_solved_html(task) if solutions else _room_html(task)),
        ]
    return "\n".join([*parts, "</body>\n</html>\n"])


def _intro(task: Exercise) -> str:
    name = f"<b>{html.escape(task.name)}, {points_of(task)}.</b>"
    source = f'<span class="small">{html.escape(source_of(task))}</span>'
    return f"<p>{name} {html.escape(task_of(task))} {source}</p>"


def _room_html(task: Exercise) -> list[str]:
    row = '<tr class="empty"><td>{}</td><td></td><td></td></tr>'
    typed = f"To be typed as <code>{html.escape(task.given)}</code>. {html.escape(HOW)}"
    how = f'<p class="small">Letters: {html.escape(letters(task))}. {typed}</p>'
    return [
        to_mathml(task.values[0]),
        how,
        "<table><tr><th>line</th><th>what follows</th><th>why</th></tr>",
        *(row.format(number) for number in room_for(task)),
        "</table>",
    ]


def _solved_html(task: Exercise) -> list[str]:
    said = ["given", *(f"{found.status}: {found.reason}" for found in judged_lines(task))]
    parts = [f'<p class="small">Letters: {html.escape(letters(task))}.</p>', "<ol>"]
    for text, value, words in zip(task.lines, task.values, said, strict=True):
        parts.append(
            f"<li>{to_mathml(value)}<code>{html.escape(text)}</code> "
            f'<span class="small">{html.escape(words)}</span></li>'
        )
    parts.append("</ol>")
    if task.slips:
        parts.append(
            "<table><tr><th>line</th><th>slip</th><th>what it is</th><th>numbers</th></tr>"
        )
        for number, text, name, numbers in judged_slips(task):
            cells = (f"<code>{html.escape(text)}</code>", html.escape(name), html.escape(numbers))
            parts.append(f"<tr><td>{number}</td><td>{'</td><td>'.join(cells)}</td></tr>")
        parts.append("</table>")
    return parts
