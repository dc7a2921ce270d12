"""What the commands print: the verdict first, then what was asked, then tables."""

from __future__ import annotations

import json
import math

import pytest
from cases import each

from convex_analyzer.cli.report import _file_name
from convex_analyzer.cli.screen import shorten
from convex_analyzer.optimizers import registered
from convex_analyzer.tables import Table

# -- analyze --------------------------------------------------------------------------------------


def test_analyze_answers_first_and_echoes_the_input(cli, longley):
    code, out, err = cli("analyze", longley, "--target", "TOTEMP")
    lines = out.splitlines()
    assert code == 0
    assert err == ""
    assert lines[0].startswith(
        "κ = 2.361238e19: gradient descent is stable for 0 < α < 1.15616e−11"
    )
    assert lines[1] == "longley: 16 rows x 7 columns incl. intercept, J = ½ · mean of squares"
    assert "condition number κ(X)           4.859257e9" in out
    assert "would lose every digit" in out
    assert "standardised columns bring κ from 2.36e19 down to 1.22e4" in out


def test_analyze_with_the_tolerance_and_the_start_asked_for(cli):
    worst = json.loads(cli("analyze", "gallery:toy", "-o", "GD", "--json").out)
    slow = json.loads(
        cli(
            "analyze", "gallery:toy", "-o", "GD", "--json", "--start", "1,0", "--tolerance=1e-3"
        ).out
    )
    rate = 19 / 21
    assert worst["analyses"][0]["steps_to_tolerance"] == math.ceil(
        math.log(1e-6) / (2 * math.log(rate))
    )
    assert slow["analyses"][0]["steps_to_tolerance"] == math.ceil(
        math.log(1e-3) / (2 * math.log(rate))
    )
    assert slow["start"] == "1,0"
    assert "from the start 1,0" in cli("analyze", "gallery:toy", "--start", "1,0").out


def test_analyze_of_one_optimizer_shows_every_direction(cli):
    out = cli("analyze", "gallery:toy", "-o", "GD:0.4").out
    assert out.startswith("GradientDescent(α = 0.4) converges")
    assert "0.92" in out
    assert "regime" in out
    assert "tuned" not in out
    assert "diverges" in cli("analyze", "gallery:toy", "-o", "GD:0.6").out.splitlines()[0]


def test_analyze_names_the_columns_behind_a_direction(cli):
    out = cli("analyze", "gallery:longley", "-o", "GD").out
    assert "mostly" in out
    assert "intercept (100 %)" in out


def test_analyze_of_many_directions_shows_both_ends_and_json_all(cli):
    out = cli("analyze", "gallery:laplacian_1d:n=100", "-o", "GD").out
    assert "90 between are not shown; --json has all." in out
    assert "q5 " in out
    assert "q96 " in out
    assert "q50 " not in out
    data = json.loads(cli("analyze", "gallery:laplacian_1d:n=100", "-o", "GD", "--json").out)
    columns = data["analyses"][0]["directions"]
    assert {len(column) for column in columns.values()} == {100}


def test_analyze_of_an_interval_shows_no_directions(cli):
    """Beyond d = 2000 only the ends are computed; what lies between is not made up."""
    words = ("analyze", "gallery:laplacian_1d:n=2500", "-o", "GD")
    assert "direction " not in cli(*words).out
    assert json.loads(cli(*words, "--json").out)["analyses"][0]["directions"] is None


def test_analyze_says_what_was_tuned(cli):
    out = cli("analyze", "gallery:toy", "-o", "HB:lr=0.1", "-o", "Nesterov").out
    assert "(μ tuned)" in out
    assert "(tuned)" in out


def test_analyze_remarks_on_unusual_settings(cli):
    out = cli("analyze", "gallery:toy", "-o", "HB:0.1,1").out
    assert "Note: HeavyBall: momentum is usually in [0, 1), got 1." in out
    assert "exactly on the boundary" in out.splitlines()[0]


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("gallery:saddle", "There is no minimum: A has negative curvature"),
        ("gallery:singular:bounded=false", "There is no minimum: b has a part"),
        ("gallery:singular", "A is singular"),
    ],
)
def test_analyze_of_what_has_no_unique_minimum(cli, problem, words):
    code, out, _ = cli("analyze", problem)
    assert code == 0
    assert words in out.splitlines()[0]


def test_analyze_of_no_curvature_at_all(cli, tmp_path):
    (tmp_path / "zero.csv").write_text("0,0\n0,0\n")
    code, out, _ = cli("analyze", tmp_path / "zero.csv")
    assert code == 0
    assert "there is no curvature, so nothing limits the learning rate" in out


