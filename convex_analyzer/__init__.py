"""Name the problem, get the exact behaviour of every optimizer on it, see it confirmed.

Start with a problem: a matrix, a data set, a file, or a classic by name ::

    import convex_analyzer as ca

    problem = ca.Quadratic([[0.2, 0.0], [0.0, 4.0]])        # J(θ) = ½ θᵀAθ + bᵀθ + c
    problem = ca.least_squares(X, y)                        # arrays or a DataFrame
    problem = ca.load("data.csv", target="y")               # .csv .tsv .npy .npz .mtx
    problem = ca.gallery.ravine(condition_number=100)

    problem = ca.local_quadratic("(1-x)**2 + 100*(y-x**2)**2", at=[1, 1])   # Taylor model

and ask ::

    ca.spectrum(problem)                                    # eigenvalues, condition number
    ca.analyze(problem, ca.HeavyBall(0.1, momentum=0.9))    # stable? how fast? where slow?
    ca.analyze(problem, ca.HeavyBall)                       # a class: tuned for this problem
    ca.simulate(problem, ca.GradientDescent(0.1), start, steps)
    ca.compare(problem)                                     # prediction against simulation
    ca.condition(problem)                                   # why ill-conditioned, what helps
    ca.check_gradient(loss, gradient, at=theta)             # is the gradient right?
    ca.diagnose("run.csv", lr=0.1, batch_size=32)           # what is wrong with this run?
    ca.derive("stability", ca.HeavyBall)                    # numbered, machine-checked lines
    ca.report(ca.compare(problem), "out.pdf")               # a page to print

Results print as tables, compare by value, and become JSON with ``to_dict()``. All optimizers are in
`optimizers`; one's own is a class with one method, ``step`` (see `Optimizer`). The command line is
``convex-analyzer --help``. Every error of the package is a `ConvexAnalyzerError`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convex_analyzer import optimizers as optimizers
    from convex_analyzer import plot as plot
    from convex_analyzer import schedules as schedules
    from convex_analyzer import testing as testing
    from convex_analyzer.comparison import compare as compare
    from convex_analyzer.comparison.local import follow as follow
    from convex_analyzer.conditioning.analysis import condition as condition
    from convex_analyzer.conventions.code_check import check_code as check_code
    from convex_analyzer.conventions.convert import from_library as from_library
    from convex_analyzer.conventions.convert import to_library as to_library
    from convex_analyzer.conventions.equivalence import equivalent as equivalent
    from convex_analyzer.derivations.claims import check_claim as check_claim
    from convex_analyzer.derivations.convexity import is_convex as is_convex
    from convex_analyzer.derivations.derivation import check_derivation as check_derivation
    from convex_analyzer.derivations.derive import derive as derive
    from convex_analyzer.diagnosis.engine import diagnose as diagnose
    from convex_analyzer.diagnosis.recorder import Recorder as Recorder
    from convex_analyzer.errors import ConvexAnalyzerError as ConvexAnalyzerError
    from convex_analyzer.errors import ConvexAnalyzerWarning as ConvexAnalyzerWarning
    from convex_analyzer.errors import InputError as InputError
    from convex_analyzer.errors import NotConvertibleError as NotConvertibleError
    from convex_analyzer.noise.additive import AdditiveNoise as AdditiveNoise
    from convex_analyzer.noise.batches import MiniBatch as MiniBatch
    from convex_analyzer.optimizers.adam import Adam as Adam
    from convex_analyzer.optimizers.adam import AdamW as AdamW
    from convex_analyzer.optimizers.adaptive import AdaGrad as AdaGrad
    from convex_analyzer.optimizers.adaptive import RMSProp as RMSProp
    from convex_analyzer.optimizers.base import Optimizer as Optimizer
    from convex_analyzer.optimizers.gradient import SGD as SGD
    from convex_analyzer.optimizers.gradient import GradientDescent as GradientDescent
    from convex_analyzer.optimizers.krylov import ConjugateGradient as ConjugateGradient
    from convex_analyzer.optimizers.momentum import HeavyBall as HeavyBall
    from convex_analyzer.optimizers.momentum import Nesterov as Nesterov
    from convex_analyzer.optimizers.quasi_newton import LBFGS as LBFGS
    from convex_analyzer.optimizers.second_order import Newton as Newton
    from convex_analyzer.problems import gallery as gallery
    from convex_analyzer.problems.files import load as load
    from convex_analyzer.problems.gradient_check import check_gradient as check_gradient
    from convex_analyzer.problems.least_squares import least_squares as least_squares
    from convex_analyzer.problems.local import local_quadratic as local_quadratic
    from convex_analyzer.problems.quadratic import Quadratic as Quadratic
    from convex_analyzer.reporting.build import report as report
    from convex_analyzer.reporting.explorer_file import explore as explore
    from convex_analyzer.reporting.pictures import save_figures as save_figures
    from convex_analyzer.simulation.engine import simulate as simulate
    from convex_analyzer.spectra.compute import spectrum as spectrum
    from convex_analyzer.spectra.density import Density as Density
    from convex_analyzer.spectra.spectrum import Spectrum as Spectrum
    from convex_analyzer.theory.analysis import analyze as analyze
    from convex_analyzer.theory.goals import tune as tune
    from convex_analyzer.theory.regions import stability_region as stability_region
    from convex_analyzer.theory.sensitivity import sensitivity as sensitivity

__all__ = [
    "LBFGS",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "AdditiveNoise",
    "ConjugateGradient",
    "ConvexAnalyzerError",
    "ConvexAnalyzerWarning",
    "Density",
    "GradientDescent",
    "HeavyBall",
    "InputError",
    "MiniBatch",
    "Nesterov",
    "Newton",
    "NotConvertibleError",
    "Optimizer",
    "Quadratic",
    "RMSProp",
    "Recorder",
    "Spectrum",
    "analyze",
    "check_claim",
    "check_code",
    "check_derivation",
    "check_gradient",
    "compare",
    "condition",
    "derive",
    "diagnose",
    "equivalent",
    "explore",
    "follow",
    "from_library",
    "gallery",
    "is_convex",
    "least_squares",
    "load",
    "local_quadratic",
    "optimizers",
    "plot",
    "report",
    "save_figures",
    "schedules",
    "sensitivity",
    "simulate",
    "spectrum",
    "stability_region",
    "testing",
    "to_library",
    "tune",
]

__version__ = "0.1.0"

_MODULES = {
    "gallery": "convex_analyzer.problems.gallery",
    "optimizers": "convex_analyzer.optimizers",
    "plot": "convex_analyzer.plot",
    "schedules": "convex_analyzer.schedules",
    "testing": "convex_analyzer.testing",
}
_HOMES = {
    "AdaGrad": "convex_analyzer.optimizers.adaptive",
    "Adam": "convex_analyzer.optimizers.adam",
    "AdamW": "convex_analyzer.optimizers.adam",
    "AdditiveNoise": "convex_analyzer.noise.additive",
    "ConjugateGradient": "convex_analyzer.optimizers.krylov",
    "ConvexAnalyzerError": "convex_analyzer.errors",
    "ConvexAnalyzerWarning": "convex_analyzer.errors",
    "Density": "convex_analyzer.spectra.density",
    "GradientDescent": "convex_analyzer.optimizers.gradient",
    "HeavyBall": "convex_analyzer.optimizers.momentum",
    "InputError": "convex_analyzer.errors",
    "LBFGS": "convex_analyzer.optimizers.quasi_newton",
    "MiniBatch": "convex_analyzer.noise.batches",
    "Nesterov": "convex_analyzer.optimizers.momentum",
    "Newton": "convex_analyzer.optimizers.second_order",
    "NotConvertibleError": "convex_analyzer.errors",
    "Optimizer": "convex_analyzer.optimizers.base",
    "Quadratic": "convex_analyzer.problems.quadratic",
    "RMSProp": "convex_analyzer.optimizers.adaptive",
    "Recorder": "convex_analyzer.diagnosis.recorder",
    "SGD": "convex_analyzer.optimizers.gradient",
    "Spectrum": "convex_analyzer.spectra.spectrum",
    "analyze": "convex_analyzer.theory.analysis",
    "check_claim": "convex_analyzer.derivations.claims",
    "check_code": "convex_analyzer.conventions.code_check",
    "check_derivation": "convex_analyzer.derivations.derivation",
    "check_gradient": "convex_analyzer.problems.gradient_check",
    "compare": "convex_analyzer.comparison",
    "condition": "convex_analyzer.conditioning.analysis",
    "derive": "convex_analyzer.derivations.derive",
    "diagnose": "convex_analyzer.diagnosis.engine",
    "equivalent": "convex_analyzer.conventions.equivalence",
    "explore": "convex_analyzer.reporting.explorer_file",
    "follow": "convex_analyzer.comparison.local",
    "from_library": "convex_analyzer.conventions.convert",
    "is_convex": "convex_analyzer.derivations.convexity",
    "least_squares": "convex_analyzer.problems.least_squares",
    "load": "convex_analyzer.problems.files",
    "local_quadratic": "convex_analyzer.problems.local",
    "report": "convex_analyzer.reporting.build",
    "save_figures": "convex_analyzer.reporting.pictures",
    "sensitivity": "convex_analyzer.theory.sensitivity",
    "simulate": "convex_analyzer.simulation.engine",
    "spectrum": "convex_analyzer.spectra.compute",
    "stability_region": "convex_analyzer.theory.regions",
    "to_library": "convex_analyzer.conventions.convert",
    "tune": "convex_analyzer.theory.goals",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562), and keep it."""
    if name in _MODULES:
        value: Any = importlib.import_module(_MODULES[name])
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
