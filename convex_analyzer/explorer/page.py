"""A problem, optimizers and a start, written into the explorer's page."""

from __future__ import annotations

import functools
import html
import importlib.resources
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from convex_analyzer.domains import is_schedule
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.adam import Adam, AMSGrad
from convex_analyzer.optimizers.adaptive import AdaGrad, RMSProp
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.checks import float_vector
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.tables import format_number, join_words

__all__ = ["LARGEST", "can_show", "embed", "page"]

Array: TypeAlias = npt.NDArray[np.float64]
Wanted: TypeAlias = Optimizer | type[Optimizer]

LARGEST = 8  # dimensions that the page has room for
_LONGEST_NAME = 80
_THEMES = ("auto", "light", "dark")

# What the page has, with the settings in which its rule differs from the defaults of the class:
# those of lecture 000. explorer/src/optimizers.ts says the same; a test holds them together.
_EPSILON = {"epsilon": 1e-8, "epsilon_inside": True}
RULES: dict[str, tuple[type[Optimizer], dict[str, Any]]] = {
    "gd": (GradientDescent, {}),
    "hb": (HeavyBall, {}),
    "nag": (Nesterov, {}),
    "adagrad": (AdaGrad, _EPSILON),
    "rmsprop": (RMSProp, {"decay": 0.9, **_EPSILON}),
    "adam": (Adam, {}),
    "amsgrad": (AMSGrad, {"variant": "raw"}),
}
_SLIDERS = ("learning_rate", "momentum")
_ADAPTIVE = (AdaGrad, RMSProp, Adam, AMSGrad)


def page(
    problem: Any = None,
    optimizers: Iterable[Wanted] | None = None,
    *,
    start: Any = None,
    plane: bool = False,
    embedded: bool = False,
    theme: str = "auto",
) -> str:
    """Return the explorer as the text of one HTML file.

    Parameters
    ----------
    problem
        A `Quadratic`, or a symmetric matrix of shape (d, d); left out, the page opens with the
        ravine of its sliders.
    optimizers
        Which boxes are ticked: classes, or instances, whose learning rate and momentum the sliders
        then show. The page has one α for gradient descent and the momentum methods, and one for the
        methods that scale each coordinate; it says so where instances differ.
    start
        θ₀, shape (d,); by default the critical point plus one unit along every eigendirection.
    plane
        Explore the plane of the slowest and the steepest eigendirection; needed for d > 8.
    embedded
        Leave out what only a page of its own needs.
    theme
        ``"light"``, ``"dark"`` or ``"auto"``: as the reader's system has it.

    Raises
    ------
    InputError
        More than 8 dimensions without `plane`; an optimizer that the page does not have; a start of
        another length; an unknown theme.

    Examples
    --------
    >>> text = page([[0.2, 0.0], [0.0, 4.0]], [HeavyBall(0.4, momentum=0.5)])
    >>> text.startswith("<!doctype html>"), "https://" in text
    (True, False)
    """
    if theme not in _THEMES:
        raise InputError(
            f"theme must be one of {join_words(_THEMES, 'or')}, got {theme!r}", argument="theme"
        )
    preset: dict[str, Any] = {"embedded": True} if embedded else {}
    if theme != "auto":
        preset["theme"] = theme
    notes: list[str] = []
    if problem is not None:
        preset |= _of_problem(problem, start, plane, notes)
    elif start is not None:
        raise InputError("a start needs a problem", argument="start", hint="give the problem too")
    if optimizers is not None:
        preset |= _of_optimizers(list(optimizers), notes)
    if notes:
        preset["note"] = " ".join(notes)
    return _template().replace(_SLOT, _slot(preset))


def embed(
    problem: Any = None,
    optimizers: Iterable[Wanted] | None = None,
    *,
    start: Any = None,
    theme: str = "auto",
) -> str:
    """Return the explorer as a piece of another HTML page: one ``<iframe>`` with all of it inside.

    The page is in the attribute ``srcdoc``, so nothing is loaded, and its styles, names and scripts
    stay apart from those around it. It scrolls within its frame, as its sliders stay in sight. To
    use it, put the text where a block may stand; nothing else is needed. A page with a security
    policy must allow the explorer's script and styles, for ``srcdoc`` inherits the policy: the hash
    that the explorer's own policy names, and ``style-src 'unsafe-inline'``. In a sandbox it needs
    ``allow-scripts``, and ``allow-downloads`` to save figures. It is about 120 kB: embed it
    once. Problems of more than 8 dimensions are shown in the plane of their extreme
    eigendirections, which the page says.

    Parameters and errors are those of `page`.

    Examples
    --------
    >>> embed([[2.0, 1.0], [1.0, 3.0]]).startswith("<iframe ")
    True
    """
    quadratic = None if problem is None else _quadratic(problem)
    text = page(
        quadratic,
        optimizers,
        start=start,
        plane=quadratic is not None and quadratic.dimension > LARGEST,
        embedded=True,
        theme=theme,
    )
    return (
        '<iframe title="Convergence explorer" loading="lazy" '
        'style="display:block;width:100%;height:clamp(500px,84vh,780px);border:0" '
        f'srcdoc="{html.escape(text)}"></iframe>'
    )


def can_show(optimizer: Wanted) -> bool:
    """Tell whether the page has this optimizer, with a slider for each of its settings.

    A schedule, or one value per run, has no slider.

    Examples
    --------
    >>> from convex_analyzer.optimizers.krylov import ConjugateGradient
    >>> can_show(HeavyBall), can_show(ConjugateGradient())
    (True, False)
    """
    values = {} if isinstance(optimizer, type) else optimizer.values
    has_sliders = all(_is_constant(values[name]) for name in _SLIDERS if name in values)
    return _key(optimizer) is not None and has_sliders


