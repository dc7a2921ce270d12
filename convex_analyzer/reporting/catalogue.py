"""What there is to say about each optimizer, as plain data: for lists, gallery and command line.

Everything is read off the class: names and ranges from its fields, sentences from its docstrings,
the memory from an instance, the theory from the analysis of that instance.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Any

from convex_analyzer.comparison.exhibit import example_of
from convex_analyzer.domains import Domain
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.notation import symbol_of
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.progress import each
from convex_analyzer.reporting.docstrings import first_sentence, read, without_name
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_number
from convex_analyzer.theory.analysis import Analysis

__all__ = [
    "THEORIES",
    "Family",
    "FieldNote",
    "Profile",
    "Theory",
    "families",
    "profile",
    "written",
]

THEORIES = {
    "closed form": "one matrix describes the rule, everywhere: stability, rate and every step",
    "per cycle": "as many matrices as the rule has steps, multiplied: the rate is that of a cycle",
    "in the limit": "the rule changes with the step index and tends to a linear one, which has "
    "stability and rate; its steps are multiplied out",
    "step by step": "the rule changes with every step, and has no rate; its steps are multiplied "
    "out",
    "near the minimum": "the rule is not linear; stability and rate of small errors next to the "
    "minimum are known, and the way there is simulated",
    "simulated only": "the rule is not linear, and has no derivative at the minimum: runs show it",
}
_SCOPES = {
    "global": "closed form",
    "periodic": "per cycle",
    "asymptotic": "in the limit",
    "product": "step by step",
    "local": "near the minimum",
}
_TITLES = {  # the families of the package, from simple to involved
    "gradient": "gradient",
    "momentum": "momentum",
    "nesterov": "Nesterov",
    "adaptive": "adaptive",
    "adam": "Adam",
    "adam_relatives": "relatives of Adam",
    "sign": "sign",
    "second_order": "second order",
    "krylov": "Krylov",
    "quasi_newton": "quasi-Newton",
    "averaging": "averaging",
    "clipping": "clipping",
    "sampling": "sampling",
}


@dataclass(frozen=True)
class FieldNote:
    """One field of an optimizer: a hyper-parameter, a flag, a choice, a count.

    Attributes
    ----------
    name, symbol
        In code and in print; the symbol is the name where there is none.
    must_be
        Its range, in words.
    usual
        The usual range of a continuous one; empty where it is the whole of it.
    default
        As one writes it; empty when there is none.
    meaning
        From the docstring; may be empty.
    """

    name: str
    symbol: str
    must_be: str
    usual: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Theory:
    """What is known of a rule without running it.

    Attributes
    ----------
    kind
        One of `THEORIES`.
    why
        Why there is no more; empty for a closed form.
    """

    kind: str
    why: str = ""


@dataclass(frozen=True)
class Profile:
    """What there is to say about one optimizer.

    Attributes
    ----------
    cls, example
        The class, and an instance of it.
    family
        Name of its module.
    summary, details
        The first paragraph of the docstring, without the name and the full stop; what follows it
        before the parameters.
    fields
        Every field.
    memory
        What the rule itself remembers besides θ.
    inside
        Name of the class of the optimizer inside the example; empty if there is none.
    theory
        What is known without a run.
    """

    cls: type[Optimizer]
    example: Optimizer
    family: str
    summary: str
    details: str
    fields: tuple[FieldNote, ...]
    memory: tuple[str, ...]
    inside: str
    theory: Theory

    @property
    def name(self) -> str:
        """Name of the class."""
        return self.cls.__name__

    @property
    def sentence(self) -> str:
        """The summary as a sentence."""
        word = self.summary.partition(" ")[0]
        starts = word == "a" or (len(word) > 1 and word.isalpha() and word.islower())
        return (self.summary[:1].upper() if starts else self.summary[:1]) + self.summary[1:] + "."

    @property
    def state(self) -> str:
        """What is remembered besides θ; numbered slots as a range, another rule's as "inner"."""
        own = _ranges(self.memory)
        if not self.inside:
            return own or "none"
        return f"{own} + inner" if own else "inner"

    @property
    def call(self) -> str:
        """The example as one writes it, on the command line and in Python."""
        return written(self.example)


@dataclass(frozen=True)
class Family:
    """The optimizers of one module.

    Attributes
    ----------
    name
        Of the module.
    sentence
        The first of its docstring; may be empty.
    members
        In the order of the module.
    """

    name: str
    sentence: str
    members: tuple[Profile, ...]

    @property
    def title(self) -> str:
        """The name as one writes it."""
        return _TITLES.get(self.name, self.name.replace("_", " "))


