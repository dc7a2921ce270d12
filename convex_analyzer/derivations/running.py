"""Any rule, linear or not, run on symbols: with a gradient that is given, or left open."""

from __future__ import annotations

import functools
from typing import Any

from convex_analyzer.derivations.opening import open_rule_of
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.notation import SYMBOLS
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.theory.symbolic import exactly

__all__ = ["OpenRun", "Plane"]


class Plane:
    """A loss of constant slope, or one whose gradient is a function without a formula.

    Parameters
    ----------
    gradient
        What `gradient` returns: a number, a symbol, or a function of the point.
    """

    def __init__(self, gradient: Any) -> None:
        self._gradient = gradient

    def gradient(self, theta: Any) -> Any:
        """Return the gradient."""
        return self._gradient(theta) if callable(self._gradient) else self._gradient

    def _unknown(self, *_: Any, **__: Any) -> Any:
        raise NotDerivableError(
            "the rule asks for curvature, values or random numbers; this derivation knows "
            "gradients alone"
        )

    hessian_vector = inverse_hessian_vector = value = normal = uniform = _unknown


class OpenRun:
    """A rule with symbols for its hyper-parameters, run step by step.

    A hyper-parameter below one is run as 1 - c with c positive, so that roots of 1 - β are real;
    `settled` writes β again.

    Attributes
    ----------
    hyper
        Symbols by name.
    theta, slots
        Symbols of the state.
    """

    def __init__(self, optimizer: type[Optimizer] | Optimizer) -> None:
        import sympy

        self.cls = optimizer if isinstance(optimizer, type) else type(optimizer)
        self.hyper, rule = open_rule_of(optimizer)
        domains = self.cls.hyperparameters()
        self._rest = {}
        inside = {}
        for name, symbol in self.hyper.items():
            valid = domains[name].valid
            if valid.low >= 0 and valid.high <= 1:
                self._rest[name] = sympy.Dummy(f"rest_{name}", positive=True)
                inside[name] = 1 - self._rest[name]
            else:
                inside[name] = symbol
        self.rule = rule.unchecked(**inside)
        usual = {symbol.name: symbol.sympy for symbol in SYMBOLS}
        taken = {symbol.name for symbol in self.hyper.values()}
        self.theta = sympy.Symbol("theta", real=True)
        names = [usual.get(name, name) for name in self.rule.memory]
        names = [f"{n}_0" if n in taken or names.count(n) > 1 else n for n in names]
        self.slots = [sympy.Symbol(name, real=True) for name in names]

    @property
    def name(self) -> str:
        """The name of the class."""
        return self.cls.__name__

    def start(self) -> list[Any]:
        """Return θ and the memory before the first step."""
        return [self.theta, *self.rule.start(None, self.theta)]

    def step(self, t: Any, problem: Any, state: list[Any]) -> list[Any]:
        """Return the state after step t.

        Raises
        ------
        NotDerivableError
            The step cannot be run on symbols.
        """
        import sympy

        if self.rule.random:
            raise NotDerivableError(f"{self.name} draws random numbers in its step")
        try:
            after = as_state(self.rule, self.rule.step(problem, t, *state))
            return [sympy.sympify(exactly(value)) for value in after]
        except NotDerivableError:
            raise
        except (AttributeError, TypeError, ValueError) as error:
            raise NotDerivableError(
                f"{self.name}: step cannot be run on symbols ({error}); choose between values with "
                "ops.where, and use ops for functions"
            ) from error

    def settled(self, expression: Any) -> Any:
        """Return an expression in the hyper-parameters themselves."""
        import sympy

        rests = set(self._rest.values())

        def write(power: Any) -> Any:
            return sympy.expand(power.base.subs(self.back)) ** power.exp.subs(self.back)

        tidied = sympy.sympify(expression).replace(
            lambda e: e.is_Pow and e.base.free_symbols & rests, write
        )
        return tidied.subs(self.back)

    @functools.cached_property
    def back(self) -> dict[Any, Any]:
        """What each c stands for: 1 - β."""
        return {rest: 1 - self.hyper[name] for name, rest in self._rest.items()}

    @functools.cached_property
    def epsilons(self) -> list[Any]:
        """The symbols of the small constants that guard a division."""
        return [s for name, s in self.hyper.items() if name.startswith("epsilon")]
