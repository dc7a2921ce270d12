"""What a linear rule does on the border of its stable set: which roots lie on the circle.

A simple root on the circle keeps the error bounded; a repeated one lets it grow like a power of k,
unless the matrix has as many eigenvectors as the root is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convex_analyzer.tables import format_number, join_words

__all__ = ["Border", "classify"]

_DIGITS = 60
_ZERO = 1e-40  # what is zero, of numbers of so many digits
_SAME = 1e-14  # distance of equal roots: of one that is repeated r times, 60/r digits are right
_SHORT = 12  # characters up to which an exact point is printed as it is


@dataclass(frozen=True)
class Border:
    """A point on the border of a stable set, or inside, or outside.

    Attributes
    ----------
    s
        The point, exact.
    kind
        ``"stays"`` (root +1), ``"2-cycle"`` (root −1), ``"oscillation"`` (a complex pair), several
        of them joined by ``" and "``; ``"drift"`` if the error grows like a power of k;
        ``"inside"`` or ``"outside"`` if the point is no border.
    roots
        The roots on the circle, each as often as it is repeated.
    is_bounded
        Whether the error stays bounded.
    growth
        The error grows like k to this power: 0 if it is bounded on the circle.
    words
        What happens there.
    """

    s: Any
    kind: str
    roots: tuple[complex, ...]
    is_bounded: bool
    growth: int
    words: str

    def __str__(self) -> str:
        exact = str(self.s)
        short = exact if len(exact) <= _SHORT else format_number(float(self.s), 6)
        return f"s = {short}: {self.words}"


def classify(coefficients: list[Any], matrix: list[list[Any]], s: Any, point: Any) -> Border:
    """Say what happens at a point.

    Parameters
    ----------
    coefficients
        Of the characteristic polynomial from the highest power down, in `s` alone.
    matrix
        The iteration matrix, in `s` alone.
    s
        The symbol.
    point
        Its value. Roots are decided on 60 digits.
    """
    import mpmath

    with mpmath.workdps(_DIGITS):
        # Put in as a number first: exact roots lose digits in sums that are evaluated later.
        at = point if point.is_Rational else point.evalf(2 * _DIGITS)
        numbers = [_number(c.subs(s, at)) for c in coefficients]
        rest, ones = _deflated(numbers, 1)
        rest, minus = _deflated(rest, -1)
        others = _roots(rest)
        outside = [r for r in others if abs(r) - 1 > _SAME]
        pairs = [r for r in others if abs(abs(r) - 1) <= _SAME]
        if outside:
            size = format_number(float(max(abs(r) for r in outside)))
            words = f"outside: the largest root has size {size}, the error grows"
            return Border(point, "outside", (), is_bounded=False, growth=0, words=words)
        found = [(mpmath.mpf(1), ones), (mpmath.mpf(-1), minus), *_clusters(pairs)]
        found = [(root, count) for root, count in found if count]
        if not found:
            words = "inside: the error shrinks to zero"
            return Border(point, "inside", (), is_bounded=True, growth=0, words=words)
        rows = [[_number(entry.subs(s, at)) for entry in row] for row in matrix]
        growth = max(_block(rows, root, count) - 1 for root, count in found)
        roots = tuple(complex(root) for root, count in found for _ in range(count))
    return _described(point, roots, growth)


def _described(point: Any, roots: tuple[complex, ...], growth: int) -> Border:
    kinds, sentences = [], []
    if 1 in roots:
        kinds.append("stays")
        sentences.append("root +1: a part of the error stays as it is")
    if -1 in roots:
        kinds.append("2-cycle")
        sentences.append(
            "root −1: a 2-cycle; the error changes its sign in every step and keeps its size"
        )
    angles = sorted({round(_angle(root), 12) for root in roots if root.imag})
    if angles:
        kinds.append("oscillation")
        periods = join_words([format_number(360 / angle, 4) for angle in angles])
        sentences.append(
            f"a complex pair on the circle: a bounded oscillation with a period of {periods} steps "
            "that never settles"
        )
    if not growth:
        words = "; ".join(sentences)
        return Border(point, " and ".join(kinds), roots, is_bounded=True, growth=0, words=words)
    where = {"stays": "+1", "2-cycle": "−1", "oscillation": "in a complex pair"}
    how = "proportionally to k" if growth == 1 else f"like k to the power {growth}"
    words = f"a repeated root {join_words([where[kind] for kind in kinds])}: the error grows {how}"
    return Border(point, "drift", roots, is_bounded=False, growth=growth, words=words)


def _angle(root: complex) -> float:
    import cmath
    import math

    return abs(math.degrees(cmath.phase(root)))


def _number(expression: Any) -> Any:
    import mpmath
    import sympy

    return mpmath.mpmathify(sympy.sympify(expression).evalf(_DIGITS))


def _deflated(coefficients: list[Any], root: int) -> tuple[list[Any], int]:
    """Divide by (z - root) as often as it goes."""
    count = 0
    while len(coefficients) > 1:
        quotient = [coefficients[0]]
        for c in coefficients[1:]:
            quotient.append(c + root * quotient[-1])
        if abs(quotient.pop()) > _ZERO:
            break
        coefficients, count = quotient, count + 1
    return coefficients, count


def _roots(coefficients: list[Any]) -> list[Any]:
    """Return roots as eigenvalues of the companion matrix: of 60 digits, enough are left."""
    import mpmath

    while len(coefficients) > 1 and abs(coefficients[-1]) <= _ZERO:
        coefficients = coefficients[:-1]  # a root at zero
    degree = len(coefficients) - 1
    if degree < 2:
        return [-coefficients[1] / coefficients[0]] if degree else []
    companion = mpmath.zeros(degree)
    for place in range(degree):
        companion[0, place] = -coefficients[place + 1] / coefficients[0]
        if place:
            companion[place, place - 1] = 1
    return list(mpmath.eig(companion, left=False, right=False))


def _clusters(roots: list[Any]) -> list[tuple[Any, int]]:
    """Return distinct roots with their multiplicities."""
    found: list[tuple[Any, int]] = []
    for root in roots:
        for place, (other, count) in enumerate(found):
            if abs(root - other) <= _SAME:
                found[place] = (other, count + 1)
                break
        else:
            found.append((root, 1))
    return found


def _block(rows: list[list[Any]], root: Any, count: int) -> int:
    """Return the size of the largest Jordan block of a root that is repeated `count` times."""
    import mpmath

    if count == 1:
        return 1
    size = len(rows)
    shifted = mpmath.matrix(rows) - root * mpmath.eye(size)
    power = shifted
    for block in range(1, count):
        values = mpmath.svd_c(power, compute_uv=False)
        if sum(1 for value in values if abs(value) <= _SAME) >= count:
            return block
        power = power * shifted
    return count
