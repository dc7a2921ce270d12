"""One tree of errors, each also the built-in kind that it refines, with what a program needs."""

from __future__ import annotations

import inspect

from cases import each

from convex_analyzer import errors

KINDS = {
    "InputError": ValueError,
    "NotSymmetricError": ValueError,
    "NotConvexError": ValueError,
    "ParseError": ValueError,
    "NotDerivableError": TypeError,
    "NotConvertibleError": ValueError,
    "SpectrumError": RuntimeError,
    "MissingDependencyError": ImportError,
    "ConformanceError": AssertionError,
    "ConvexAnalyzerWarning": UserWarning,
}


def public() -> dict[str, type]:
    return {
        name: thing
        for name, thing in vars(errors).items()
        if inspect.isclass(thing) and thing.__module__ == errors.__name__
    }


def test_every_class_is_listed_drawn_and_in_the_tree():
    assert sorted(public()) == sorted(errors.__all__) == list(errors.__all__)
    drawn = errors.__doc__
    for name, cls in public().items():
        assert name in drawn
        assert cls.__doc__
        if not issubclass(cls, Warning):
            assert issubclass(cls, errors.ConvexAnalyzerError)


@each("name", KINDS)
def test_each_refines_a_built_in_kind(name):
    assert issubclass(getattr(errors, name), KINDS[name])
    assert set(KINDS) == set(errors.__all__) - {"ConvexAnalyzerError"}


def test_input_errors_carry_argument_value_and_hint():
    error = errors.NotSymmetricError("A is not symmetric", argument="A", value=3, hint="do this")
    assert str(error) == "A is not symmetric; do this"
    assert (error.argument, error.value, error.hint) == ("A", 3, "do this")
    assert isinstance(error, errors.InputError)
    assert str(errors.InputError("plain")) == "plain"


def test_parse_errors_point_into_the_text():
    error = errors.ParseError("unknown name", text="alpha + ?", column=8, hint="use mu")
    assert error.caret == "alpha + ?\n        ^"
    assert error.column == 8
    assert str(error) == "unknown name; use mu"


def test_spectrum_errors_keep_what_was_found():
    assert errors.SpectrumError("not converged", partial=[1.0]).partial == [1.0]
    assert errors.SpectrumError("not converged").partial is None


def test_a_missing_dependency_says_how_to_get_it():
    error = errors.MissingDependencyError("typst", "report")
    assert 'pip install "convex-analyzer[report]"' in str(error)
    assert (error.package, error.extra) == ("typst", "report")


def test_conformance_errors_name_optimizer_and_check():
    error = errors.ConformanceError("Mine", "runs", "they touch")
    assert str(error) == "Mine fails the check 'runs': they touch"
    assert (error.owner, error.check) == ("Mine", "runs")
