"""The update rule of an optimizer as formulas, from `step` itself.

`step` is run once on terms (`convex_analyzer.derivations.terms`). Every slot of the state, the
gradient, and whatever the rule computes once and uses twice gets a line of its own.
"""

from __future__ import annotations

import inspect
import operator
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from convex_analyzer.derivations.terms import Index, Term, Writing, leaf
from convex_analyzer.errors import ConvexAnalyzerError, NotDerivableError
from convex_analyzer.notation import SYMBOLS, symbol_of
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.theory.symbolic import exactly

__all__ = ["WrittenRule", "rule_source", "write_rule"]

_LETTERS = ("u", "w", "y", "z", "p", "q", "r", "h")  # of values that a rule uses twice
_LINES, _OPERATIONS, _TERMS, _CHOICES = 9, 90, 300, 2  # a rule with more is shorter as source
_DECISIONS = {"<", "<=", ">", ">=", "==", "!=", "and", "or", "not"}


@dataclass(frozen=True)
class WrittenRule:
    """A rule on paper.

    Attributes
    ----------
    lines
        SymPy equations, in the order in which they are computed.
    reported
        The point that the method reports, as an expression; None for θ itself.
    notes
        What the lines leave out.
    letters
        What each hyper-parameter and slot of the code is called in the lines.
    """

    lines: tuple[Any, ...]
    reported: Any = None
    notes: tuple[str, ...] = ()
    letters: Mapping[str, str] = field(default_factory=dict)


def write_rule(optimizer: Optimizer) -> WrittenRule:
    """Return the update rule of an instance as formulas.

    Hyper-parameters that are zero are left out with all that they multiply; the others are symbols,
    whatever their value. Flags, choices and counts are as they are in the instance.

    Raises
    ------
    NotDerivableError
        The rule is not a handful of formulas: it depends on t in some other way than through
        arithmetic, or works with matrices, or is too long. `rule_source` shows it as it is written.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> for line in write_rule(HeavyBall(0.1)).lines:
    ...     print(line.lhs, "=", line.rhs)
    g[t] = ∇J(theta[t - 1])
    v[t] = -alpha*g[t] + mu*v[t - 1]
    theta[t] = theta[t - 1] + v[t]
    """
    rule, name = _with_names(optimizer), type(optimizer).__name__
    index, slots = Index(), [leaf(slot) for slot in ("theta", *optimizer.memory)]
    step: Any = rule.step  # its index is an int everywhere else
    try:
        after = as_state(rule, step(Writing(), index, *slots))
        reported = rule.report(*slots)
        writer = _Writer(optimizer, slots, after)
        lines = writer.lines()
    except ConvexAnalyzerError as error:
        raise NotDerivableError(f"{name}: {error}") from error
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise NotDerivableError(f"{name}: step cannot be run on symbols ({error})") from error
    size = sum(int(line.rhs.count_ops()) for line in lines)
    choices = sum(str(line).count("Piecewise") for line in lines)
    if len(lines) > _LINES or size > _OPERATIONS or choices > _CHOICES:
        raise NotDerivableError(f"{name}: the rule is long")
    notes = list(writer.notes)
    if index.asked:
        notes.append("the first step is unlike this one")
    shown = None if reported is slots[0] else writer.later(reported)
    return WrittenRule(tuple(lines), shown, tuple(notes), writer.letters)


def rule_source(optimizer: Optimizer | type[Optimizer]) -> str:
    """Return the body of `step` as it stands in its file; empty when there is no file."""
    try:
        source = textwrap.dedent(inspect.getsource(optimizer.step))
    except OSError:
        return ""
    head, _, body = source.partition(":\n")
    while head.count("(") != head.count(")"):  # a signature of several lines
        more, _, body = body.partition(":\n")
        head += more
    return textwrap.dedent(body).strip("\n")


def _with_names(optimizer: Optimizer, inside: str = "") -> Optimizer:
    """Return a copy that holds names for its continuous hyper-parameters."""
    changes: dict[str, Any] = {}
    for name, value in optimizer.values.items():
        if isinstance(value, Optimizer):
            changes[name] = _with_names(value, f"{inside}{name}.")
        elif name in optimizer.hyperparameters() and not (isinstance(value, float) and value == 0):
            changes[name] = leaf(f"{inside}{name}", generic=True)
    copy = object.__new__(type(optimizer))  # wrappers route changes; here every field is named
    copy.__dict__.update(optimizer.__dict__ | changes)
    return copy


