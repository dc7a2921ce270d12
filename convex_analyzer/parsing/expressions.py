"""Reading one formula or claim: plain text or LaTeX to SymPy, as written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from convex_analyzer.errors import InputError, ParseError
from convex_analyzer.parsing.build import Builder
from convex_analyzer.parsing.plain_lexer import PlainLexer
from convex_analyzer.parsing.plain_reader import PlainParser
from convex_analyzer.parsing.pratt import Clause, Parser
from convex_analyzer.parsing.sizes import check_sizes
from convex_analyzer.parsing.symbols import Symbols
from convex_analyzer.parsing.tokens import Node, Source

_SENTENCE_END = re.compile(r"(?<!\\)(?:[.,;]|\s)*$")

__all__ = ["Expression", "built", "is_latex", "read_clauses", "read_expression"]


@dataclass(frozen=True)
class Expression:
    """What was read.

    Attributes
    ----------
    text
        As written.
    value
        The SymPy object, unsimplified.
    notes
        How something was read that could surprise.
    tree
        The tree with the places of its parts.
    """

    text: str
    value: Any
    notes: tuple[str, ...]
    tree: Node


def is_latex(text: str) -> bool:
    r"""Return whether a text is LaTeX: it has a backslash, or stands between dollars.

    Examples
    --------
    >>> is_latex(r"\alpha x"), is_latex("$x$"), is_latex("2*x")
    (True, True, False)
    """
    return "\\" in text or "$" in text


def parser_for(source: Source, start: int, end: int, symbols: Symbols, *, latex: bool) -> Parser:
    """Return the parser of a part of a text."""
    if latex:
        from convex_analyzer.parsing.latex_lexer import LatexLexer
        from convex_analyzer.parsing.latex_reader import LatexParser

        return LatexParser(source, LatexLexer(source, symbols).read(start, end), symbols)
    lexer = PlainLexer(source, symbols)
    parser = PlainParser(source, lexer.read(start, end), symbols)
    parser.notes += lexer.notes
    return parser


def read_clauses(
    source: Source, start: int, end: int, symbols: Symbols, *, latex: bool
) -> tuple[list[Clause], tuple[str, ...]]:
    """Return the claims in a part of a text, as trees, and remarks on how they were read."""
    parser = parser_for(source, start, end, symbols, latex=latex)
    clauses = parser.clauses()
    for clause in clauses:
        check_sizes(source, clause.node)
    return clauses, tuple(dict.fromkeys(parser.notes))


def built(builder: Builder, node: Node) -> Any:
    """Return the SymPy object of a tree; what SymPy itself will not have is a ParseError too."""
    try:
        return builder.build(node)
    except ParseError:
        raise
    except (TypeError, ValueError, AttributeError, RecursionError, NotImplementedError):
        raise builder.error("this has no meaning", node, "look at the brackets") from None


def read_expression(text: str, symbols: Symbols, *, latex: bool | None = None) -> Expression:
    r"""Read one formula or one claim.

    Parameters
    ----------
    text
        ``(1 - a*l)**k``, ``2αλ < 1``, ``\frac{\kappa-1}{\kappa+1}``.
    symbols
        The names that may occur.
    latex
        Whether it is LaTeX; None: it is when it has a backslash or dollars.

    Returns
    -------
    Expression

    Raises
    ------
    ParseError
        It cannot be read, or has two readings: says where, and what to write.

    Examples
    --------
    >>> symbols = Symbols.of({"alpha, lambda": "positive", "k": "natural"})
    >>> read_expression("(1 - αλ)^k", symbols).value
    (1 - alpha*lambda)**k
    >>> read_expression("0 < 2αλ < 4", symbols).value
    (0 < 2*alpha*lambda) & (2*alpha*lambda < 4)
    """
    if not isinstance(text, str):
        raise InputError(f"a formula must be text, got {type(text).__name__}", argument="text")
    source = Source(text)
    source.check(0, len(text))
    if not text.strip():
        raise source.error("a formula is missing", 0)
    as_latex = is_latex(text) if latex is None else latex
    end = len(_SENTENCE_END.sub("", text))
    clauses, notes = read_clauses(source, 0, end, symbols, latex=as_latex)
    first = clauses[0]
    if len(clauses) > 1 or first.arrow or first.leading:
        raise source.error("this is more than one statement", 0, "read it as a derivation")
    return Expression(text, built(Builder(source, symbols), first.node), notes, first.node)
