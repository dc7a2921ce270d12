"""Worksheets of exercises, and their solutions: text, Markdown, HTML, and a `Document` to print.

A worksheet shows the task, never its answer; solutions show every line with how it was proved, and
the slips that people make with the numbers that refute them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from convex_analyzer.reporting.document import (
    Block,
    Bold,
    Cell,
    Chip,
    Code,
    Column,
    DerivationLine,
    DerivationLines,
    Document,
    Heading,
    Kind,
    Note,
    Paragraph,
    Table,
    Title,
)
from convex_analyzer.reporting.markdown import to_markdown
from convex_analyzer.reporting.typst_math import math_block
from convex_analyzer.tables import format_number, join_words

if TYPE_CHECKING:
    from convex_analyzer.derivations.exercises import Exercise
    from convex_analyzer.derivations.judging.judgement import Judgement

__all__ = [
    "HOW",
    "exercise_data",
    "facts",
    "judged_lines",
    "judged_slips",
    "letters",
    "points_of",
    "room_for",
    "sheet_title",
    "source_of",
    "task_blocks",
    "task_of",
    "worksheet_document",
    "worksheet_markdown",
    "worksheet_text",
]

_STEPS = 3  # empty rows beyond the steps of the solution
_KINDS: dict[str, Kind] = {
    "given": "info",
    "proved": "ok",
    "plausible": "warn",
    "undecided": "warn",
    "refuted": "bad",
}
_KIND_WORDS = {"unit interval": "between 0 and 1", "closed unit interval": "from 0 to 1"}
#: How an answer is written.
HOW = "One line for each step; # and a reason may follow."


# -- what is said ---------------------------------------------------------------------------------


def letters(task: Exercise) -> str:
    """Return what the letters of an exercise stand for.

    Examples
    --------
    >>> from convex_analyzer.derivations.exercises import exercise
    >>> letters(exercise("q15"))
    's real; u positive; with s^2 < 4·u'
    """
    from convex_analyzer.parsing.latex_math import to_plain

    kinds: dict[str, list[str]] = {}
    ends = set()
    for declared in task.symbols:
        kinds.setdefault(declared.kind, []).append(declared.name)
        if declared.kind in _KIND_WORDS:
            ends.add(declared.object)
    parts = [f"{join_words(names)} {_KIND_WORDS.get(kind, kind)}" for kind, names in kinds.items()]
    beyond = [c for c in task.symbols.constraints if not (c.lhs in ends and c.rhs == 1)]
    if beyond:
        parts.append("with " + join_words([to_plain(printable(c)) for c in beyond]))
    return "; ".join(parts)


def task_of(task: Exercise) -> str:
    """Return the task in words, as a sentence."""
    made = f"{task.title}: start from {task.lines[0]}"
    text = "Start from the line below" if task.statement == made else task.statement
    return text if text.endswith((".", "?", "!")) else f"{text}."


def source_of(task: Exercise) -> str:
    """Return the source as a sentence, or nothing."""
    return f"{task.source[:1].upper()}{task.source[1:]}." if task.source else ""


def room_for(task: Exercise) -> range:
    """Return the numbers of the rows that are left for an answer."""
    return range(2, len(task.lines) + 1 + _STEPS)


def points_of(task: Exercise) -> str:
    """Return the points in words."""
    return f"{format_number(task.points)} {'point' if task.points == 1 else 'points'}"


def printable(value: Any) -> Any:
    r"""Return a SymPy object with fractions of numbers under one bar, as they were written.

    Examples
    --------
    >>> import sympy as sp
    >>> half = sp.Mul(sp.Symbol("s"), sp.Rational(1, 2), evaluate=False)
    >>> from convex_analyzer.parsing.latex_math import to_latex
    >>> to_latex(printable(half))
    '\\frac{s}{2}'
    """
    import sympy

    if not isinstance(value, sympy.Expr | sympy.logic.boolalg.Boolean) or not value.args:
        return value
    if getattr(value, "is_Matrix", False):
        return value
    parts = [printable(part) for part in value.args]
    if isinstance(value, sympy.Mul) and len(parts) > 1:
        parts = [piece for part in parts for piece in _split(part)]
        return sympy.Mul(*parts, evaluate=False)
    if isinstance(value, sympy.Add | sympy.Pow | sympy.core.relational.Relational):
        return value.func(*parts, evaluate=False)
    return value


def _split(part: Any) -> list[Any]:
    import sympy

    if isinstance(part, sympy.Rational) and part.q != 1:
        below = sympy.Pow(sympy.Integer(part.q), -1, evaluate=False)
        return [below] if part.p == 1 else [sympy.Integer(part.p), below]
    return [part]


def judged_lines(task: Exercise) -> list[Judgement]:
    """Return how each correct line follows from the one above."""
    from convex_analyzer.derivations.judging.judge import judge

    pairs = zip(task.values, task.values[1:], strict=False)
    return [judge(before, value, task.symbols, 5.0) for before, value in pairs]


def judged_slips(task: Exercise) -> list[tuple[int, str, str, str]]:
    """Return line, text, name and counterexample of each slip."""
    from convex_analyzer.derivations.judging.judge import judge

    rows = []
    for slip, (value, _) in zip(task.slips, task.known_slips, strict=True):
        found = judge(task.values[slip.line - 2], value, task.symbols, 5.0)
        shown = found.counterexample
        numbers = shown.sentence(f"line {slip.line - 1}", "the slip") if shown else found.reason
        rows.append((slip.line, slip.text, slip.name, numbers))
    return rows


def exercise_data(task: Exercise, *, solutions: bool = False) -> dict[str, Any]:
    """Return an exercise as plain data; without `solutions` there is no answer in it."""
    data = {
        "name": task.name,
        "title": task.title,
        "source": task.source,
        "points": task.points,
        "statement": task.statement,
        "given": task.given,
        "letters": {d.name: d.kind for d in task.symbols},
        "constraints": [str(c) for c in task.symbols.constraints],
    }
    if solutions:
        data["lines"] = list(task.lines)
        data["slips"] = [{"line": s.line, "text": s.text, "name": s.name} for s in task.slips]
    return data


# -- a document -----------------------------------------------------------------------------------


def worksheet_document(
    tasks: Sequence[Exercise], *, solutions: bool = False, title: str | None = None
) -> Document:
    """Return a worksheet as a document, to be written as PDF, PNG or Markdown.

    Parameters
    ----------
    tasks
        Exercises, in order.
    solutions
        With the correct lines and the usual slips, in place of the room for an answer.
    title
        Of the sheet.

    Examples
    --------
    >>> from convex_analyzer.derivations.exercises import exercise
    >>> worksheet_document([exercise("q15")]).title
    'Worksheet: Modulus of complex roots'
    """
    name = sheet_title(tasks, solutions=solutions, title=title)
    blocks: list[Block] = [Title(name, facts(tasks, solutions=solutions))]
    for number, task in enumerate(tasks, 1):
        blocks += task_blocks(number, task, solutions=solutions)
    return Document(name, blocks, footer="convex_analyzer")


def task_blocks(
    number: int, task: Exercise, *, solutions: bool = False, rows: int = 0
) -> list[Block]:
    """Return one exercise, with so many more rows for an answer than it has otherwise."""
    about = (
        Bold(f"{task.name}, {points_of(task)}. "),
        f"{task_of(task)} {source_of(task)}".rstrip(),
    )
    head: list[Block] = [Heading(f"{number}. {task.title}"), Paragraph(about)]
    return head + (_solution(task) if solutions else _room(task, rows))


def sheet_title(tasks: Sequence[Exercise], *, solutions: bool, title: str | None) -> str:
    """Return the title of a worksheet: as given, or what it holds."""
    if title is not None and title.strip():
        return title.strip()
    kind = "Solutions" if solutions else "Worksheet"
    return f"{kind}: {tasks[0].title}" if len(tasks) == 1 else kind


def facts(tasks: Sequence[Exercise], *, solutions: bool) -> tuple[str, ...]:
    """Return what stands below the title: how many exercises and points, and room for a name."""
    count = f"{len(tasks)} {'exercise' if len(tasks) == 1 else 'exercises'}"
    total = sum(task.points for task in tasks)
    points = f"{format_number(total)} {'point' if total == 1 else 'points'}"
    return (count, points) if solutions else (count, points, "name: \u2009……………………………")


def _room(task: Exercise, more: int) -> list[Block]:
    """Return the first line and rows for an answer."""
    first = room_for(task)
    numbers = range(first.start, first.stop + more)
    rows: list[tuple[Cell, ...]] = [(f"{n}", "\u2003\n\u2003", "") for n in numbers]
    columns = (
        Column("line", width=0.07),
        Column("what follows", width=0.63),
        Column("why", width=0.3),
    )
    return [
        math_block(printable(task.values[0])),
        Note(("Letters: ", letters(task), ". To be typed as ", Code(task.given), ". ", HOW)),
        Table(columns, rows),
    ]


def _solution(task: Exercise) -> list[Block]:
    """Return the lines with their verdicts, and the slips."""
    lines = [_line("given", "", task.values[0], task.lines[0], "given")]
    for number, found in enumerate(judged_lines(task), 2):
        value, text = task.values[number - 1], task.lines[number - 1]
        lines.append(_line(f"from line {number - 1}", found.reason, value, text, found.status))
    blocks: list[Block] = [
        Note(("Letters: ", letters(task), ".")),
        DerivationLines(lines),
    ]
    if task.slips:
        rows = [
            (f"{n}", Code(text), name, numbers) for n, text, name, numbers in judged_slips(task)
        ]
        columns = (
            Column("line", width=0.07),
            Column("slip", width=0.31),
            Column("what it is", width=0.24),
            Column("numbers that refute it", width=0.38),
        )
        blocks.append(Table(columns, rows, caption="Slips that people make here."))
    return blocks


def _line(title: str, reason: str, value: Any, text: str, status: str) -> DerivationLine:
    return DerivationLine(
        title=title,
        reason=reason,
        math=math_block(printable(value)),
        check=Code(text),
        status=Chip(_KINDS[status], status),
    )


def worksheet_markdown(
    tasks: Sequence[Exercise], *, solutions: bool = False, title: str | None = None
) -> str:
    """Return a worksheet as Markdown, with formulas between dollar signs."""
    return to_markdown(worksheet_document(tasks, solutions=solutions, title=title))


# -- plain text -----------------------------------------------------------------------------------


def worksheet_text(
    tasks: Sequence[Exercise], *, solutions: bool = False, title: str | None = None
) -> str:
    """Return exercises as plain text, as the terminal shows them.

    Examples
    --------
    >>> from convex_analyzer.derivations.exercises import exercise
    >>> print(worksheet_text([exercise("q21")]))
    q21  Variance of a mini-batch mean  (1 point)
    lecture 001 (Grosse and Ba, CSC421 Lectures 7-8)
    <BLANKLINE>
    S independent draws have the variance v each. Simplify the variance of their mean below.
      S*v/S**2
    <BLANKLINE>
    Letters: S positive integer; v positive
    Answer: a file with one line for each step, then exercises check q21 FILE
    <BLANKLINE>
    """
    parts = [title] if title else []
    for task in tasks:
        head = f"{task.name}  {task.title}  ({points_of(task)})"
        rows = [head, *([task.source] if task.source else []), "", task_of(task)]
        if solutions:
            rows += _solved_text(task)
        else:
            rows += [f"  {task.given}", "", f"Letters: {letters(task)}"]
            rows.append(
                f"Answer: a file with one line for each step, then exercises check {task.name} FILE"
            )
        parts.append("\n".join(rows))
    return "\n\n\n".join(parts) + "\n"


def _solved_text(task: Exercise) -> list[str]:
    room = max(map(len, task.lines))
    rows = [f"  1  {task.lines[0]}"]
    for number, found in enumerate(judged_lines(task), 2):
        text = task.lines[number - 1]
        rows.append(f"  {number}  {text:<{room}}  {found.status}: {found.reason}")
    rows += ["", f"Letters: {letters(task)}"]
    for number, text, name, numbers in judged_slips(task):
        rows += [f"Slip in line {number}: {text}  ({name})", f"  {numbers}"]
    return rows