class _Writer:
    """Turns the terms of one rule into equations."""

    def __init__(self, optimizer: Optimizer, slots: list[Term], after: tuple[Any, ...]) -> None:
        import sympy

        self.t = sympy.Symbol("t", integer=True, positive=True)
        self.slots = slots
        merged: dict[tuple[Any, ...], Term] = {}
        self.after = tuple(_merged(term, merged) for term in after)
        self.notes: list[str] = []
        usual = {symbol.name: symbol.sympy for symbol in SYMBOLS}
        self.letters: dict[str, str] = {"theta": "theta", "t": "t", "gradient": "g"}
        names = [*optimizer.numbers(), *optimizer.memory]
        for name in sorted(names, key=lambda name: "." in name):
            plain = name.rpartition(".")[2]
            letter = usual.get(plain, plain)
            taken = set(self.letters.values())
            self.letters[name] = letter if letter not in taken else f"{plain}_2"
        self.free = [letter for letter in _LETTERS if letter not in self.letters.values()]
        self.symbols: dict[int, Any] = {}  # of terms that have a line of their own
        self._name_terms()

    def _indexed(self, letter: str, before: bool = False) -> Any:
        import sympy

        return sympy.IndexedBase(letter)[self.t - 1 if before else self.t]

    def _name_terms(self) -> None:
        """Give a symbol to new slots, gradients, draws and whatever is used twice."""
        for slot, term in zip(self.slots, self.after, strict=True):
            if isinstance(term, Term) and term.operation not in {"name", "gradient"}:
                letter = self.letters[slot.arguments[0]]
                self.symbols.setdefault(id(term), self._indexed(letter))
        terms = {id(term): term for root in self.after if isinstance(root, Term)
                 for term in root.walk()}  # fmt: skip
        if len(terms) > _TERMS:
            raise NotDerivableError("the rule is long")
        uses = Counter(id(part) for term in terms.values() for part in term.parts)
        uses.update(id(term) for term in self.after)
        gradients = 0
        for key, term in terms.items():
            if key in self.symbols or term.operation in _DECISIONS:
                continue
            if term.operation == "gradient":
                gradients += 1
                self.symbols[key] = self._indexed("g" if gradients == 1 else f"g_{gradients}")
            elif _deserves_a_line(term, uses[key]):
                self.symbols[key] = self._symbol_of(term)

    def _next_letter(self) -> str:
        if not self.free:
            raise NotDerivableError("the rule is long")
        return self.free.pop(0)

    def _symbol_of(self, term: Term) -> Any:
        import sympy

        letter = self._next_letter()
        changes = not term.generic or any(isinstance(part, Index) for part in term.walk())
        return self._indexed(letter) if changes else sympy.Symbol(letter, positive=True)

    def lines(self) -> list[Any]:
        """Return one equation for every term that has a symbol, in the order of computation."""
        done: set[int] = set()
        lines: list[Any] = []

        def add(symbol: Any, expression: Any) -> None:
            for choice in _choices_inside(expression):
                letter = self._indexed(self._next_letter())
                lines.append(_equation(letter, choice))
                expression = expression.xreplace({choice: letter})
            lines.append(_equation(symbol, expression))

        def visit(term: Any) -> None:
            if not isinstance(term, Term) or id(term) in done:
                return
            done.add(id(term))
            for argument in term.arguments:
                visit(argument)
            if id(term) in self.symbols:
                add(self.symbols[id(term)], self._expression(term, top=True))

        for term in (*self.after[1:], self.after[0]):
            visit(term)
        for slot, term in zip(self.slots, self.after, strict=True):
            symbol = self._indexed(self.letters[slot.arguments[0]])
            said = isinstance(term, Term) and self.symbols.get(id(term)) == symbol
            if not said and term is not slot:
                add(symbol, self._expression(term))
        return lines

    def later(self, term: Any) -> Any:
        """Return an expression in the slots after the step."""
        expression = self._expression(term)
        return expression.subs(self.t, self.t + 1) if hasattr(expression, "subs") else expression

    # -- terms as SymPy expressions --------------------------------------------------------------

    def _expression(
        self, term: Any, holds: frozenset[Any] = frozenset(), *, top: bool = False
    ) -> Any:
        """Return a term as SymPy sees it, where the conditions in `holds` are true."""
        import sympy

        if not isinstance(term, Term):
            return _number(term)
        if not top and id(term) in self.symbols:
            return self.symbols[id(term)]
        if term.operation == "name":
            return self._named(term)
        if term.operation == "where":
            return self._choice(term, holds)
        if term.operation == "sqrt" and _is_square(term.arguments[0]):
            return sympy.Function("norm")(self._expression(term.arguments[0].arguments[0], holds))
        if term.operation == "solution":
            return self._solution(term, holds)
        return _made(term.operation, [self._expression(a, holds) for a in term.arguments], self.t)

    def _named(self, term: Term) -> Any:
        import sympy

        name = term.arguments[0]
        if isinstance(term, Index):
            return self.t
        if term.generic:
            return sympy.Symbol(self.letters[name], positive=True)
        return self._indexed(self.letters[name], before=True)

    def _choice(self, term: Term, holds: frozenset[Any]) -> Any:
        import sympy

        condition, chosen, other = term.arguments
        if isinstance(condition, bool):
            return self._expression(chosen if condition else other, holds)
        if condition.key in holds:
            return self._expression(chosen, holds)
        first = self._expression(chosen, holds | {condition.key})
        second = self._expression(other, holds)
        if condition.operation == "!=" and condition.arguments[1] == 0 and second == 0:
            self._note("0/0 counts as 0")
            return first
        when = self._expression(condition, holds)
        if (
            isinstance(first, sympy.Piecewise)
            and len(first.args) == 2
            and first.args[1][0] == second
        ):
            (first, also), _ = first.args  # both decisions must fall the same way
            when = sympy.And(also, when)
        rest = second.args if isinstance(second, sympy.Piecewise) else ((second, True),)
        return sympy.Piecewise((first, when), *rest, evaluate=False)

    def _solution(self, term: Term, holds: frozenset[Any]) -> Any:
        import sympy

        vector, damping = term.arguments
        name = "A⁻¹"
        if isinstance(damping, Term):
            if damping.operation != "name":
                raise NotDerivableError("a damping that is computed")
            name = f"(A + {symbol_of(damping.arguments[0].rpartition('.')[2])}I)⁻¹"
        return sympy.Function(name)(self._expression(vector, holds))

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _equation(left: Any, right: Any) -> Any:
    import sympy

    return sympy.Eq(left, right, evaluate=False)


