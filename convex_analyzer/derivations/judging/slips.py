"""Names of slips: what kind of mistake turns the right line into the one that was written."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from convex_analyzer.derivations.judging.evaluation import compiled, is_boolean
from convex_analyzer.derivations.judging.points import Sampler
from convex_analyzer.derivations.judging.repair import Repair
from convex_analyzer.derivations.judging.values import Undefined, agree, power
from convex_analyzer.parsing.symbols import Symbols

__all__ = ["SENTENCES", "name_slip"]

#: What each kind of slip is, as a sentence that does not give the repair away.
SENTENCES = {
    "sign": "a sign is wrong",
    "factor lost": "a factor was lost",
    "factor too many": "there is a factor too many",
    "factor 2 lost": "a factor 2 was lost",
    "factor 1/2 lost": "a factor ½ was lost",
    "factor 1/4 lost": "a factor ¼ was lost",
    "factor not squared": "a factor was not squared",
    "number": "a number is wrong",
    "symbol": "one symbol was written for another",
    "symbols exchanged": "two symbols were exchanged",
    "exponent off by one": "an exponent is off by one",
    "off by one": "a count is off by one",
    "exponents multiplied": "exponents were multiplied where they add",
    "power outside": "a power was put on the whole bracket",
    "power inside": "a power was put inside the bracket",
    "power too many": "there is a power too many",
    "square forgotten": "a square was forgotten",
    "square too many": "there is a square too many",
    "root forgotten": "a square root was forgotten",
    "root too many": "there is a square root too many",
    "absolute value forgotten": "an absolute value was forgotten",
    "absolute value too many": "there is an absolute value too many",
    "sign function forgotten": "√(x²) is |x|, not x: a sign(…) was forgotten",
    "sign function too many": "there is a sign(…) too many",
    "transpose forgotten": "a transpose was forgotten",
    "transpose too many": "there is a transpose too many",
    "transposes exchanged": "a matrix and its transpose were exchanged",
    "inverse forgotten": "an inverse was forgotten",
    "inverse too many": "there is an inverse too many",
    "order of a product": "the order of a product of matrices is wrong",
    "multiplied or divided": "something was multiplied that should be divided, or the reverse",
    "added or multiplied": "something was added that should be multiplied",
    "upside down": "a fraction is upside down",
    "term too many": "there is a term too many",
    "term lost": "a term was lost",
    "complement": "1 − x and x were confused",
    "inequality not reversed": "the inequality points the wrong way",
    "boundary included": "the boundary is included where it should not be",
    "boundary excluded": "the boundary is left out where it belongs",
    "shapes": "the shapes do not fit",
}


def name_slip(
    before: Any,
    wrong: Any,
    symbols: Symbols,
    repair: Repair | None,
    known: Sequence[tuple[Any, str]] = (),
) -> tuple[str, str]:
    """Return the kind of a slip, and a sentence about it.

    Parameters
    ----------
    before, wrong
        The line above and the wrong line, as SymPy objects.
    symbols
        What is declared.
    repair
        The proved repair, if one was found.
    known
        Pairs of a wrong line and the name that an exercise gives to it.
    """
    for value, name in known:
        if value == wrong:
            return "known", name
    if repair is not None:
        return repair.kind, SENTENCES.get(repair.kind, repair.kind)
    if is_boolean(wrong):
        return "other", "the two statements do not hold at the same points"
    return _by_values(before, wrong, symbols)


def _by_values(before: Any, wrong: Any, symbols: Symbols) -> tuple[str, str]:
    """Compare the values at a few points: a constant ratio, a square, a root."""
    pairs = []
    first, second = compiled(before), compiled(wrong)
    for point in Sampler(symbols, [before, wrong]).points(10):
        try:
            a, b = first(point), second(point)
        except Undefined:
            continue
        if not isinstance(a, tuple) and not isinstance(b, tuple) and a != 0 and b != 0:
            pairs.append((a, b))
    if len(pairs) < 3:
        return "other", "the two lines differ"
    ratios = [Fraction(a) / Fraction(b) for a, b in pairs if _rational(a) and _rational(b)]
    if len(ratios) == len(pairs) and len(set(ratios)) == 1:
        ratio = ratios[0]
        if ratio == -1:
            return "sign", SENTENCES["sign"]
        return "factor lost", f"the line is off by the factor {ratio}"
    if all(agree(power(b, 2), a) for a, b in pairs):
        return "square forgotten", SENTENCES["square forgotten"]
    if all(agree(power(a, 2), b) for a, b in pairs):
        return "root forgotten", SENTENCES["root forgotten"]
    if all(agree(abs(a), abs(b)) for a, b in pairs):
        return "sign", "the line is right up to a sign that changes"
    return "other", "more than one thing differs"


def _rational(value: Any) -> bool:
    return isinstance(value, (int, Fraction))
