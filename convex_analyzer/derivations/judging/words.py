"""The normal form of matrices of any order n: words that do not commute, with scalar coefficients.

A letter is a matrix or vector to an exponent, perhaps transposed. What is declared of a matrix
rewrites words: a symmetric matrix is its transpose, the transpose of an orthogonal one its inverse,
diagonal ones commute, and so do polynomials in one matrix. A row times a column is a scalar, equal
to its transpose.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convex_analyzer.derivations.judging.field import ANY, Generator, Signs, poly_key
from convex_analyzer.derivations.judging.letters import (
    ONCE,
    OWN_TRANSPOSE,
    Atom,
    Form,
    Letter,
    Word,
    after_lead,
    cofactors,
    commute,
    is_definite,
    order_of,
    scalar_form,
    scaled_exponent,
)
from convex_analyzer.derivations.judging.polynomials import (
    ONE,
    ZERO,
    Quotient,
    TooLarge,
    constant,
    generator,
    poly_sum,
)
from convex_analyzer.derivations.judging.powers import raised

if TYPE_CHECKING:
    from convex_analyzer.derivations.judging.normal import Normalizer

__all__ = ["Words"]

_LARGEST_POWER = 8
_MOST_WORDS = 300
_MOST_REWRITES = 200


class Words:
    """Turns SymPy's matrix expressions into forms."""

    def __init__(self, normal: Normalizer) -> None:
        self.normal, self.field, self.sympy = normal, normal.field, normal.sympy
        self.sums: dict[Any, Form] = normal.sums

    # -- reading --------------------------------------------------------------------------------

    def form(self, e: Any) -> Form:
        """Return the normal form of a matrix expression."""
        sp = self.sympy
        self.field.clock.check()
        if not getattr(e, "is_Matrix", False) and not isinstance(e, sp.MatrixExpr):
            return scalar_form(self.normal.scalar(e))
        name = type(e).__name__
        if name in ("MatAdd", "MatMul", "Mul"):
            join = self.plus if name == "MatAdd" else self.times
            return functools.reduce(join, map(self.form, e.args))
        match name:
            case "MatrixSymbol":
                return self._symbol(e)
            case "Identity":
                return Form({(): ONE})
            case "ZeroMatrix":
                return Form({}, e.rows == 1, e.cols == 1)
            case "Transpose":
                return self.transposed(self.form(e.args[0]))
            case "Inverse":
                return self.inverted(self.form(e.args[0]))
            case "MatPow":
                return self.raised(self.form(e.args[0]), self.normal.scalar(e.args[1]))
        raise TooLarge

    def _symbol(self, e: Any) -> Form:
        column = e.shape[1] == 1
        kind = "vector" if column else self.normal.kinds.get(e.name, "matrix")
        if kind == "identity matrix":
            return Form({(): ONE})
        family = "diagonal" if kind == "diagonal matrix" else (e.name, False)
        return Form({((Atom(e.name, kind, family), False, ONCE),): ONE}, column=column)

    def scalar(self, e: Any) -> Quotient:
        """Return a trace, a determinant or an entry."""
        name = type(e).__name__
        inner = e if name not in ("Trace", "Determinant", "MatrixElement") else e.args[0]
        if isinstance(inner, self.sympy.MatrixBase):
            return self._explicit(e, inner)
        form = self.form(inner)
        if form.is_scalar:
            return form.terms.get((), ZERO)
        if name == "Trace":
            total = ZERO
            for word, coefficient in form.terms.items():
                total = total + coefficient * self._trace(word)
            return total
        if name == "Determinant":
            return self._determinant(form)
        places = tuple(self.field.key(self.normal.scalar(a)) for a in e.args[1:])
        free = frozenset(e.free_symbols)
        return self._generator(("entry", self.key(form), *places), ANY, free)

    def _explicit(self, e: Any, matrix: Any) -> Quotient:
        if type(e).__name__ == "Determinant":
            rows = tuple(tuple(self.normal.scalar(x) for x in row) for row in matrix.tolist())
            if len(rows) > 4:
                raise TooLarge
            return cofactors(rows)
        if type(e).__name__ == "Trace":
            return self.normal.scalar(matrix.trace())
        return self.normal.scalar(matrix[e.args[1], e.args[2]])

    # -- arithmetic -----------------------------------------------------------------------------

    def plus(self, a: Form, b: Form) -> Form:
        """Return the sum."""
        total = dict(a.terms)
        for word, coefficient in b.terms.items():
            value = total.get(word, ZERO) + coefficient
            if self.field.is_zero(value):
                total.pop(word, None)
            else:
                total[word] = value
        return Form(total, a.row, a.column)

    def times(self, a: Form, b: Form) -> Form:
        """Return the product."""
        if a.is_scalar or b.is_scalar:
            front, form = (a, b) if a.is_scalar else (b, a)
            number = front.terms.get((), ZERO)
            if self.field.is_zero(number):
                return Form({}, form.row, form.column)
            return Form({w: c * number for w, c in form.terms.items()}, form.row, form.column)
        if len(a.terms) * len(b.terms) > _MOST_WORDS:
            raise TooLarge
        total = Form({}, a.row, b.column)
        for v, c in a.terms.items():
            for w, d in b.terms.items():
                total = self.plus(total, self.tidy(v + w, c * d, row=a.row, column=b.column))
        return total

    def transposed(self, a: Form) -> Form:
        """Return the transpose."""
        total = Form({}, a.column, a.row)
        for word, coefficient in a.terms.items():
            turned = tuple((atom, not t, e) for atom, t, e in reversed(word))
            total = self.plus(total, self.tidy(turned, coefficient, row=a.column, column=a.row))
        return total

    def inverted(self, a: Form) -> Form:
        """Return the inverse."""
        if a.row or a.column:
            raise TooLarge
        minus = poly_key(constant(-1))
        if len(a.terms) == 1:
            ((word, coefficient),) = a.terms.items()
            if all(atom.kind != "vector" for atom, _, _ in word):
                turned = tuple((atom, t, scaled_exponent(e, -1)) for atom, t, e in reversed(word))
                return self.tidy(turned, coefficient.inverse())
        atom, content = self._sum(a)
        return self.tidy(((atom, False, minus),), content.inverse())

    def raised(self, a: Form, exponent: Quotient) -> Form:
        """Return a power."""
        number, power = exponent.number(), exponent.whole()
        if number is not None and Fraction(number).denominator == 1:
            if abs(number) > _LARGEST_POWER:
                raise TooLarge
            base = self.inverted(a) if number < 0 else a
            result = Form({(): ONE})
            for _ in range(abs(int(number))):
                result = self.times(result, base)
            return result
        if power is None or a.row or a.column:
            raise TooLarge
        if len(a.terms) == 1:
            ((word, coefficient),) = a.terms.items()
            scale = raised(self.field, coefficient, exponent)
            return self.tidy(self._word_power(word, exponent), scale)
        shift = int(power.get((), 0) // 1)
        atom, content = self._sum(a)
        rest = poly_sum(power, constant(shift), -1) if shift > 0 else power
        front = self.tidy(((atom, False, poly_key(rest)),), ONE)
        scale = raised(self.field, content, exponent)
        own = Form({w: c * content.inverse() for w, c in a.terms.items()})
        for _ in range(max(0, min(shift, _LARGEST_POWER))):
            front = self.times(front, own)
        return self.times(scalar_form(scale), front)

    def _word_power(self, word: Word, exponent: Quotient) -> Word:
        """Return the letters of a word to a power; P M P⁻¹ becomes P Mᵏ P⁻¹."""
        if not word or len({atom.family for atom, _, _ in word}) == 1:
            return tuple(
                (atom, t, poly_key((Quotient(dict(e), {}) * exponent).top)) for atom, t, e in word
            )
        first, last = word[0], word[-1]
        if first[0] == last[0] and first[1] == last[1] and scaled_exponent(first[2], -1) == last[2]:
            return (first, *self._word_power(word[1:-1], exponent), last)
        atom, _ = self._sum(Form({word: ONE}))
        return ((atom, False, poly_key(exponent.top)),)

    def _sum(self, a: Form) -> tuple[Atom, Quotient]:
        """Return the atom that stands for a sum, and the scalar taken out of it."""
        lead = min(a.terms, key=lambda w: (len(w), repr(w)))
        content = a.terms[lead]
        own = Form({w: c * content.inverse() for w, c in a.terms.items()})
        families = {
            atom.family if not t else (atom.family, t) for w in own.terms for atom, t, _ in w
        }
        key = self.key(own)
        family = families.pop() if len(families) == 1 else ("sum", key)
        symmetric = self.key(self.transposed(own)) == key
        atom = Atom(key, "symmetric matrix" if symmetric else "sum", family)
        self.sums[atom] = own
        return atom, content

    def key(self, a: Form) -> Any:
        """Return what is equal for equal forms."""
        pairs = [(word, self.field.key(c)) for word, c in a.terms.items()]
        return tuple(sorted(pairs, key=repr))

    # -- rewriting ------------------------------------------------------------------------------

    def tidy(
        self, word: Word, coefficient: Quotient, *, row: bool = False, column: bool = False
    ) -> Form:
        """Return a product of letters as a form, every rule applied."""
        pending, total, steps = [(word, coefficient)], Form({}, row, column), 0
        while pending:
            steps += 1
            if steps > _MOST_REWRITES:
                raise TooLarge
            letters, number = pending.pop()
            letters = self._merged(letters)
            letters, inner = self._scalars(letters)
            number = number * inner
            replaced = self._cancelled(letters)
            if replaced is not None:
                pending += [(w, number * c) for w, c in replaced]
                continue
            total = self.plus(total, Form({letters: number}, row, column))
        return total

    def _merged(self, word: Word) -> Word:
        """Return a word with equal neighbours merged and commuting ones sorted."""
        letters: list[Letter] = []
        for atom, t, e in word:
            turned, exponent = t, e
            if atom.kind in OWN_TRANSPOSE:
                turned = False
            elif atom.kind == "orthogonal matrix" and t:
                turned, exponent = False, scaled_exponent(e, -1)
            new: Letter = (atom, turned, exponent)
            place = len(letters)
            while (
                place
                and commute(letters[place - 1], new)
                and order_of(new) < order_of(letters[place - 1])
            ):
                place -= 1
            if place and letters[place - 1][:2] == new[:2] and atom.kind != "vector":
                total = poly_sum(dict(letters[place - 1][2]), dict(exponent))
                if total:
                    letters[place - 1] = (atom, turned, poly_key(total))
                else:
                    del letters[place - 1]
                    letters = list(self._merged(tuple(letters)))
            else:
                letters.insert(place, new)
        return tuple(letters)

    def _scalars(self, word: Word) -> tuple[Word, Quotient]:
        """Take rows times columns out of a word."""
        kept: list[Letter] = []
        front, start = ONE, None
        for letter in word:
            atom, t, _ = letter
            if atom.kind == "vector" and t:
                start = len(kept)
            kept.append(letter)
            if atom.kind == "vector" and not t and start is not None:
                front = front * self._inner(tuple(kept[start:]))
                del kept[start:]
                start = None
        return tuple(kept), front

    def _inner(self, word: Word) -> Quotient:
        turned = tuple((atom, not t, e) for atom, t, e in reversed(word))
        turned = self._merged(turned)
        least = min(word, turned, key=repr)
        signs: Signs = ANY
        if word == turned and (len(word) == 2 or is_definite(word[1:-1])):
            signs = frozenset((0, 1))
        return self._generator(("inner", least), signs, self._free(word))

    def _free(self, word: Word) -> frozenset[Any]:
        return frozenset().union(*(self.field.free(dict(e)) for _, _, e in word))

    def _generator(self, key: Any, signs: Signs, free: frozenset[Any]) -> Quotient:
        new = Generator(key, signs, free)
        return Quotient(generator(self.field.index(new)), {})

    def _cancelled(self, word: Word) -> list[tuple[Word, Quotient]] | None:
        """Rewrite w X⁻¹, where w is the longest word of the sum X, so that X X⁻¹ is I."""
        for place, (atom, _, exponent) in enumerate(word):
            sum_ = self.sums.get(atom)
            number = dict(exponent).get((), 0) if len(exponent) == 1 else 0
            if sum_ is None or number == 0:
                continue
            if number > 0:
                return self._expanded(word, place, sum_)
            lead = max(sum_.terms, key=lambda w: (len(w), repr(w)))
            for start in (place - len(lead), place + 1):
                rest = after_lead(word, start, lead)
                if rest is not None:
                    return self._replaced(word, place, start, lead, rest)
        return None

    def _expanded(self, word: Word, place: int, sum_: Form) -> list[tuple[Word, Quotient]] | None:
        """Write out one factor of a sum to a positive whole power."""
        atom, t, exponent = word[place]
        number = dict(exponent)[()]
        if t or number % 1 or number > _LARGEST_POWER:
            return None
        lower = poly_sum(dict(exponent), constant(1), -1)
        rest: Word = ((atom, t, poly_key(lower)),) if lower else ()
        return [
            ((*word[:place], *rest, *inner, *word[place + 1 :]), coefficient)
            for inner, coefficient in sum_.terms.items()
        ]

    def _replaced(
        self, word: Word, place: int, start: int, lead: Word, rest: Word
    ) -> list[tuple[Word, Quotient]]:
        """Return a word whose part at `start` and the inverse at `place` are multiplied."""
        atom, t, exponent = word[place]
        sum_ = self.sums[atom]
        low, high = min(place, start), max(place + 1, start + len(lead))
        before, after = word[:low], word[high:]
        if start < place:
            before = before + rest
        else:
            after = rest + after
        scale = sum_.terms[lead].inverse()
        lower = poly_sum(dict(exponent), constant(1))
        middle: Word = ((atom, t, poly_key(lower)),) if lower else ()
        found = [(before + middle + after, scale)]
        for other, coefficient in sum_.terms.items():
            if other != lead:
                pair = (*other, word[place]) if start < place else (word[place], *other)
                found.append((before + pair + after, -(coefficient * scale)))
        return found

    # -- scalars of matrices --------------------------------------------------------------------

    def _trace(self, word: Word) -> Quotient:
        if not word:
            return self.normal.symbol(self.sympy.Symbol("n", integer=True, positive=True))
        for i, (atom, t, _) in enumerate(word):
            if atom.kind == "vector" and t:  # tr(v wᵀ) = wᵀ v
                _, number = self._scalars(self._merged(word[i:] + word[:i]))
                return number
        turned = self._merged(tuple((atom, not t, e) for atom, t, e in reversed(word)))
        rotations = [w[i:] + w[:i] for w in (word, turned) for i in range(len(w))]
        merged = [self._merged(w) for w in rotations]
        shortest = min(merged, key=lambda w: (len(w), repr(w)))
        if len(shortest) < len(word):
            return self._trace(shortest)
        return self._generator(("trace", shortest), ANY, self._free(word))

    def _determinant(self, form: Form) -> Quotient:
        if len(form.terms) != 1:
            least = min(self.key(form), self.key(self.transposed(form)), key=repr)
            return self._generator(("det", least), ANY, frozenset())
        ((word, coefficient),) = form.terms.items()
        size = self.normal.symbol(self.sympy.Symbol("n", integer=True, positive=True))
        result = raised(self.field, coefficient, size)
        for atom, _, exponent in word:
            if atom.kind == "orthogonal matrix":
                one = self.field.sign_generator(("det", atom), ())
            else:
                signs: Signs = frozenset((1,)) if atom.kind == "positive definite matrix" else ANY
                one = self._generator(("det", atom), signs, frozenset())
            result = result * raised(self.field, one, Quotient(dict(exponent), {}))
        return result
