"""The family of an optimizer, from whatever a user has in hand: a name, a dict, an object."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convex_analyzer.errors import InputError

__all__ = ["Rule", "rule_of"]


@dataclass(frozen=True)
class Rule:
    """An optimizer as the diagnosis sees it.

    Parameters
    ----------
    family
        ``gradient_descent``, ``momentum``, ``nesterov``, ``adaptive``, ``sign``, ``other``.
    name
        As it was given.
    momentum, learning_rate
        Where the object says them.
    """

    family: str
    name: str
    momentum: float | None = None
    learning_rate: Any = None


# family: names without case, separators and the words optimizer, tf, keras, torch, optim
_FAMILIES = {
    "gradient_descent": """
        sgd gd gradientdescent stochasticgradientdescent plain vanilla averagedsgd asgd""",
    "momentum": """
        momentum heavyball sgdmomentum sgdm polyak sgdwithmomentum classicalmomentum emamomentum
        tworatemomentum outermomentum""",
    "nesterov": """
        nesterov nag nesterovmomentum sgdnesterov nesterovaccelerated acceleratedgradient
        nesterovacceleratedgradient nesterovrewritten nesterovtwopoint tworatenesterov""",
    "adaptive": """
        adam adamw nadam nadamw radam adamax adamaxw amsgrad adabelief yogi lamb lars rmsprop
        adagrad adadelta adafactor adamp sparseadam fusedadam adam8bit adamw8bit pagedadamw
        adamwtorch adamwtorchfused ftrl adabound amsbound padam diffgrad sophia shampoo soap
        adan""",
    "sign": """
        signsgd signum lion rprop signmomentum localgains deltabardelta lion8bit""",
    "other": """
        bfgs lbfgs newton dampednewton conjugategradient cg naturalgradient levenbergmarquardt
        truncatednewton gaussnewton kfac exactlinesearch chebyshevsteps chebyshevsemiiteration
        silversteps qhm triplemomentum langevin simulatedannealing lookahead averaged ema muon""",
}
_FAMILY = {name: family for family, names in _FAMILIES.items() for name in names.split()}
_SEEN_THROUGH = {"ClippedByNorm", "ClippedByValue", "WeightDecay", "GradientNoise"}
_MOMENTUM_KEYS = ("momentum", "beta", "mu")


def rule_of(optimizer: Any) -> Rule:
    """Return family, name and hyper-parameters of an optimizer.

    Parameters
    ----------
    optimizer
        A name ("adam", "torch.optim.AdamW", "MomentumOptimizer"), a dict such as
        ``{"name": "momentum", "beta": 0.9}``, an optimizer of this package (instance or class), or
        an object with ``defaults`` or ``param_groups`` as PyTorch's have. Nothing is imported.

    Raises
    ------
    InputError
        The object says no name.

    Examples
    --------
    >>> rule_of("torch.optim.AdamW").family, rule_of({"name": "SGD", "momentum": 0.9}).family
    ('adaptive', 'momentum')
    """
    if isinstance(optimizer, str):
        return _named(optimizer, {})
    if isinstance(optimizer, Mapping):
        settings = {**optimizer, **_mapping(optimizer.get("hyper"))}
        settings.update(_mapping(optimizer.get("config")))
        name = next(
            (settings[key] for key in ("name", "class_name", "type") if key in settings), ""
        )
        if not isinstance(name, str) or not name:
            raise InputError(
                "optimizer: a dict needs the entry 'name'", argument="optimizer", value=optimizer
            )
        return _named(name, settings)
    if inspect.isclass(optimizer):
        return _named(optimizer.__name__, {})
    inner = getattr(optimizer, "optimizer", None)
    if type(optimizer).__name__ in _SEEN_THROUGH and inner is not None:
        return rule_of(inner)
    if type(optimizer).__name__.startswith("GradientTransformation"):
        raise InputError(
            "an optax optimizer does not say its name",
            argument="optimizer",
            hint="say it: optimizer='adam', lr=...",
        )
    settings = _settings_of(optimizer)
    return _named(type(optimizer).__name__, settings)


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _settings_of(optimizer: Any) -> dict[str, Any]:
    groups = getattr(optimizer, "param_groups", None)
    if isinstance(groups, list) and groups and isinstance(groups[0], Mapping):
        return {**_mapping(getattr(optimizer, "defaults", None)), **groups[0]}
    defaults = getattr(optimizer, "defaults", None)
    if isinstance(defaults, Mapping):
        return dict(defaults)
    names = ("learning_rate", "lr", "momentum", "nesterov", *_MOMENTUM_KEYS)
    return {name: getattr(optimizer, name) for name in names if hasattr(optimizer, name)}


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _named(name: str, settings: Mapping[str, Any]) -> Rule:
    called = re.search(r"^\s*([\w.\- ]+?)\s*\((.*)\)\s*$", name, re.DOTALL)
    if called:  # "SGD(lr=0.1, momentum=0.9)"; read, not run
        pairs = re.findall(r"(\w+)\s*[=:]\s*([^,\s)]+)", called[2])
        settings = {**{key: value.strip("'\"") for key, value in pairs}, **settings}
    last = re.split(r"[./]", called[1] if called else name)[-1]
    key = re.sub(r"[^a-z0-9]", "", last.lower())
    key = re.sub(r"^(tf|keras|torch|optax|optim)|(optimi[sz]er|keras)$", "", key) or key
    family = _FAMILY.get(key, _by_part(key))
    momentum = next((_number(settings[k]) for k in _MOMENTUM_KEYS if k in settings), None)
    if family in {"adaptive", "sign"}:
        momentum = None
    if family == "gradient_descent" and momentum:
        family = "momentum"
    looks_ahead = any(
        str(settings.get(key, "")).lower() in {"true", "1"} for key in ("nesterov", "use_nesterov")
    )
    if family == "momentum" and looks_ahead:
        family = "nesterov"
    rate = next((settings[k] for k in ("lr", "learning_rate", "alpha") if k in settings), None)
    rate = rate if callable(rate) and _number(rate) is None else _number(rate)
    return Rule(family, name, momentum, rate)


def _by_part(key: str) -> str:
    """Guess from a part of an unknown name: every FusedWhateverAdam is adaptive."""
    for part, family in (
        ("adam", "adaptive"),
        ("adagrad", "adaptive"),
        ("rmsprop", "adaptive"),
        ("nesterov", "nesterov"),
        ("momentum", "momentum"),
        ("sign", "sign"),
    ):
        if part in key:
            return family
    return "other"
