"""`check_claim`: is a claimed condition sufficient, necessary, both or neither; what is true."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations import claim_conditions, claim_local
from convex_analyzer.derivations.claim_best import best as judge_best
from convex_analyzer.derivations.claim_rates import rate as judge_rate
from convex_analyzer.derivations.claim_rest import fixed_point as judge_rest
from convex_analyzer.derivations.claim_results import ClaimCheck, Counterexample
from convex_analyzer.derivations.claim_setting import ClaimSetting
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.tables import join_words

__all__ = ["ClaimCheck", "Counterexample", "check_claim"]


def check_claim(
    optimizer: type[Optimizer] | Optimizer,
    *,
    stable: str | None = None,
    rate: str | None = None,
    best: str | None = None,
    monotone: str | None = None,
    oscillates: str | None = None,
    fixed_point: str | None = None,
    given: str = "",
    notation: str = "",
    budget: float = 2.0,
) -> ClaimCheck:
    """Judge a claim on an optimizer against what follows from its own step.

    Along an eigendirection every condition is a statement about polynomials in αλ and the other
    hyper-parameters. It is compared with the claim by exact cells, so that a verdict is proved
    wherever the budget lasts; what fails comes with a point of small fractions, and a run.

    Parameters
    ----------
    optimizer
        A class: all hyper-parameters are open, those that are zero by default and not spoken of are
        zero. An instance: only the learning rate is open.
    stable
        Where it converges: ``"alpha < 2/lambda"``, ``"0 < αλ < 2(1+μ)"``, LaTeX. For a whole
        spectrum in [m, L] it is written in m, L and kappa.
    rate
        The factor of the error per step: ``"sqrt(mu)"`` along an eigenvalue, or in m, L or kappa at
        the published best setting: ``"(kappa-1)/(kappa+1)"``.
    best
        The best setting for eigenvalues in [m, L]: ``"alpha = 2/(m+L)"``.
    monotone
        Where it converges without turning back: no root of largest modulus is complex or negative.
    oscillates
        Where the error turns back again and again: a largest root is complex or negative.
    fixed_point
        Where it comes to rest on J = λx²/2 + bx: ``"-b/lambda"``.
    given
        Further assumptions; the letters in it lose their usual ranges.
    notation
        The source whose letters are used: ``"lecture004"``.
    budget
        Seconds of the processor for each direction of the proof.

    Returns
    -------
    ClaimCheck

    Raises
    ------
    InputError
        Not exactly one claim, or it cannot be read.
    NotDerivableError
        Nothing is derived for this rule or claim; says why.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> found = check_claim(HeavyBall, stable="alpha < 2/lambda")
    >>> found.verdict, found.status, found.truth
    ('sufficient', 'proved', '0 < α λ < 2 (1 + μ)')
    >>> found.counterexample.where, found.counterexample.outcome
    ('μ = 1/2, λ = 1, α = 5/2', 'converges')
    >>> found.counterexample.confirms()
    True
    """
    every = {
        "stable": stable,
        "rate": rate,
        "best": best,
        "monotone": monotone,
        "oscillates": oscillates,
        "fixed_point": fixed_point,
    }
    claims = {about: text for about, text in every.items() if text is not None}
    if len(claims) != 1:
        raise InputError(
            f"check_claim takes one claim, got {join_words(list(claims)) or 'none'}",
            argument="stable",
            hint='such as stable="alpha < 2/lambda"',
        )
    _check_rule(optimizer)
    ((about, text),) = claims.items()
    setting = ClaimSetting(optimizer, given, notation)
    if about == "fixed_point":
        return judge_rest(setting, text)
    try:
        _ = setting.region
    except NotDerivableError as error:
        if about != "stable":
            raise
        return claim_local.check(optimizer, text, given, notation, error)
    if about == "rate":
        return judge_rate(setting, text, budget)
    if about == "best":
        return judge_best(setting, text, budget)
    return claim_conditions.check(setting, about, text, budget)


def _check_rule(optimizer: Any) -> None:
    is_class = isinstance(optimizer, type) and issubclass(optimizer, Optimizer)
    if not is_class and not isinstance(optimizer, Optimizer):
        raise InputError(
            f"optimizer must be an Optimizer class or instance, got {optimizer!r}",
            argument="optimizer",
            value=optimizer,
        )