def _choices_inside(expression: Any) -> list[Any]:
    """Return the choices that are parts of an expression, not inside of each other."""
    import sympy

    if isinstance(expression, sympy.Piecewise):
        return []
    found = sorted(expression.atoms(sympy.Piecewise), key=sympy.default_sort_key)
    return [one for one in found if not any(other.has(one) for other in found if other != one)]


def _merged(root: Any, known: dict[tuple[Any, ...], Term]) -> Any:
    """Return a term in which parts that are made alike are one and the same."""
    if not isinstance(root, Term):
        return root
    found: dict[int, Term] = {}
    for term in root.walk():
        arguments = [found[id(a)] if isinstance(a, Term) else a for a in term.arguments]
        same = all(a is b for a, b in zip(arguments, term.arguments, strict=True))
        new = term if same else Term(term.operation, *arguments, generic=term.generic)
        found[id(term)] = known.setdefault(new.key, new)
    return found[id(root)]


def _deserves_a_line(term: Term, uses: int) -> bool:
    if not term.generic:
        return uses > 1 and _weight(term) > 1
    return (uses > 1 and _weight(term) > 4) or (uses > 2 and _weight(term) > 2)


def _weight(term: Term) -> int:
    """Return how many operations a term is made of."""
    return sum(part.operation != "name" for part in term.walk())


def _is_square(term: Any) -> bool:
    return (
        isinstance(term, Term)
        and term.operation == "dot"
        and term.arguments[0] is term.arguments[1]
    )


def _number(value: Any) -> Any:
    """Return a number as one writes it: 1/2, 0.96."""
    import sympy

    short = exactly(value)
    return short if short.is_Rational and short.q < 10 else sympy.sympify(value)


def _made(operation: str, values: list[Any], t: Any) -> Any:
    import sympy

    if operation in {"matvec", "outer"}:
        raise NotDerivableError("step works with matrices")
    if operation == "normal":
        size = sympy.sqrt(values[0])
        if not size.is_Symbol:
            size = sympy.sqrt(sympy.UnevaluatedExpr(values[0]))  # one root over all
        return size * sympy.IndexedBase("xi")[t]
    if operation == "uniform":
        return sympy.IndexedBase("zeta")[t]
    applied = {"gradient": "∇J", "value": "J", "product": "A", "dot": "dot"}
    if operation in applied:
        return sympy.Function(applied[operation])(*values)
    known: dict[str, Callable[..., Any]] = {
        "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
        "**": operator.pow, "negative": operator.neg, "not": sympy.Not, "and": sympy.And,
        "or": sympy.Or, "<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge,
        "==": sympy.Eq, "!=": sympy.Ne, "sqrt": sympy.sqrt, "exp": sympy.exp, "log": sympy.log,
        "sign": sympy.sign, "absolute": sympy.Abs, "maximum": sympy.Max, "minimum": sympy.Min,
    }  # fmt: skip
    return known[operation](*values)
