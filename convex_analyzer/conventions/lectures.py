"""The five lectures and the book: what they print, in their letters, as our rules and schedules.

Where a lecture gives no value there is no default. Lecture 002's look-ahead is kept as printed; the
lost minus signs of lecture 004 and its δ of Adam are put back (docs/errata.md lists the misprints).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from convex_analyzer.conventions.library import Library
from convex_analyzer.conventions.rows import REQUIRED, Draft, Native, Row, Through
from convex_analyzer.conventions.typed import arguments_text, tidy
from convex_analyzer.optimizers.adam import Adam, AMSGrad
from convex_analyzer.optimizers.adaptive import AdaGrad, RMSProp
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov, TwoRateMomentum
from convex_analyzer.optimizers.nesterov import TwoRateNesterov
from convex_analyzer.optimizers.sign import LocalGains, Rprop
from convex_analyzer.schedules import Constant, Exponential, Linear
from convex_analyzer.schedules.base import Schedule

__all__ = ["LECTURES"]

_WORDS = "the lecture names it without a formula"
_INSIDE = {"epsilon_inside": True}
_WHY = {
    "epsilon_inside": "there ε stands at another place of the root",
    "learning_rate_inside": "there the learning rate multiplies the step",
}


class _Lecture(Library):
    """A lecture as a library: rows, and the options with the values that it names."""

    scheduled: ClassVar = None
    aliases: ClassVar = {"SGD": "GradientDescent", "NAG": "Nesterov", "HeavyBall": "Momentum"}
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def known(self, name: str) -> Mapping[str, Any]:
        """Return the letters and their values."""
        return self.options[name]

    def _with_schedules(self, draft: Draft, steps: int | None) -> Draft:
        """Return the draft as it is: a letter may change from step to step."""
        del steps
        return draft

    def text(self, draft: Draft) -> str:
        """Return the call of `from_library`, in the lecture's letters."""
        letters = arguments_text(draft.arguments)
        return f'ca.from_library("{self.name}", "{draft.name}", {letters})'


def _gradient(letter: str) -> Row:
    return Row("GradientDescent", GradientDescent, {"learning_rate": letter})


