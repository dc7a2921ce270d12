"""``convex-analyzer optimizers``: the list at every width, one optimizer in full, the data."""

from __future__ import annotations

import itertools
import json
import re
import shlex

import pytest

from convex_analyzer.optimizers import find, from_dict, registered
from convex_analyzer.optimizers.parse import parse_optimizer

pytestmark = pytest.mark.survey

MINE = '''"""Rules of my own. More of them later."""

from convex_analyzer import Optimizer, ops
from convex_analyzer.domains import Flag, NonNegative, Positive


class Half(Optimizer):
    """Half a step, and never more.

    Parameters
    ----------
    learning_rate
        Twice the step.
    careful
        Whether to look first.
    """

    learning_rate: Positive
    careful: bool = True

    def step(self, problem, t, theta):
        return theta - self.learning_rate / 2 * problem.gradient(theta)


class Jump(Optimizer):
    """Jumps by a sign."""

    size: NonNegative = 0.1

    def step(self, problem, t, theta, last):
        return theta - self.size * ops.sign(problem.gradient(theta)), theta
'''


@pytest.fixture
def wide(cli, monkeypatch):
    """Return a function that runs the command at a width and returns what it prints."""

    def call(columns: int, *words: str) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        code, out, err = cli("optimizers", *words)
        assert (code, err) == (0, "")
        return out

    return call


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


# -- the list -------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [66, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(wide, columns):
    lines = wide(columns).splitlines()
    assert max(map(len, lines)) <= min(columns, 120)
    assert not any(line != line.rstrip() for line in lines)


def test_a_terminal_narrower_than_a_table_gets_the_least_width(wide):
    assert max(map(len, wide(20).splitlines())) <= 66


@pytest.mark.parametrize("columns", [80, 120])
def test_every_optimizer_has_its_row(wide, columns):
    out = wide(columns)
    assert len(registered()) >= 40
    assert out.startswith(f"{len(registered())} optimizers\n")
    rows = re.findall(
        r"^  (\w+) +(closed form|per cycle|in the limit|step by step|near the minimum|"
        r"simulated only) +\S",
        out,
        re.MULTILINE,
    )
    listed = dict(rows)
    assert set(listed) >= set(registered())
    assert listed["HeavyBall"] == "closed form"
    assert listed["Adam"] == "near the minimum"
    assert listed["Rprop"] == "simulated only"


def test_no_sentence_ends_in_a_word_alone(wide):
    lines = wide(80).splitlines()
    for before, line in itertools.pairwise(lines):
        if line.startswith("      ") and before.startswith("      "):
            assert len(line.split()) > 1, (before, line)


def test_families_come_from_simple_to_involved_with_their_sentences(wide):
    out = wide(120)
    places = [out.index(f"\n{title}: ") for title in ("gradient", "momentum", "Adam", "sampling")]
    assert places == sorted(places)
    assert "relatives of Adam: Relatives of Adam that start differently" in out


def test_what_has_no_theory_says_why(wide):
    out = " ".join(wide(80).split())
    assert "Simulated only: no derivative at the minimum (the sign of the state)." in out
    assert "Simulated only: its step is no arithmetic on gradients." in out


def test_sources_have_a_column_where_there_is_room(wide):
    assert "Polyak (1964)" not in wide(80)
    assert re.search(r"^  HeavyBall .* velocity +Polyak \(1964\)$", wide(120), re.MULTILINE)


def test_only_the_words_that_occur_are_explained(wide, mine):
    out = wide(80, "--optimizer-module", mine)
    assert "  closed form       one matrix describes the rule" in out
    assert "Jump                    simulated only    last" in out


# -- one optimizer --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", registered())
def test_every_optimizer_is_described(wide, name):
    out = wide(80, name)
    assert out.startswith(f"{name}: ")
    for field in registered()[name].fields():
        assert re.search(rf"^  {field.name}  ", out, re.MULTILINE), field.name
    for part in ("\nSettings\n", "\nOn the command line\n", "\nState besides θ: ", "\nTheory: "):
        assert part in out
    assert "\nSource: not stated" not in out
    assert not {"nan", "inf", "None"} & set(out.split())


@pytest.mark.parametrize("name", registered())
def test_what_is_to_be_typed_is_understood(wide, name):
    commands = re.findall(r"^    (-o .*)$", wide(80, name), re.MULTILINE)
    assert commands
    for command in commands:
        flag, text = shlex.split(command)
        parsed = parse_optimizer(text)
        assert flag == "-o"
        cls = parsed[0] if isinstance(parsed, tuple) else type(parsed)
        assert cls is registered()[name]