# -- the page with an empty slot -----------------------------------------------------------------

_BEGIN, _END = '<script type="application/json" id="preset">', "</script>"
_SLOT = f"{_BEGIN}{{}}{_END}"


@functools.cache
def _template() -> str:
    file = importlib.resources.files("convex_analyzer.explorer") / "explorer.html"
    text = file.read_text(encoding="utf-8")
    assert text.count(_SLOT) == 1
    return text


def _slot(preset: Mapping[str, Any]) -> str:
    """Return JSON in a script element that no text inside can end (HTML, section 4.12.1.3)."""
    text = json.dumps(preset, allow_nan=False, sort_keys=True, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return f"{_BEGIN}{text}{_END}"


# -- the problem ---------------------------------------------------------------------------------


def _quadratic(problem: Any) -> Quadratic:
    return problem if isinstance(problem, Quadratic) else Quadratic(problem, name="A")


def _of_problem(problem: Any, start: Any, plane: bool, notes: list[str]) -> dict[str, Any]:
    quadratic = _quadratic(problem)
    size = quadratic.dimension
    point = None if start is None else float_vector(start, size, "start")
    if size <= LARGEST and not plane:
        A = quadratic.operator.multiply(np.eye(size))
        A, b = (A + A.T) / 2, quadratic.linear
    elif plane:
        A, b, point = _in_plane(quadratic, point, notes)
    else:
        raise InputError(
            f"the explorer has room for {LARGEST} dimensions, and this problem has {size}",
            argument="problem",
            hint="explore the plane of its slowest and its steepest eigendirection with plane=True "
            "(--plane), or see all of it with compare",
        )
    name = quadratic.name
    preset: dict[str, Any] = {
        "A": A.tolist(),
        "b": b.tolist() if np.any(b) else None,
        "name": name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…",
    }
    if point is not None:
        preset["start"] = point.tolist()
    return preset


def _in_plane(
    problem: Quadratic, start: Array | None, notes: list[str]
) -> tuple[Array, Array, Array | None]:
    """Return A, b and the start in the coordinates q₁ᵀθ and q_dᵀθ."""
    if not problem.operator.can_decompose:
        raise InputError(
            f"the eigendirections of {problem.dimension:,} dimensions are too many to compute",
            argument="problem",
            hint="take a part of the problem",
        )
    parts = problem.decomposition
    values = parts.eigenvalues[[0, -1]]
    Q = parts.eigenvectors[:, [0, -1]]
    low, high = (format_number(float(value), 4) for value in values)
    notes.append(
        f"This is the plane of the slowest and the steepest eigendirection (λ = {low} and {high}) "
        f"of a problem with {problem.dimension:,} dimensions. Gradient descent, heavy ball and "
        "Nesterov do in it what they do there; the methods that scale each coordinate do not, for "
        "their coordinates are others."
    )
    return np.diag(values), Q.T @ problem.linear, None if start is None else Q.T @ start


# -- the optimizers ------------------------------------------------------------------------------


def _key(optimizer: Wanted) -> str | None:
    cls = optimizer if isinstance(optimizer, type) else type(optimizer)
    return next((key for key, (known, _) in RULES.items() if known is cls), None)


def _is_constant(value: Any) -> bool:
    return not is_schedule(value) and np.ndim(value) == 0


def _of_optimizers(wanted: list[Wanted], notes: list[str]) -> dict[str, Any]:
    keys: list[str] = []
    for one in wanted:
        key = _key(one)
        if key is None:
            name = one.__name__ if isinstance(one, type) else type(one).__name__
            known = join_words([cls.__name__ for cls, _ in RULES.values()], "and")
            raise InputError(
                f"the explorer does not have {name}",
                argument="optimizers",
                value=name,
                hint=f"it has {known}",
            )
        keys.append(key)
    made = [one for one in wanted if isinstance(one, Optimizer)]
    plain = [one for one in made if not isinstance(one, _ADAPTIVE)]
    scaled = [one for one in made if isinstance(one, _ADAPTIVE)]
    preset: dict[str, Any] = {"optimizers": list(dict.fromkeys(keys))}
    preset |= _shared("alpha", "learning_rate", plain, "α", notes)
    preset |= _shared("mu", "momentum", plain, "μ", notes)
    preset |= _shared("rate", "learning_rate", scaled, "α′", notes)
    for one in made:
        _, fixed = RULES[str(_key(one))]
        usual = {field.name: field.default for field in one.fields()} | fixed
        if any(one.values[name] != usual[name] for name in usual if name not in _SLIDERS):
            notes.append(
                f"{type(one).__name__} is here the one of lecture 000, without your other settings."
            )
    return preset


def _shared(
    slider: str, field: str, made: Sequence[Optimizer], symbol: str, notes: list[str]
) -> dict[str, float]:
    """Return the value of a slider from the first optimizer; say when others differ."""
    found = [one for one in made if field in one.values]
    for one in found:
        if not _is_constant(one.values[field]):
            raise InputError(
                f"{type(one).__name__}: the explorer needs one number as {field}",
                argument="optimizers",
                hint="give a constant",
            )
    values = [float(one.values[field]) for one in found]
    if not values:
        return {}
    if len(set(values)) > 1:
        name = type(found[0]).__name__
        notes.append(f"One {symbol} is for all: {format_number(values[0], 4)}, that of {name}.")
    return {slider: values[0]}
