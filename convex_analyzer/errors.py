"""Every exception and warning of the package.

::

    ConvexAnalyzerError
    ├── InputError(ValueError)            an argument breaks a rule; says which, and what to do
    │   ├── NotSymmetricError             A differs from its transpose
    │   ├── NotConvexError                negative curvature where convexity is required
    │   └── ParseError                    text that cannot be read, with the column
    ├── NotDerivableError(TypeError)      a closed form asked of a rule that has none
    ├── NotConvertibleError(ValueError)   no equal rule in the other library
    ├── SpectrumError(RuntimeError)       eigenvalues not converged; carries the partial spectrum
    ├── MissingDependencyError(ImportError)
    └── ConformanceError(AssertionError)  an optimizer breaks its contract; names the check
    ConvexAnalyzerWarning(UserWarning)

Messages have one form: who, which argument, the rule, what came instead, and what to do.
"""

from __future__ import annotations

__all__ = [
    "ConformanceError",
    "ConvexAnalyzerError",
    "ConvexAnalyzerWarning",
    "InputError",
    "MissingDependencyError",
    "NotConvertibleError",
    "NotConvexError",
    "NotDerivableError",
    "NotSymmetricError",
    "ParseError",
    "SpectrumError",
]


class ConvexAnalyzerError(Exception):
    """Base class of every error that the package raises on purpose."""


class ConvexAnalyzerWarning(UserWarning):
    """Something is legal but unlikely to be what was meant."""


class InputError(ConvexAnalyzerError, ValueError):
    """An argument breaks a rule.

    Parameters
    ----------
    message
        The sentence: who, which argument, the rule, what came instead.
    argument
        Name of the argument at fault, if there is one.
    value
        What was passed.
    hint
        What to do about it (a flag, a function to call); appended to the message.
    """

    def __init__(
        self, message: str, *, argument: str | None = None, value: object = None, hint: str = ""
    ) -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.argument = argument
        self.value = value
        self.hint = hint


class NotSymmetricError(InputError):
    """A differs from its transpose by more than rounding."""


class NotConvexError(InputError):
    """Negative curvature where convexity is required."""


class ParseError(InputError):
    """Text that cannot be read.

    Parameters
    ----------
    message
        What is wrong, in one sentence.
    text
        The whole text.
    column
        Index of the first character at fault, from 0.
    """

    def __init__(self, message: str, *, text: str = "", column: int = 0, hint: str = "") -> None:
        super().__init__(message, argument="text", value=text, hint=hint)
        self.text = text
        self.column = column

    @property
    def caret(self) -> str:
        """The text with a caret below the character at fault."""
        return f"{self.text}\n{' ' * self.column}^"


class NotDerivableError(ConvexAnalyzerError, TypeError):
    """A closed form was asked of a rule that has none; says why, and what is available."""


class NotConvertibleError(ConvexAnalyzerError, ValueError):
    """No equal rule exists in the other library; says why, and how far apart the two are.

    Parameters
    ----------
    message
        Why, in one sentence.
    nearest
        The call that comes nearest, or None.
    distance
        How far apart the two run, relative to the largest iterate, or None.
    """

    def __init__(
        self, message: str, *, nearest: object = None, distance: float | None = None
    ) -> None:
        super().__init__(message)
        self.nearest = nearest
        self.distance = distance


class SpectrumError(ConvexAnalyzerError, RuntimeError):
    """Eigenvalues did not converge.

    Attributes
    ----------
    partial
        What was found before the iteration gave up, or None.
    """

    def __init__(self, message: str, *, partial: object = None) -> None:
        super().__init__(message)
        self.partial = partial


class MissingDependencyError(ConvexAnalyzerError, ImportError):
    """An optional dependency is not installed.

    Parameters
    ----------
    package
        The package that could not be imported.
    extra
        The extra of this distribution that installs it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs {package}, which is not installed; "
            f'install it with: pip install "convex-analyzer[{extra}]"'
        )
        self.package = package
        self.extra = extra


class ConformanceError(ConvexAnalyzerError, AssertionError):
    """An optimizer breaks the contract of `Optimizer`, or disagrees with what is published.

    Parameters
    ----------
    owner
        Name of the class.
    check
        Name of the check that failed.
    sentence
        What is wrong, and what to do.
    """

    def __init__(self, owner: str, check: str, sentence: str) -> None:
        super().__init__(f"{owner} fails the check {check!r}: {sentence}")
        self.owner = owner
        self.check = check
