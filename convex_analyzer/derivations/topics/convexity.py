"""A proof that a function is convex, line by line."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.convexity import is_convex
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.errors import NotDerivableError


def _build(formula: Any) -> Derivation:
    verdict = is_convex(formula)
    if verdict.derivation is None:
        raise NotDerivableError(f"{formula}: no proof of convexity. {verdict.words}")
    return verdict.derivation


TOPIC = Topic(
    "convexity",
    "that a formula is convex: rules of composition, or its Hessian",
    _build,
    ("log(1 + exp(x - 2*y)) + y**2",),
    takes="formula",
)
