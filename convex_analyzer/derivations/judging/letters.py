"""Letters, words and forms: what products of matrices are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convex_analyzer.derivations.judging.field import poly_key
from convex_analyzer.derivations.judging.polynomials import (
    ZERO,
    Quotient,
    constant,
    poly_sum,
    scaled,
)

__all__ = [
    "ONCE",
    "OWN_TRANSPOSE",
    "Atom",
    "Form",
    "Letter",
    "Word",
    "after_lead",
    "cofactors",
    "commute",
    "is_definite",
    "order_of",
    "scalar_form",
    "scaled_exponent",
]


@dataclass(frozen=True)
class Atom:
    """What a letter stands for.

    Attributes
    ----------
    name
        Of the symbol, or the key of a sum that is inverted or raised.
    kind
        As declared; "vector", or "sum".
    family
        Letters of one family commute.
    """

    name: Any
    kind: str
    family: Any


Letter = tuple[Atom, bool, Any]  # atom, transposed, exponent as the key of a polynomial
Word = tuple[Letter, ...]
ONCE = poly_key(constant(1))


@dataclass(frozen=True)
class Form:
    """Words with coefficients; `row` and `column`: it has one row, one column."""

    terms: dict[Word, Quotient]
    row: bool = False
    column: bool = False

    @property
    def is_scalar(self) -> bool:
        """Whether it is 1 by 1."""
        return self.row and self.column


def scalar_form(value: Quotient) -> Form:
    """Return a scalar as a form of one row and one column."""
    return Form({(): value}, row=True, column=True)


OWN_TRANSPOSE = {
    "symmetric matrix",
    "positive definite matrix",
    "positive semidefinite matrix",
    "diagonal matrix",
}


def is_definite(word: Word) -> bool:
    """Whether a word is one matrix with a quadratic form that is never negative."""
    kinds = ("positive definite matrix", "positive semidefinite matrix")
    return len(word) == 1 and word[0][0].kind in kinds


def scaled_exponent(exponent: Any, factor: int) -> Any:
    """Return an exponent times a number."""
    return poly_key(scaled(dict(exponent), factor))


def commute(a: Letter, b: Letter) -> bool:
    """Whether two letters may change places."""
    if a[0].kind == "vector" or b[0].kind == "vector":
        return False
    return a[0].family == b[0].family and (a[1] == b[1] or a[0].family == "diagonal")


def order_of(letter: Letter) -> str:
    """Return by what commuting letters are sorted."""
    return repr((letter[0].kind == "sum", letter[0].name, letter[1]))


def cofactors(rows: tuple[tuple[Quotient, ...], ...]) -> Quotient:
    """Return the determinant of a few rows."""
    if len(rows) == 1:
        return rows[0][0]
    total = ZERO
    for j, entry in enumerate(rows[0]):
        if not entry.is_zero:
            minor = cofactors(tuple(row[:j] + row[j + 1 :] for row in rows[1:]))
            total = total + (entry * minor if j % 2 == 0 else -(entry * minor))
    return total


def after_lead(word: Word, start: int, lead: Word) -> Word | None:
    """Return what is left at a place once a word is taken out; None: it is not there.

    Of a single letter a whole power may be left: A² holds A.
    """
    size = len(lead)
    if size == 0 or start < 0:
        return None
    part = word[start : start + size]
    if part == lead:
        return ()
    if size > 1 or not part or part[0][:2] != lead[0][:2]:
        return None
    rest = poly_sum(dict(part[0][2]), dict(lead[0][2]), -1)
    number = rest.get((), 0)
    if rest.keys() != {()} or number <= 0 or number % 1:
        return None
    return ((*lead[0][:2], poly_key(rest)),)
