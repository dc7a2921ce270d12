"""Which optimizers are listed, and how they are found by name."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cases import each

from convex_analyzer import optimizers
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers import find, registered
from convex_analyzer.optimizers.base import Optimizer

pytestmark = pytest.mark.survey

CLASSES = registered()


def test_the_registry_lists_public_classes_of_the_package():
    assert {"GradientDescent", "HeavyBall", "Nesterov"} <= set(CLASSES)
    for name, cls in CLASSES.items():
        assert issubclass(cls, Optimizer)
        assert cls is not Optimizer
        assert cls.__name__ == name
        assert getattr(optimizers, name) is cls
        assert name in dir(optimizers)


def test_a_class_in_a_test_is_not_listed():
    class Local(Optimizer):
        def step(self, problem, t, theta):
            return theta

    registered.cache_clear()
    assert "Local" not in registered()
    assert find("local", {"Local": Local}) is Local


@each("cls", CLASSES.values(), ids=lambda cls: cls.__name__)
def test_every_optimizer_is_documented(cls):
    assert cls.source, "name the paper or the slide"
    text = cls.__doc__
    assert "Parameters" in text
    assert "Examples" in text
    for name in cls.hyperparameters():
        assert name in text


def test_names_and_aliases_are_unique():
    def plain(name):
        return name.replace("_", "").replace("-", "").replace(" ", "").lower()

    names = [plain(name) for name in CLASSES]
    names += [plain(alias) for cls in CLASSES.values() for alias in cls.aliases]
    assert len(names) == len(set(names))


@each(
    ("text", "name"),
    [
        ("HeavyBall", "HeavyBall"),
        ("heavy_ball", "HeavyBall"),
        ("heavy-ball", "HeavyBall"),
        ("Heavy Ball", "HeavyBall"),
        ("gd", "GradientDescent"),
        ("NAG", "Nesterov"),
        ("polyak", "HeavyBall"),
    ],
)
def test_finding_by_name(text, name):
    assert find(text).__name__ == name


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(
        InputError, match=r"no optimizer called 'HevyBall'; did you mean HeavyBall\?"
    ):
        find("HevyBall")
    with pytest.raises(InputError, match=r"convex-analyzer optimizers"):
        find("zzzz")
    with pytest.raises(AttributeError, match="no attribute 'Zzzz'"):
        _ = optimizers.Zzzz
    with pytest.raises(AttributeError):
        _ = optimizers._private


ENTRY_POINT = """
from importlib.metadata import EntryPoint
import convex_analyzer.optimizers as optimizers
from convex_analyzer.optimizers.base import Optimizer

class {name}(Optimizer):
    def step(self, problem, t, theta):
        return theta

import sys
sys.modules["foreign"] = sys.modules["__main__"]
point = EntryPoint("{name}", "foreign:{name}", "convex_analyzer.optimizers")
optimizers.entry_points = lambda group: [point] if group == "convex_analyzer.optimizers" else []
try:
    print(sorted(optimizers.registered()))
except Exception as error:
    print(type(error).__name__, error)
"""


def run(name: str) -> str:
    code = ENTRY_POINT.format(name=name)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_other_distributions_register_by_entry_point():
    assert "'Foreign'" in run("Foreign")


def test_two_of_one_name_are_an_error_that_names_both():
    out = run("HeavyBall")
    assert "InputError two optimizers are called HeavyBall" in out
    assert "convex_analyzer.optimizers.momentum and __main__" in out