def test_the_rule_is_shown_as_formulas_and_as_it_is_run(wide):
    out = wide(80, "adam")
    assert "    m[t] = β₁·m[t-1] + (1 - β₁)·g[t]\n" in out
    assert "    mean = self.beta1 * mean + (1 - self.beta1) * gradient\n" in out
    assert "stable if and only if αλ < 2·ε·(1 + β₁)/(1 - β₁)" in " ".join(out.split())
    only_source = wide(80, "lookahead")
    assert "The rule in formulas" not in only_source
    assert "if t % self.sync_period != 0:" in only_source


def test_conventions_are_described_field_by_field(wide):
    out = wide(80, "AMSGrad")
    assert "  variant   one of 'torch', 'optax', 'raw'; default 'torch'\n" in out
    assert "  epsilon_hat   True or False; default False\n" in out
    assert "      Whether ε is added to √u before its correction (Keras)" in out
    assert '\n- "torch" (torch and, with epsilon_hat, Keras)' in out


def test_wrappers_and_rules_that_draw_say_so(wide):
    out = wide(80, "GradientNoise")
    assert "    -o 'GradientNoise(GradientDescent(0.1))'\n" in out
    assert "It draws random numbers; a seed repeats a run." in out
    assert "State besides θ: inner." in out


def test_a_rule_without_settings_says_so(wide):
    out = wide(80, "ExactLineSearch")
    assert "Settings\n  none\n" in out
    assert "    -o ExactLineSearch\n      it has its defaults\n" in out


def test_paragraphs_are_wrapped_and_formulas_keep_their_lines(wide):
    lines = wide(80, "Adam").splitlines()
    assert max(len(line) for line in lines if not line.startswith("    ")) <= 80
    start = next(i for i, line in enumerate(lines) if line.startswith("m ← β₁m"))
    assert lines[start + 1].startswith("θ ← θ - α m̂")


# -- data -----------------------------------------------------------------------------------------


def test_json_has_everything(cli):
    listed = {one["name"]: one for one in json.loads(cli("optimizers", "--json").out)}
    assert list(listed) == list(registered())
    for name, one in listed.items():
        assert from_dict(one["example"]) == find(name)(**given(one["example"]))
        assert set(one["fields"]) == {field.name for field in registered()[name].fields()}
        assert one["theory"]["kind"]
        assert one["source"]
        assert one["summary"]
    assert listed["HeavyBall"]["rule"][-1] == "θ[t] = θ[t-1] + v[t]"
    assert listed["LBFGS"]["rule"] == []
    assert listed["ChebyshevSteps"]["period"] == 16
    assert listed["Adam"]["period"] is None
    assert listed["Averaged"]["inside"] == "HeavyBall"
    assert listed["Averaged"]["memory"] == ["average"]
    assert listed["Langevin"]["random"] is True


def given(example: dict) -> dict:
    """Return the fields of a dictionary that describes an optimizer, as arguments."""
    fields = {name: value for name, value in example.items() if name != "name"}
    return {
        name: from_dict(value) if isinstance(value, dict) else value
        for name, value in fields.items()
    }


# -- rules of one's own ---------------------------------------------------------------------------


def test_rules_of_ones_own_are_listed_with_their_file(wide, mine):
    out = wide(80, "--optimizer-module", mine)
    assert "\nmine: Rules of my own.\n  Half                    closed form       none\n" in out
    shown = wide(80, "Half", "--optimizer-module", mine)
    assert "    θ[t] = θ[t-1] - α·g[t]/2\n" in shown
    assert "  careful   True or False; default True\n      Whether to look first.\n" in shown
    assert "stable if and only if αλ < 4, with the settings shown" in " ".join(shown.split())
    assert "\n\n\n" not in shown
    assert "Source: not stated." in shown


def test_a_rule_that_needs_an_example_says_so(refused, tmp_path):
    path = tmp_path / "odd.py"
    path.write_text(
        "from convex_analyzer import Optimizer\n"
        "class Odd(Optimizer):\n"
        "    other: dict\n"
        "    def step(self, problem, t, theta):\n"
        "        return theta\n"
    )
    told = refused("optimizers", "--optimizer-module", path)
    assert "Odd: other has neither a default nor a declared range" in told
    assert "example()" in told


def test_one_that_has_an_example_is_listed(wide, tmp_path):
    path = tmp_path / "held.py"
    path.write_text(
        "from convex_analyzer import GradientDescent, Optimizer\n"
        "class Held(Optimizer):\n"
        "    '''Holds another.'''\n"
        "    held: Optimizer\n"
        "    def step(self, problem, t, theta):\n"
        "        return self.held.step(problem, t, theta)\n"
        "    @classmethod\n"
        "    def example(cls):\n"
        "        return cls(GradientDescent(0.1))\n"
    )
    out = wide(80, "Held", "--optimizer-module", path)
    assert "-o 'Held(GradientDescent(0.1))'" in out