class Lecture000(_Lecture):
    """Marc Lelarge, Optimization for deep learning: learning rate inside the velocity."""

    name = "lecture000"
    rows = (
        _gradient("eta"),
        Row("Momentum", HeavyBall, {"learning_rate": "eta", "momentum": "gamma"}),
        Row("Nesterov", Nesterov, {"learning_rate": "eta", "momentum": "gamma"}),
        Row("Adagrad", AdaGrad, {"learning_rate": "eta", "epsilon": "epsilon"}, _INSIDE, why=_WHY),
        Row(
            "RMSProp",
            RMSProp,
            {"learning_rate": "eta", "decay": "gamma", "epsilon": "epsilon"},
            _INSIDE,
            free=("learning_rate_inside",),
            why=_WHY,
        ),
        Row(
            "Adam",
            Adam,
            {"learning_rate": "eta", "beta1": "beta1", "beta2": "beta2", "epsilon": "epsilon"},
        ),
        Row(
            "AMSGrad",
            AMSGrad,
            {"learning_rate": "eta", "beta1": "beta1", "beta2": "beta2", "epsilon": "epsilon"},
            {"variant": "raw"},
            why={"variant": "the lecture's AMSGrad corrects no bias"},
        ),
    )
    options: ClassVar = {
        "GradientDescent": {"eta": REQUIRED},
        "Momentum": {"eta": REQUIRED, "gamma": 0.9},
        "Nesterov": {"eta": REQUIRED, "gamma": 0.9},
        "Adagrad": {"eta": 0.01, "epsilon": 1e-8},
        "RMSProp": {"eta": 0.001, "gamma": 0.9, "epsilon": 1e-8},
        "Adam": {"eta": REQUIRED, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        "AMSGrad": {"eta": REQUIRED, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    }
    elsewhere: ClassVar = {"momentum": "the lecture calls it gamma", "lr": "it is eta there"}


_new_share = Through("gamma", lambda gamma: tidy(1 - gamma), lambda decay: tidy(1 - decay))


class Lecture001(_Lecture):
    """Grosse & Ba, CSC421: slides 20-27 and 40; there gamma weights the new squared gradient."""

    name = "lecture001"
    rows = (
        _gradient("alpha"),
        Row("Momentum", HeavyBall, {"learning_rate": "alpha", "momentum": "mu"}),
        Row(
            "RMSprop",
            RMSProp,
            {"learning_rate": "alpha", "decay": _new_share, "epsilon": "epsilon"},
            _INSIDE,
            free=("learning_rate_inside",),
            why=_WHY,
        ),
    )
    options: ClassVar = {
        "GradientDescent": {"alpha": REQUIRED},
        "Momentum": {"alpha": REQUIRED, "mu": 0.9},
        "RMSprop": {"alpha": REQUIRED, "gamma": REQUIRED, "epsilon": REQUIRED},
    }
    absent: ClassVar = {"Adam": 'the lecture says "Adam = RMSprop + momentum" and no more'}


class Lecture002(_Lecture):
    """Notes on optimization: momentum with two rates, local gains, rprop, rmsprop without ε."""

    name = "lecture002"
    aliases: ClassVar = {"Momentum": "SGDMomentum", "HeavyBall": "StochasticHeavyBall"}
    rows = (
        Row(
            "SGDMomentum",
            TwoRateMomentum,
            {"learning_rate": "gamma", "gradient_rate": "eta", "momentum": "beta"},
        ),
        Row("StochasticHeavyBall", HeavyBall, {"learning_rate": "gamma", "momentum": "beta"}),
        Row(
            "Nesterov",
            TwoRateNesterov,
            {"learning_rate": "gamma", "gradient_rate": "eta", "momentum": "beta"},
            {"as_printed": True},
            why={"as_printed": "the lecture looks ahead by βp, not by γβp"},
        ),
        Row(
            "LocalGains",
            LocalGains,
            {
                "learning_rate": "eta",
                "increment": "delta",
                "smallest": "limits[0]",
                "largest": "limits[1]",
            },
        ),
        Row(
            "rprop",
            Rprop,
            {
                "learning_rate": "step",
                "increase": "eta_plus",
                "decrease": "eta_minus",
                "smallest": "limits[0]",
                "largest": "limits[1]",
            },
            {"variant": "lecture"},
            why={"variant": "the lecture's rprop moves where the sign has changed, too"},
        ),
        Row(
            "rmsprop",
            RMSProp,
            {"learning_rate": "eta", "decay": "alpha"},
            {"epsilon": 0.0},
            free=("learning_rate_inside", "epsilon_inside"),
            why={"epsilon": "the lecture's rmsprop has no ε"},
        ),
    )
    options: ClassVar = {
        "SGDMomentum": {"eta": REQUIRED, "gamma": REQUIRED, "beta": 0.9},
        "StochasticHeavyBall": {"gamma": REQUIRED, "beta": 0.9},
        "Nesterov": {"eta": REQUIRED, "gamma": REQUIRED, "beta": 0.9},
        "LocalGains": {"eta": REQUIRED, "delta": 0.05, "limits": [0.1, 10.0]},
        "rprop": {
            "step": REQUIRED,
            "eta_plus": REQUIRED,
            "eta_minus": REQUIRED,
            "limits": [1e-6, 50.0],
        },
        "rmsprop": {"eta": REQUIRED, "alpha": REQUIRED},
    }
    absent: ClassVar = dict.fromkeys(("Adagrad", "Adadelta", "Adam", "AdamW", "Lion"), _WORDS)


class Lecture003(_Lecture):
    """Banburski, initialization and optimization: eqs. 4-5; the adaptive rules are pictures."""

    name = "lecture003"
    rows = (
        _gradient("eta"),
        Row("Momentum", HeavyBall, {"learning_rate": "eta", "momentum": "mu"}),
        Row("Nesterov", Nesterov, {"learning_rate": "eta", "momentum": "mu"}),
    )
    options: ClassVar = {
        "GradientDescent": {"eta": REQUIRED},
        "Momentum": {"eta": REQUIRED, "mu": REQUIRED},
        "Nesterov": {"eta": REQUIRED, "mu": REQUIRED},
    }
    absent: ClassVar = dict.fromkeys(("AdaGrad", "RMSProp", "Adam"), _WORDS)


def _linear(o: Native) -> Schedule:
    """Return the linear decay as the loop uses it, k from 1: its first step is one down."""
    first, last, tau = o.number("epsilon_0"), o.number("epsilon_tau"), o.whole("tau")
    if tau == 1:
        return Constant(last)
    return Linear(first + (last - first) / tau, last, tau - 1)


def _exponential(o: Native) -> Schedule:
    rate, steps = o.number("decay_rate"), o.whole("decay_steps")
    return Exponential(o.number("epsilon_0") * rate ** (1 / steps), rate, steps)


_BOOK_ROWS = (
    _gradient("epsilon"),
    Row("Momentum", HeavyBall, {"learning_rate": "epsilon", "momentum": "alpha"}),
    Row("Nesterov", Nesterov, {"learning_rate": "epsilon", "momentum": "alpha"}),
    Row(
        "AdaGrad",
        AdaGrad,
        {"learning_rate": "epsilon", "epsilon": "delta"},
        why={"epsilon_inside": "the book adds δ beside the root"},
    ),
    Row(
        "RMSProp",
        RMSProp,
        {"learning_rate": "epsilon", "decay": "rho", "epsilon": "delta"},
        _INSIDE,
        free=("learning_rate_inside",),
        why=_WHY,
    ),
    Row(
        "Adam",
        Adam,
        {"learning_rate": "epsilon", "beta1": "rho1", "beta2": "rho2", "epsilon": "delta"},
    ),
)
_BOOK_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "GradientDescent": {"epsilon": REQUIRED},
    "Momentum": {"epsilon": REQUIRED, "alpha": REQUIRED},
    "Nesterov": {"epsilon": REQUIRED, "alpha": REQUIRED},
    "AdaGrad": {"epsilon": REQUIRED, "delta": 1e-7},
    "RMSProp": {"epsilon": REQUIRED, "rho": REQUIRED, "delta": 1e-6},
    "Adam": {"epsilon": 0.001, "rho1": 0.9, "rho2": 0.999, "delta": 1e-8},
    "linear": {"epsilon_0": REQUIRED, "epsilon_tau": REQUIRED, "tau": REQUIRED},
}


class Lecture004(_Lecture):
    """Algorithms 8.1-8.5 and 8.7 of the book, and schedules; the loop counts k from 1."""

    name = "lecture004"
    rows = _BOOK_ROWS
    readers: ClassVar = {"linear": _linear, "exponential": _exponential}
    options: ClassVar = {
        **_BOOK_OPTIONS,
        "exponential": {"epsilon_0": REQUIRED, "decay_rate": REQUIRED, "decay_steps": REQUIRED},
    }


class Goodfellow(_Lecture):
    """Goodfellow, Bengio & Courville (2016), chapter 8."""

    name = "goodfellow"
    rows = (
        *_BOOK_ROWS,
        Row(
            "RMSPropNesterov",
            RMSProp,
            {"learning_rate": "epsilon", "decay": "rho", "momentum": "alpha"},
            {"epsilon": 0.0, "nesterov": "ahead", "learning_rate_inside": True},
            free=("epsilon_inside",),
        ),
    )
    readers: ClassVar = {"linear": _linear}
    options: ClassVar = {
        **_BOOK_OPTIONS,
        "RMSPropNesterov": {"epsilon": REQUIRED, "rho": REQUIRED, "alpha": REQUIRED},
    }


LECTURES = (Lecture000(), Lecture001(), Lecture002(), Lecture003(), Lecture004(), Goodfellow())
