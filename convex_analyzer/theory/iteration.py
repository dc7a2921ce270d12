"""From an update rule to its iteration along eigendirections: z ← M(λ) z + B β.

z holds theta and the memory, β is the linear term b along the direction. Nothing here knows any
optimizer: `step` is run once on linear forms (DESIGN: the rule is written once).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer import ops
from convex_analyzer.errors import ConvexAnalyzerError, NotDerivableError
from convex_analyzer.forms import (
    LINEAR_TERM,
    Direction,
    Form,
    Trace,
    curved,
    noise_of,
    vanishes,
)
from convex_analyzer.ops import is_symbolic
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.precise import DoubleDouble

__all__ = ["Iteration", "linearise", "precise_iteration"]

Array = npt.NDArray[np.float64]


class _Index:
    """The step index as `step` sees it: acts as an int, and notes whether the rule looked at it.

    It is no int itself: ``0.1 / t`` would then be decided by the float alone, unnoticed.
    """

    __array_ufunc__ = None  # ndarray / t comes to __rtruediv__

    def __init__(self, value: int) -> None:
        self.value = value
        self.looked = False

    def __index__(self) -> int:
        self.looked = True
        return self.value

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_op_"):
            raise AttributeError(name)
        function = getattr(ops, name.removeprefix("_op_"))
        return lambda *values: function(*(int(v) if v is self else v for v in values))

    def _sympy_(self) -> Any:
        import sympy

        return sympy.Integer(int(self))

    def __hash__(self) -> int:
        return hash(int(self))


def _noting(name: str) -> Any:
    operation = getattr(operator, name.removeprefix("r") if name in _REFLECTED else name)

    def method(self: _Index, *others: Any) -> Any:
        own = int(self)
        return operation(*others, own) if name in _REFLECTED else operation(own, *others)

    return method


_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
_REFLECTED = tuple(f"r{name}" for name in _BINARY)
for _name in (*_BINARY, *_REFLECTED, "abs", "neg", "lt", "le", "gt", "ge", "eq", "ne"):
    setattr(_Index, f"__{_name}__", _noting(_name))
_Index.__float__ = lambda self: float(int(self))  # type: ignore[attr-defined]  # as the others
_Index.__bool__ = lambda self: bool(int(self))  # type: ignore[attr-defined]  # as the others


@dataclass(frozen=True)
class Iteration:
    """One step of a rule along eigendirections, as coefficients.

    Attributes
    ----------
    slots
        Names of the state: theta, then the memory.
    matrix
        M: ``matrix[i][j]`` multiplies slot j in the new slot i. Any kind of number.
    minus_identity
        M - I, without cancellation.
    offset
        B: what multiplies β in each new slot.
    noise
        For each gradient evaluation, what multiplies its error in each new slot; nothing where
        several steps are one (their channels would cost more than all the rest).
    report
        C: coefficients of the reported point.
    start
        S: what multiplies theta in each slot of the starting state.
    start_offset
        What multiplies β there.
    reasons
        Why the rule is not linear; empty if it is.
    undecided
        Branches that are undecided exactly at the point, so that nothing is differentiable there.
    """

    slots: tuple[str, ...]
    matrix: tuple[tuple[Any, ...], ...]
    minus_identity: tuple[tuple[Any, ...], ...]
    offset: tuple[Any, ...]
    noise: tuple[tuple[Any, ...], ...]
    report: tuple[Any, ...]
    start: tuple[Any, ...]
    start_offset: tuple[Any, ...]
    reasons: tuple[str, ...]
    undecided: tuple[str, ...] = ()

    @property
    def is_linear(self) -> bool:
        """Whether the rule is linear in its state: then everything holds globally."""
        return not self.reasons


def linearise(
    optimizer: Optimizer,
    eigenvalue: Any,
    t: int = 1,
    at: dict[str, Any] | None = None,
    *,
    steps: int = 1,
) -> Iteration:
    """Run one step, or a whole period of them, on linear forms.

    Parameters
    ----------
    optimizer
        The rule, its hyper-parameters any kind of number.
    eigenvalue
        λ: a number, an array of shape (n,), a double-double, a polynomial, a symbol.
    t
        Index of the step.
    at
        The point (slot name -> value) at which a rule that is not linear is differentiated; zero
        where left out.
    steps
        How many steps to run, from step t on: their maps are multiplied by running them.

    Raises
    ------
    NotDerivableError
        The rule depends on t but declares no period, or leaves the world of forms.
    """
    at = at or {}
    slots = ("theta", *optimizer.memory)
    trace = Trace()
    direction = Direction(eigenvalue, trace, noisy=steps == 1)
    state = [Form(at.get(name, 0), {name: 1}, trace) for name in slots]
    index: Any = _Index(t)
    returned = as_state(optimizer, _on_forms(optimizer.at(t), direction, index, state))
    for later in range(t + 1, t + steps):
        following = _on_forms(optimizer.at(later), direction, _Index(later), list(returned))
        returned = as_state(optimizer, following)
    if index.looked and optimizer.period == 1:
        raise NotDerivableError(
            f"{type(optimizer).__name__}: step depends on t, so it has no single iteration matrix; "
            "declare `period` on the class (an int, or None when it never repeats)"
        )
    calls = direction.calls if steps == 1 else 0
    theta = Form(0, {"theta": 1}, trace)
    memory = optimizer.start(Direction(eigenvalue, trace), theta)
    first = [theta, *memory]
    reported = optimizer.report(*state)
    if not at and not trace.reasons:
        _note_constants(trace, (*returned, *first, reported))
    if np.ndim(eigenvalue) == 0 and not is_symbolic(eigenvalue):
        _note_arrays(trace, optimizer, (*returned, *first, reported))

    return Iteration(
        slots=slots,
        matrix=tuple(tuple(_part(form, name) for name in slots) for form in returned),
        minus_identity=tuple(
            tuple(_part(form, other, int(name == other)) for other in slots)
            for name, form in zip(slots, returned, strict=True)
        ),
        offset=tuple(_part(form, LINEAR_TERM) for form in returned),
        noise=tuple(
            tuple(_part(form, noise_of(call)) for form in returned) for call in range(1, calls + 1)
        ),
        report=tuple(_part(reported, name) for name in slots),
        start=tuple(_part(form, "theta") for form in first),
        start_offset=tuple(_part(form, LINEAR_TERM) for form in first),
        reasons=tuple(trace.reasons),
        undecided=tuple(trace.undecided),
    )


def _part(form: Any, name: str, less: int = 0) -> Any:
    """Return the coefficient of a slot (minus `less`): its plain part and what λ has multiplied."""
    if not isinstance(form, Form):
        return -less
    plain = form.parts.get(name, 0)
    plain = plain - less if less else plain
    bent = form.parts.get(curved(name))
    if bent is None or curved(name) == name:
        return plain
    return bent if isinstance(plain, int) and plain == 0 else plain + bent


def _on_forms(optimizer: Optimizer, direction: Direction, t: Any, state: list[Form]) -> Any:
    """Run `step`; what arrays can do and forms cannot is a reason, not a crash."""
    if optimizer.is_scheduled:
        raise NotDerivableError(
            f"{type(optimizer).__name__} follows a schedule, so no single map describes it; "
            "rule.at(t) is the rule of step t"
        )
    try:
        return optimizer.step(direction, t, *state)
    except (AttributeError, IndexError, NotImplementedError, TypeError, ValueError) as error:
        if isinstance(error, ConvexAnalyzerError):
            raise
        raise NotDerivableError(
            f"{type(optimizer).__name__}: step leaves the arithmetic that a closed form is made of "
            f"({error}); use + - * / and convex_analyzer.ops only, not np., indices or "
            "problem.value"
        ) from error


def _note_constants(trace: Trace, forms: tuple[Any, ...]) -> None:
    """Note a term that comes from neither the state nor b: the rule is then only affine."""
    for form in forms:
        value = form.value if isinstance(form, Form) else form
        if value.__class__ is int and value == 0:
            continue
        unknown = isinstance(value, (float, np.ndarray)) and np.any(np.isnan(value))  # 0 x inf
        if not unknown and not vanishes(value):
            trace.nonlinear("a constant added to the state")


def _note_arrays(trace: Trace, optimizer: Optimizer, forms: tuple[Any, ...]) -> None:
    """Note coefficients that differ between coordinates: those do not turn with the eigenbasis."""
    if any(np.size(value) > 1 for value in optimizer.numbers().values()):
        return  # one setting per run
    coefficients = [c for form in forms if isinstance(form, Form) for c in form.parts.values()]
    if any(isinstance(c, np.ndarray) and c.size > 1 for c in coefficients):
        trace.nonlinear("an array with one number per coordinate")


def require_linear(iteration: Iteration, optimizer: Optimizer) -> None:
    """Raise NotDerivableError, with the reasons, unless one matrix describes the rule."""
    if not iteration.is_linear:
        raise NotDerivableError(
            f"{type(optimizer).__name__} is not linear: its step contains "
            f"{'; '.join(iteration.reasons)}. It can be simulated; a closed form does not exist"
        )
    if optimizer.cycle is None:
        raise NotDerivableError(
            f"{type(optimizer).__name__} depends on the step index and never repeats, so one "
            "matrix does not describe it: it has no rate. predict(start, steps) and gap(start, "
            "steps) multiply its steps out"
        )


_CHUNK = 16_384  # directions treated at once: temporaries stay in the second-level cache


def precise_iteration(optimizer: Optimizer, eigenvalues: Array) -> Iteration:
    """Return the iteration in double-double, for eigenvalues of shape (n,).

    Of a rule that repeats, the iteration over one period.
    """
    steps = optimizer.cycle or 1
    symbolic = [name for name, value in optimizer.numbers().items() if is_symbolic(value)]
    if symbolic:
        raise NotDerivableError(
            f"{type(optimizer).__name__}: {symbolic[0]} is a symbol, which has no numeric "
            "analysis; give it a value, or leave it out to have it tuned"
        )

    def lifted(value: Any) -> Any:
        return DoubleDouble(value) if isinstance(value, (float, np.ndarray)) else value

    # Alone first: among many eigenvalues an array of the rule's own would hide.
    alone = linearise(optimizer, 1.0, steps=steps)
    if alone.reasons or optimizer.cycle is None:
        return alone
    return linearise(optimizer.transformed(lifted), DoubleDouble(eigenvalues), steps=steps)


def as_double_double(value: Any, shape: tuple[int, ...]) -> DoubleDouble:
    """Bring a coefficient into double-double of the given shape."""
    if not isinstance(value, DoubleDouble):
        value = DoubleDouble(value)
    return DoubleDouble(np.broadcast_to(value.high, shape), np.broadcast_to(value.low, shape))


def dense(entries: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """Stack coefficients into a float array of shape (*shape, len(entries))."""
    stacked = np.empty((*shape, len(entries)))
    for place, entry in enumerate(entries):
        stacked[..., place] = entry.to_float() if isinstance(entry, DoubleDouble) else entry
    return stacked + 0.0  # no -0.0
