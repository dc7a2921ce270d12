"""Files, gallery names, optimizers and starts, as they are written on a command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

RULE = """
from convex_analyzer import Optimizer

class Half(Optimizer):
    '''Half a step of gradient descent.'''

    learning_rate: float

    def step(self, problem, t, theta):
        return theta - self.learning_rate / 2 * problem.gradient(theta)

class _Hidden(Half):
    pass
"""


def analysed(cli, *words):
    code, out, err = cli("analyze", *words, "--json")
    assert code == 0, err
    return json.loads(out)


def test_a_file_and_the_gallery_are_the_same_problem(cli, toy_file):
    one, two = analysed(cli, toy_file), analysed(cli, "gallery:toy")
    assert one["problem"]["name"] == two["problem"]["name"] == "toy"
    assert one["analyses"] == two["analyses"]


def test_data_options_reach_the_file(cli, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,town,b,y\n1,X,2,3\n4,Y,1,6\n7,Z,,10\n5,W,3,1\n")
    problem = analysed(cli, path, "--target", "y", "--drop-columns", "town", "--missing", "drop")
    assert problem["spectrum"]["dimension"] == 3
    bare = analysed(
        cli, path, "--target=y", "--drop-columns=town", "--drop-columns=b", "--no-intercept",
        "--loss=rss", "--l2=2",
    )  # fmt: skip
    assert bare["spectrum"]["eigenvalues"] == pytest.approx([2 * (1 + 16 + 49 + 25) + 2])


def test_standardised_columns_leave_the_correlations(cli, refused, toy_file, tmp_path):
    path = tmp_path / "t.csv"
    rows = np.array([[1, 200, 3], [4, 100, 6], [7, 900, 10], [5, 300, 1.0]])
    np.savetxt(path, rows, delimiter=",", header="a,b,y", comments="")
    curvature = np.linalg.eigvalsh(np.corrcoef(rows[:, 0], rows[:, 1]))
    for flag in ("--standardise", "--standardize"):
        problem = analysed(cli, path, "--target", "y", flag)
        found = problem["spectrum"]["eigenvalues"]
        assert found == pytest.approx(sorted([*curvature, 1.0]))
    assert "a data file needs --target" in refused("analyze", toy_file, "--standardise")


def test_gallery_arguments(cli):
    wide = analysed(cli, "gallery:ravine:condition_number=400, angle=0.1")
    assert wide["spectrum"]["condition_number"] == pytest.approx(400)
    assert analysed(cli, "gallery:pei:n=4")["spectrum"]["dimension"] == 4
    slide = "gallery:lecture001_slide24:standardize=true"
    assert analysed(cli, slide)["spectrum"]["dimension"] == 2
    slide += ",intercept=true"
    assert analysed(cli, slide)["spectrum"]["dimension"] == 3
    assert analysed(cli, slide, "--no-intercept")["spectrum"]["dimension"] == 2


def test_gallery_mistakes(refused):
    assert "did you mean toy?" in refused("analyze", "gallery:toi")
    assert "known: clement_shifted" in refused("analyze", "gallery:")
    assert "it takes no arguments" in refused("analyze", "gallery:toy:n=3")
    assert "it takes condition_number, angle" in refused("analyze", "gallery:ravine:kappa=3")
    assert "expected a number" in refused("analyze", "gallery:ravine:angle=steep")
    assert "condition_number must be" in refused("analyze", "gallery:ravine:condition_number=0")
    assert "--l2 does not apply" in refused("analyze", "gallery:toy", "--l2", "1")
    assert "--drop-columns does not apply" in refused(
        "analyze", "gallery:longley", "--drop-columns", "GNP"
    )


def test_file_mistakes(refused, longley, tmp_path):
    assert "did you mean longley.csv?" in refused("analyze", longley.with_name("longly.csv"))
    assert "--target NAME" in refused("analyze", longley)
    assert "did you mean 'TOTEMP'?" in refused("analyze", longley, "--target", "totemp")
    assert "is a folder" in refused("analyze", tmp_path)


def test_optimizers_are_read_and_partly_tuned(cli):
    data = analysed(
        cli, "gallery:toy", "-o", "HB:lr=0.1", "--optimizer", "HeavyBall(0.1, momentum=0.5)"
    )
    tuned, given = data["analyses"]
    assert tuned["tuned"] == ["momentum"]
    assert tuned["optimizer"]["learning_rate"] == 0.1
    assert tuned["optimizer"]["momentum"] == pytest.approx((1 - np.sqrt(0.1 * 0.2)) ** 2)
    assert given["tuned"] == []
    assert given["optimizer"]["momentum"] == 0.5


def test_optimizer_mistakes(refused):
    assert "did you mean HeavyBall?" in refused("compare", "gallery:toy", "-o", "HeavyBal")
    assert "column 7" in refused("compare", "gallery:toy", "-o", "HB:mu=2")


def test_optimizers_of_ones_own(cli, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(RULE)
    data = analysed(cli, "gallery:toy", "--optimizer-module", path)
    (half,) = data["analyses"]
    assert half["optimizer"]["name"] == "Half"
    assert half["optimizer"]["learning_rate"] == pytest.approx(2 * 2 / 4.2, rel=1e-6)
    data = analysed(cli, "gallery:toy", "--optimizer-module", path, "-o", "half:0.5", "-o", "GD")
    assert [one["optimizer"]["name"] for one in data["analyses"]] == ["Half", "GradientDescent"]
    assert "Half a step" in cli("optimizers", "--optimizer-module", path).out
    shown = cli("optimizers", "Half", "--optimizer-module", path).out
    assert "self.learning_rate / 2" in shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\n", "defines no optimizer"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("def f(:\n", "SyntaxError"),
        ("import no_such_module_at_all\n", "ModuleNotFoundError"),
    ],
)
def test_mistakes_in_ones_own_module(refused, tmp_path, text, words):
    path = tmp_path / "mine.py"
    path.write_text(text)
    assert words in refused("analyze", "gallery:toy", "--optimizer-module", path)


def test_modules_that_are_not_there_or_not_python(refused, tmp_path):
    none = tmp_path / "none.py"
    assert "there is no file" in refused("analyze", "gallery:toy", "--optimizer-module", none)
    other = tmp_path / "rule.txt"
    other.write_text(RULE)
    assert "not a Python file" in refused("analyze", "gallery:toy", "--optimizer-module", other)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("zeros", [0, 0]),
        ("ones", [1, 1]),
        ("-5,-2", [-5, -2]),
        ("1e-3, 2", [0.001, 2]),
        ("excite", [1, 1]),
    ],
)
def test_starts(cli, start, expected):
    code, out, err = cli("compare", "gallery:toy", "--json", "--start", start, "--steps", "3")
    assert code == 0, err
    assert np.abs(json.loads(out)["start"]) == pytest.approx(np.abs(expected))


def test_excite_starts_at_the_minimiser_plus_every_direction(cli):
    data = json.loads(cli("compare", "gallery:saddle", "--json", "--start", "excite").out)
    offset = np.array(data["start"]) - [1 / 3, -2 / 3]  # the critical point of the saddle
    assert np.linalg.norm(offset) == pytest.approx(np.sqrt(2))
    flat = json.loads(
        cli("compare", "gallery:singular:bounded=false", "--json", "--start", "excite").out
    )
    assert np.linalg.norm(flat["start"]) == pytest.approx(np.sqrt(2))


def test_start_mistakes(refused):
    assert "has 3 numbers, and the problem has 2" in refused(
        "compare", "gallery:toy", "--start", "1,2,3"
    )
    assert "for instance --start 1,1" in refused("compare", "gallery:toy", "--start", "here")
    assert "finite" in refused("compare", "gallery:toy", "--start", "1,nan")
    assert "too large" in refused(
        "compare", "gallery:laplacian_1d:n=2500", "--start", "excite", "--steps", "1"
    )
