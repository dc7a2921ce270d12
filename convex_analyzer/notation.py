"""One table of names: what code calls a quantity, how it is printed, what the sources call it.

Also the vocabulary in which results say what they are: kinds of numbers and verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "DIAGNOSIS_VERDICTS",
    "KINDS",
    "SYMBOLS",
    "Symbol",
    "legend",
    "symbol_of",
]


@dataclass(frozen=True)
class Symbol:
    """One quantity.

    Parameters
    ----------
    name
        The name in code.
    print
        The symbol in text.
    sympy
        The name of the SymPy symbol.
    meaning
        What it is.
    elsewhere
        Letter used by each source, where it differs.
    """

    name: str
    print: str
    sympy: str
    meaning: str
    elsewhere: dict[str, str] = field(default_factory=dict)


SYMBOLS: tuple[Symbol, ...] = (
    Symbol(
        "learning_rate",
        "α",
        "alpha",
        "step size",
        {
            "lecture000": "η",
            "lecture002": "η, γ",
            "lecture003": "η",
            "lecture004": "ε",
            "torch": "lr",
        },
    ),
    Symbol(
        "momentum",
        "μ",
        "mu",
        "fraction of the velocity that is kept",
        {"lecture000": "γ", "lecture002": "β", "lecture004": "α", "torch": "momentum"},
    ),
    Symbol("eigenvalue", "λ", "lambda", "curvature along an eigendirection"),
    Symbol("condition_number", "κ", "kappa", "largest over smallest non-zero eigenvalue"),
    Symbol("rate", "ρ", "rho", "factor by which the error shrinks per step"),
    Symbol("steps", "k", "k", "number of steps"),
    Symbol(
        "decay",
        "γ",
        "gamma",
        "fraction of an average that is kept",
        {
            "lecture001": "1-γ",
            "lecture004": "ρ",
            "keras": "rho",
            "torch": "alpha",
            "optax": "decay",
        },
    ),
    Symbol("beta1", "β₁", "beta1", "decay of the mean", {"lecture004": "ρ₁", "optax": "b1"}),
    Symbol("beta2", "β₂", "beta2", "decay of the mean square", {"lecture004": "ρ₂", "optax": "b2"}),
    Symbol(
        "epsilon",
        "ε",
        "epsilon",
        "guards a division",
        {"lecture004": "δ", "torch": "eps", "optax": "eps"},
    ),
    Symbol("epsilon_root", "εᵣ", "epsilon_r", "guards a root", {"optax": "eps_root"}),
    Symbol(
        "weight_decay",
        "w",
        "w",
        "strength of weight decay",
        {"torch": "weight_decay", "keras": "λ"},
    ),
    Symbol("momentum_decay", "ψ", "psi", "how fast NAdam's momentum warms up"),
    Symbol("learning_rate_decay", "c", "c", "of 1/t decay", {"torch": "lr_decay"}),
    Symbol("initial_accumulator", "s₀", "s0", "sum of squares at the start"),
    Symbol("threshold", "ρ₀", "rho0", "degrees of freedom from which RAdam adapts"),
    Symbol("damping", "τ", "tau", "added to every eigenvalue before it is inverted"),
    Symbol("temperature", "T", "T", "strength of the noise of a sampler"),
    Symbol("mean", "m", "m", "running mean of gradients", {"torch": "exp_avg"}),
    Symbol(
        "square",
        "s",
        "s",
        "running mean of squared gradients",
        {"lecture000": "v", "lecture004": "r", "torch": "exp_avg_sq"},
    ),
    Symbol("square_sum", "s", "s", "sum of squared gradients"),
    Symbol("gradient_mean", "ḡ", "gbar", "running mean of gradients"),
    Symbol("step_square", "d", "d", "running mean of squared steps", {"torch": "acc_delta"}),
    Symbol("dampening", "τ", "tau", "share of the gradient that the velocity leaves out"),
    Symbol("gradient_rate", "η", "eta", "rate inside the velocity", {"lecture002": "η"}),
    Symbol("nu", "ν", "nu", "share of the velocity in the step"),
    Symbol("friction", "r", "r", "of the momentum (k-1)/(k+r-1)"),
    Symbol("lookahead", "γ", "gamma", "how far ahead the gradient is taken"),
    Symbol("extrapolation", "δ", "delta", "how far ahead the reported point lies"),
    Symbol("batch_size", "S", "S", "rows per step", {"lecture004": "m"}),
    Symbol("increment", "δ", "delta", "added to a gain"),
    Symbol("reduction", "φ", "phi", "share by which a rate is cut"),
    Symbol("increase", "η⁺", "eta_p", "factor of a growing step"),
    Symbol("decrease", "η⁻", "eta_m", "factor of a shrinking step"),
    Symbol("gain", "γ", "gamma", "factor of the learning rate, per parameter"),
    Symbol("noise_variance", "σ²", "sigma2", "variance of the targets"),
    Symbol("previous_gradient", "g′", "g1", "gradient of the step before"),
    Symbol("inverse_hessian", "H", "H", "approximation of the inverse Hessian"),
    Symbol("spread", "s", "s", "running mean of squared deviations"),
    Symbol("theta", "θ", "theta", "parameters", {"lecture000": "x", "lecture002": "w"}),
    Symbol("velocity", "v", "v", "velocity of momentum methods", {"lecture001": "p"}),
    Symbol("gap", "J − J*", "J", "loss above the minimum"),
)

KINDS: dict[str, str] = {
    "exact": "algebra; only the last digit is rounded",
    "bracketed": "inside a stated rigorous interval",
    "numerical": "converged to the stated error",
    "simulated": "counted by running the optimizer",
    "asymptotic": "true in the stated limit",
    "heuristic": "a rule of thumb, measured but not proved",
}

DIAGNOSIS_VERDICTS: dict[str, str] = {
    "present": "the evidence shows the problem",
    "possible": "the evidence allows it",
    "absent": "tested, and not there",
    "not tested": "this input cannot show it",
}


def symbol_of(name: str) -> str:
    """Return the printed symbol of a quantity, or its name when it has none.

    Examples
    --------
    >>> symbol_of("learning_rate"), symbol_of("unheard_of")
    ('α', 'unheard_of')
    """
    return next((s.print for s in SYMBOLS if s.name == name), name)


def legend() -> str:
    """Return one line that explains the kinds of numbers."""
    return "; ".join(f"{kind}: {meaning}" for kind, meaning in KINDS.items())