def families(classes: Mapping[str, type[Optimizer]]) -> tuple[Family, ...]:
    """Return the profiles of all classes, by module; those of the package from simple to involved.

    Examples
    --------
    >>> from convex_analyzer.optimizers import registered
    >>> [family.name for family in families(registered())][:3]
    ['gradient', 'momentum', 'nesterov']
    """
    grouped: dict[str, list[Profile]] = {}
    for cls in each(classes.values(), "describing", "optimizers"):
        one = profile(cls)
        grouped.setdefault(one.family, []).append(one)
    rank = {name: place for place, name in enumerate(_TITLES)}
    names = sorted(grouped, key=lambda name: rank.get(name, len(rank)))
    return tuple(
        Family(name, _sentence(grouped[name][0].cls), tuple(grouped[name])) for name in names
    )


def _sentence(cls: type[Optimizer]) -> str:
    """Return the first sentence of the module in which a class is defined."""
    return first_sentence(getattr(cls.step, "__globals__", {}).get("__doc__") or "")


def profile(cls: type[Optimizer]) -> Profile:
    """Return what there is to say about one optimizer.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> one = profile(HeavyBall)
    >>> one.state, one.theory.kind
    ('velocity', 'closed form')
    """
    example = example_of(cls)
    head, details, parameters = read(inspect.getdoc(cls) or "")
    inner = [value for value in example.values.values() if isinstance(value, Optimizer)]
    borrowed = {name for rule in inner for name in rule.memory}
    return Profile(
        cls=cls,
        example=example,
        family=cls.__module__.rpartition(".")[2].removeprefix("_optimizers_"),
        summary=without_name(cls.__name__, head),
        details=details,
        fields=tuple(_field(cls, field, parameters) for field in cls.fields()),
        memory=tuple(name for name in example.memory if name not in borrowed),
        inside=type(inner[0]).__name__ if inner else "",
        theory=_theory(example),
    )


def _field(cls: type[Optimizer], field: Any, parameters: Mapping[str, str]) -> FieldNote:
    setting = cls.domains().get(field.name)
    must_be = "an optimizer" if field.type in {"Optimizer", Optimizer} else "any value"
    usual = ""
    if setting is not None:
        must_be = setting.sentence
    if isinstance(setting, Domain) and setting.usual != setting.valid:
        usual = str(setting.usual)
    default = "" if field.default is MISSING else _written(field.default)
    meaning = parameters.get(field.name, "")
    return FieldNote(field.name, symbol_of(field.name), must_be, usual, default, meaning)


def _written(value: Any) -> str:
    """Return a value as one writes it."""
    if isinstance(value, Optimizer):
        return written(value)
    if isinstance(value, float):
        short = format_number(value, 12).replace("−", "-")
        return short if float(short) == value else repr(value)
    return repr(value)


def written(rule: Optimizer) -> str:
    """Return a rule as a call, without fields that have their default."""
    words, by_name = [], False
    for field in rule.fields():
        value = getattr(rule, field.name)
        if field.default is not MISSING and value == field.default:
            by_name = True
            continue
        words.append(f"{field.name}={_written(value)}" if by_name else _written(value))
    return f"{type(rule).__name__}({', '.join(words)})"


def _ranges(names: tuple[str, ...]) -> str:
    """Join names; s_1, s_2, s_3 become s_1 … s_3.

    Examples
    --------
    >>> _ranges(("s_1", "s_2", "s_3", "y_1", "steepest"))
    's_1 … s_3, y_1, steepest'
    """
    groups: list[list[str]] = []
    for name in names:
        stem = re.sub(r"\d+$", "", name)
        same = groups and stem != name and re.sub(r"\d+$", "", groups[-1][-1]) == stem
        if same:
            groups[-1].append(name)
        else:
            groups.append([name])
    shown = (f"{g[0]} … {g[-1]}" if len(g) > 2 else ", ".join(g) for g in groups)
    return ", ".join(shown)


# -- theory ---------------------------------------------------------------------------------------


def _theory(rule: Optimizer) -> Theory:
    """Return what the analysis says of a rule, at eigenvalues that tell nothing of their own."""
    analysis = Analysis(Spectrum.from_eigenvalues([1.0]), rule)
    try:
        kind = _SCOPES[analysis.scope]
        if analysis.scope != "product":
            _ = analysis.modes
    except NotDerivableError as error:
        return Theory("simulated only", _reason(rule, str(error)))
    return Theory(kind, THEORIES[kind] if kind != "closed form" else "")


def _reason(rule: Optimizer, error: str) -> str:
    """Return what an error says of a rule, without its name and without what to do instead."""
    text = error.removeprefix(type(rule).__name__).lstrip(": ")
    if text.startswith("step leaves"):
        return "its step is no arithmetic on gradients"
    found = re.search(r"it is not differentiable at the minimum \((.*?)\)", text)
    if found:
        return f"no derivative at the minimum ({found[1]})"
    return re.split(r"[;.] (?:It|it|a closed)|, so", text)[0].rstrip(".")
