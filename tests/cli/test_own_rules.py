"""Mistakes in the user's own optimizer file: one line on the screen that says where."""

import pytest

RULE = """
import convex_analyzer as ca


class Mine(ca.Optimizer):
    learning_rate: float

    def step(self, problem, t, theta):
        {body}
"""


@pytest.mark.parametrize("command", ["analyze", "compare", "report"])
@pytest.mark.parametrize("spec", ["Mine", "Mine:learning_rate=0.1"])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return theta - {}['alpha'] * theta", "KeyError: 'alpha'"),
        ("return theta / len(5)", "'int' has no len()"),
        ("import time", "is a return missing?"),
        ("return theta, theta", "must return 1"),
    ],
)
def test_a_rule_that_fails_is_one_line(refused, tmp_path, monkeypatch, command, spec, body, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rule.py").write_text(RULE.replace("{body}", body))
    message = refused(command, "gallery:toy", "--optimizer-module", "rule.py", "-o", spec)
    assert words in message
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["rule.py"]


def test_a_typing_mistake_is_placed(refused, tmp_path):
    path = tmp_path / "rule.py"
    path.write_text(RULE.replace("{body}", "return theta - self.learning_rat * theta"))
    message = refused("compare", "gallery:toy", "--optimizer-module", path, "-o", "Mine:0.1")
    assert "rule.py, line 9: step raised AttributeError" in message


def test_a_file_that_leaves_the_program_is_an_error(refused, tmp_path):
    path = tmp_path / "rule.py"
    path.write_text("raise SystemExit(0)")
    assert "cannot be run: SystemExit" in refused(
        "compare", "gallery:toy", "--optimizer-module", path
    )