# -- compare --------------------------------------------------------------------------------------


def test_compare_confirms_the_published_end_points(cli):
    code, out, _ = cli(
        "compare", "gallery:toy", "-o", "GD:0.4", "-o", "GD:0.6", "--start", "-5,-2",
        "--steps", "20", "--json",
    )  # fmt: skip
    assert code == 0
    stable, unstable = json.loads(out)["entries"]
    assert (stable["outcome"], unstable["outcome"]) == ("stable", "unstable")
    assert stable["status"] == unstable["status"] == "confirmed"
    end = 0.1 * 0.943467**2 + 2 * 0.000073**2
    assert stable["curve"]["gap"][20] == pytest.approx(end, rel=1e-5)


def test_compare_prints_the_verdict_and_what_is_present(cli):
    code, out, err = cli("compare", "gallery:ravine", "--tolerance", "1e-4")
    assert code == 0
    assert err == ""
    assert "theory and simulation agree" in out.splitlines()[0]
    assert "κ = 100" in out.splitlines()[1]
    assert "Oscillations (GradientDescent)" in out


def test_compare_does_not_start_what_would_never_end(cli):
    out = cli("compare", "gallery:longley").out
    assert out.count("not simulated: too many") == 3
    assert "Ill-conditioning (GradientDescent): κ = 2.361e19" in out


def test_compare_says_why_there_is_no_minimum(cli):
    out = cli("compare", "gallery:saddle").out
    assert out.startswith("There is no minimum: A has negative curvature")


def test_compare_says_when_a_rule_has_no_closed_form_and_remarks(cli, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from convex_analyzer import Optimizer, ops\n"
        "class Signs(Optimizer):\n"
        "    learning_rate: float\n"
        "    def step(self, problem, t, theta):\n"
        "        return theta - self.learning_rate * ops.sign(problem.gradient(theta))\n"
    )
    out = cli(
        "compare", "gallery:toy", "--optimizer-module", path, "-o", "Signs:0.1", "-o", "HB:0.1,1",
        "--steps", "50",
    ).out  # fmt: skip
    assert "no closed form" in out
    assert "Signs: " in out
    assert "the sign of the state" in out
    assert "HeavyBall: momentum is usually in [0, 1), got 1." in out


def test_compare_fails_when_a_run_contradicts_its_theory(cli, monkeypatch):
    from convex_analyzer.comparison import confirmation

    monkeypatch.setattr(
        confirmation, "_rounding_budget", lambda problem, analysis, k, *_: 0 * k + 1e-30
    )
    code, out, _ = cli("compare", "gallery:ravine")
    assert code == 1
    assert "CONTRADICTS" in out.splitlines()[0]


def test_compare_mistakes(refused):
    assert "steps must be" in refused("compare", "gallery:toy", "--steps", "-1")
    assert "tolerance must be" in refused("compare", "gallery:toy", "--tolerance", "0")


# -- optimizers -----------------------------------------------------------------------------------


def test_optimizers_lists_all_of_them(cli):
    code, out, _ = cli("optimizers")
    assert code == 0
    for name in registered():
        assert name in out
    listed = json.loads(cli("optimizers", "--json").out)
    assert [one["name"] for one in listed] == list(registered())
    assert all(one["summary"] and one["source"] for one in listed)


def test_optimizers_shows_the_rule_as_it_is_run(cli):
    out = cli("optimizers", "nag").out
    assert out.startswith("Nesterov: ")
    assert "    ahead = theta + self.momentum * velocity" in out
    assert "Also called: NAG" in out
    assert "State besides θ: velocity." in out


def test_an_unknown_optimizer_is_refused(refused):
    assert "did you mean Nesterov?" in refused("optimizers", "Nestrov")


# -- the screen -----------------------------------------------------------------------------------


def test_long_tables_keep_both_ends():
    table = Table(("i", "j"), tuple((str(i), "x") for i in range(100)))
    short = shorten(table, 5000, 10)
    kept = [row[0] for row in short.rows]
    assert kept == ["0", "1", "2", "3", "4", "…", "95", "96", "97", "98", "99"]
    assert short.notes == ("4,990 between are not shown; --json has all.",)
    assert shorten(table, 100, 100) is table


@each(
    ("name", "file"),
    [
        ("longley", "longley"),
        ("ravine, κ = 100", "ravine-κ-100"),
        ("../..", "report"),
        ("", "report"),
    ],
)
def test_names_of_problems_become_names_of_files(name, file):
    assert _file_name(name) == file
