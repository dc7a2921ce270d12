"""Forms of a line: what stays the same when it is only written differently.

A form is a nested tuple in which sums and products are flat and sorted, factors 1 and identity
matrices are gone, and the index of a sum has no name. Four levels forgive more and more; `levels`
finds those that still tell the lines of an exercise apart.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = [
    "LEVELS",
    "form_of",
    "is_isolated",
    "levels",
    "likeness",
    "says_nothing",
    "size",
    "wraps",
]

#: What is forgiven: 0 order and neutral factors; 1 also like terms; 2 also moved sides and signs;
#: 3 also what SymPy does by itself.
LEVELS = (0, 1, 2, 3)

Form = tuple[Any, ...]
_ONE: Form = ("1",)
_TRUE: Form = ("true",)
_FALSE: Form = ("false",)
_LARGEST_POWER = 4000  # bits of a number that is a power: a larger one is left as it is


def form_of(value: Any, level: int = 0) -> Form:
    """Return the form of a line.

    Examples
    --------
    >>> import sympy
    >>> a, b = sympy.symbols("a b")
    >>> form_of(sympy.Mul(1, b, a, evaluate=False)) == form_of(a * b)
    True
    >>> form_of(sympy.Eq(a, b)) == form_of(sympy.Eq(a - b, 0))
    False
    >>> form_of(sympy.Eq(a, b), 2) == form_of(sympy.Eq(a - b, 0), 2)
    True
    """
    try:
        return _Former(level).tree(_evaluated(value) if level >= 3 else value, {})
    except (AttributeError, TypeError, ValueError, ArithmeticError, RecursionError):
        return ("as written", str(value))


def levels(lines: Sequence[Any], *, pairs: bool = False) -> tuple[int, ...]:
    """Return the levels at which the last line differs from all others; there is always one.

    With `pairs`, those at which each line differs from the one above it.
    """
    found = []
    for level in LEVELS:
        forms = [form_of(line, level) for line in lines]
        below = forms[1:] if pairs else [forms[-1]] * (len(forms) - 1)
        if all(one != other for one, other in zip(forms[:-1], below, strict=True)):
            found.append(level)
    return tuple(found) or (0,)


def says_nothing(value: Any) -> bool:
    """Whether a line is true or false by itself: it has no letters, such as 0 < 1."""
    import sympy

    if isinstance(value, sympy.logic.boolalg.Boolean | bool):
        return form_of(value, 1) in (_TRUE, _FALSE)
    return False


def is_isolated(value: Any, symbol: Any = None) -> Any:
    """Return the letter that stands alone on one side of a relation and not on the other, or None.

    Parameters
    ----------
    value
        A line.
    symbol
        Only this letter.

    Examples
    --------
    >>> import sympy
    >>> p, u = sympy.symbols("p u")
    >>> is_isolated(sympy.Eq(p, u + 1)), is_isolated(sympy.Eq(p, u * p))
    (p, None)
    """
    import sympy
    from sympy.core.function import AppliedUndef

    if isinstance(value, sympy.And):  # 0 < a < 2 of a positive a
        parts = [each for each in value.args if each.func(*each.args) != sympy.true]
        return is_isolated(parts[0], symbol) if len(parts) == 1 else None
    if not isinstance(value, sympy.core.relational.Relational):
        return None
    for side, other in (value.args, value.args[::-1]):
        alone = isinstance(side, sympy.Symbol | AppliedUndef)
        if alone and not other.has(side) and symbol in (None, side):
            return side
    return None


def size(form: Any) -> int:
    """Return how many parts a form has."""
    if not isinstance(form, tuple):
        return 0
    return 1 + sum(size(part) for part in form)


def wraps(form: Form, other: Form) -> bool:
    """Whether a form has all of another one in it, such as sqrt(x**2), or x + 1 - 1 for x + ...

    Examples
    --------
    >>> import sympy
    >>> a, b = sympy.symbols("a b")
    >>> wraps(form_of(sympy.sqrt((a + b) ** 3)), form_of(a + b))
    True
    """
    if repr(other) in repr(form):
        return True
    inner = other[2] if other[0] == "by" else other
    if inner[0] not in ("+", "*"):
        return False
    wanted = _operands(inner)
    return any(part[0] == inner[0] and not wanted - _operands(part) for part in _within(form))


def _operands(form: Form) -> Counter[Any]:
    """Return the terms of a sum, or the factors of a product."""
    return Counter(form[1:] if form[0] == "+" else (*form[1], *form[2]))


def _within(form: Form) -> Iterator[Form]:
    """Yield all forms in a form, and the form itself."""
    if form and isinstance(form[0], str):
        yield form
    for part in form:
        if isinstance(part, tuple):
            yield from _within(part)


def likeness(one: Form, other: Form) -> float:
    """Return the share of parts that two forms have in common, from 0 to 1."""
    first, second = _parts(one), _parts(other)
    total = sum(first.values()) + sum(second.values())
    return 2 * sum((first & second).values()) / total


def _parts(form: Form) -> Counter[str]:
    found: Counter[str] = Counter([repr(form)])
    for part in form:
        if isinstance(part, tuple):
            found.update(_parts(part))
    return found


def _evaluated(value: Any) -> Any:
    """Return a value built anew, so that SymPy applies its own rules; matrices stay."""
    import sympy

    if not isinstance(value, sympy.Basic) or not value.args or getattr(value, "is_Matrix", False):
        return value
    args = [_evaluated(each) for each in value.args]
    if isinstance(value, sympy.logic.boolalg.Boolean):
        return value.func(*args, evaluate=False)
    if value.is_Pow and args[0].is_number and not _is_small(*args):
        return value
    return value.func(*args)


def _is_small(base: Any, exponent: Any) -> bool:
    """Whether a power of numbers has few digits."""
    if not (base.is_Rational and exponent.is_Rational):
        return not exponent.is_number or bool(abs(exponent) < 10)
    digits = max(abs(base.p), base.q).bit_length()
    return bool(digits * abs(exponent) <= _LARGEST_POWER)


def _sorted(parts: Any) -> tuple[Any, ...]:
    return tuple(sorted(parts, key=repr))


class _Former:
    """Builds forms at one level."""

    def __init__(self, level: int) -> None:
        self.level = level

    def tree(self, value: Any, names: Mapping[Any, str]) -> Form:
        """Return the form of a value, where `names` stand for the indices of sums."""
        number, form = self.scaled(value, names)
        return _times(number, form)

    def scaled(self, value: Any, names: Mapping[Any, str]) -> tuple[Any, Form]:
        """Return a number and a form whose product is the value."""
        import sympy

        if getattr(value, "is_Number", False):
            return value, _ONE
        if isinstance(value, sympy.Add | sympy.MatAdd):
            return self.collected(self.terms(value, names))
        if isinstance(value, sympy.Mul | sympy.MatMul):
            return self.product(value, names)
        if isinstance(value, sympy.Pow | sympy.MatPow):
            return self.power(value, names)
        if isinstance(value, sympy.Transpose) and isinstance(value.arg, sympy.Transpose):
            return self.scaled(value.arg.arg, names)
        if isinstance(value, sympy.Trace) and value.arg.shape == (1, 1):
            return self.scaled(value.arg, names)
        if isinstance(value, sympy.Abs):
            number, form = self.scaled(value.args[0], names)
            return abs(number), ("Abs", form)
        return sympy.Integer(1), self.other(value, names)

    def terms(self, value: Any, names: Mapping[Any, str]) -> list[tuple[Any, Form]]:
        """Return the terms of a sum with their numbers; from level 1 on like terms are one."""
        import sympy

        listed: list[tuple[Any, Form]] = []
        for part in value.args:
            number, form = self.scaled(part, names)
            inner = [(sympy.Integer(1), form)]
            if form[0] == "+" and (number == 1 or self.level >= 2):
                inner = list(form[1:])
            listed += [(number * times, each) for times, each in inner]
        if self.level == 0:
            return listed
        found: dict[Form, Any] = {}
        for number, form in listed:
            found[form] = found.get(form, 0) + number
        return [(number, form) for form, number in found.items() if number != 0]

    def collected(self, terms: list[tuple[Any, Form]]) -> tuple[Any, Form]:
        """Return a sum as a number times a form; from level 2 on its first sign is plus."""
        import sympy

        if not terms:
            return sympy.Integer(0), _ONE
        if len(terms) == 1:
            return terms[0]
        order = sorted(terms, key=lambda term: (repr(term[1]), str(term[0])))
        sign = -1 if self.level >= 2 and order[0][0].is_negative else 1
        return sympy.Integer(sign), ("+", *((sign * number, form) for number, form in order))

    def product(self, value: Any, names: Mapping[Any, str]) -> tuple[Any, Form]:
        """Return a product, flat: numbers, then what commutes, then matrices in their order."""
        import sympy

        number, identity = sympy.Integer(1), None
        plain: list[Form] = []
        ordered: list[Form] = []
        for part in value.args:
            times, form = self.scaled(part, names)
            number *= times
            bucket = plain if getattr(part, "is_commutative", True) else ordered
            if form[0] == "identity":
                identity = form
            elif form[0] == "*":
                plain.extend(form[1])
                ordered.extend(form[2])
            elif form != _ONE:
                bucket.append(form)
        if identity is not None and not ordered:
            ordered = [identity]
        if number == 0 and self.level >= 1:
            return number, _ONE
        if len(plain) + len(ordered) < 2:
            return number, (*plain, *ordered, _ONE)[0]
        return number, ("*", _sorted(plain), tuple(ordered))

    def power(self, value: Any, names: Mapping[Any, str]) -> tuple[Any, Form]:
        """Return a power."""
        import sympy

        (number, base), exponent = self.scaled(value.args[0], names), value.args[1]
        by = self.tree(exponent, names)
        if by == _ONE:
            return number, base
        whole = exponent.is_Integer and number != 0 and _is_small(number, exponent)
        if whole and (base == _ONE or number == -1 or self.level >= 2):
            return number**exponent, base if base == _ONE else ("^", base, by)
        return sympy.Integer(1), ("^", _times(number, base), by)

    def other(self, value: Any, names: Mapping[Any, str]) -> Form:
        """Return the form of what is neither sum, product nor power."""
        import sympy

        if isinstance(value, sympy.Identity):
            return ("identity", str(value.args[0]))
        if isinstance(value, sympy.Symbol | sympy.MatrixSymbol):
            return ("name", names.get(value, value.name))
        if isinstance(value, sympy.logic.boolalg.Boolean | bool):
            return self.claim(value, names)
        if isinstance(value, sympy.Sum | sympy.Product):
            inner, limits = dict(names), []
            for index, *ends in value.limits:
                limits.append(tuple(self.tree(end, names) for end in ends))
                inner[index] = f"index {len(inner)}"
            return (type(value).__name__, self.tree(value.function, inner), *limits)
        if isinstance(value, sympy.MatrixBase):
            return ("matrix", str(value.shape), *(self.tree(each, names) for each in value))
        args = getattr(value, "args", ())
        if not args:
            return ("written", str(value))
        return (value.func.__name__, *(self.tree(each, names) for each in args))

    def claim(self, value: Any, names: Mapping[Any, str]) -> Form:
        """Return the form of what is true or false."""
        import sympy

        if value in (True, False):
            return _TRUE if bool(value) else _FALSE
        if isinstance(value, sympy.Not):
            inner = value.args[0]
            if isinstance(inner, sympy.Not):
                return self.tree(inner.args[0], names)
            if isinstance(inner, sympy.core.relational.Relational):
                return self.tree(inner.negated, names)
        if isinstance(value, sympy.And | sympy.Or):
            return self.joined(value, names)
        if isinstance(value, sympy.core.relational.Relational):
            return self.relation(value, names)
        return (value.func.__name__, *(self.tree(each, names) for each in value.args))

    def joined(self, value: Any, names: Mapping[Any, str]) -> Form:
        """Return claims joined by and, or by or: each once, and none that changes nothing."""
        word = value.func.__name__
        neutral, final = (_TRUE, _FALSE) if word == "And" else (_FALSE, _TRUE)
        parts: set[Form] = set()
        for each in value.args:
            form = self.tree(each, names)
            parts.update(form[1:] if form[0] == word else (form,))
        parts.discard(neutral)
        if final in parts:
            return final
        if len(parts) < 2:
            return next(iter(parts), neutral)
        return (word, *_sorted(parts))

    def relation(self, value: Any, names: Mapping[Any, str]) -> Form:
        """Return an equation or inequality: smaller side first, or from level 2 on in one side."""
        import sympy

        left, right = value.args
        word = type(value).__name__
        if word in ("StrictGreaterThan", "GreaterThan"):
            left, right = right, left
            word = word.replace("Greater", "Less")
        if not value.free_symbols and not value.atoms(sympy.core.function.AppliedUndef):
            truth = value.func(*value.args)
            if truth in (True, False):
                return _TRUE if bool(truth) else _FALSE
        if self.level >= 1 and self.tree(left, names) == self.tree(right, names):
            return _TRUE if word in ("Equality", "LessThan") else _FALSE
        matrix = getattr(left, "is_Matrix", False) or getattr(right, "is_Matrix", False)
        ordered = "Less" in word
        if self.level >= 2 and not matrix:
            moved = sympy.Mul(-1, right, evaluate=False)
            number, form = self.scaled(sympy.Add(left, moved, evaluate=False), names)
            return (word, _times(number if ordered else abs(number), form))
        sides = (self.tree(left, names), self.tree(right, names))
        return (word, *(sides if ordered else _sorted(sides)))


@functools.cache
def _numbered(number: Any) -> Form:
    return ("number", str(number))


def _times(number: Any, form: Form) -> Form:
    if number == 1:
        return form
    return _numbered(number) if form == _ONE else ("by", str(number), form)
