"""``convex-analyzer check-gradient``: exit codes, words, files, bad input."""

from __future__ import annotations

import json

import numpy as np
import pytest

MODEL = """
import numpy as np
start = {"w": np.array([1.0, -2.0]), "b": np.array([0.5])}
def f(x): return float(np.sum(np.sin(x)))
def gradient(x): return np.cos(x)
def wrong(x): return np.cos(x) * np.where(np.arange(len(x)) == 1, 1.01, 1.0)
def loss(p): return float(np.sum(p["w"] ** 2) + p["b"][0] ** 3)
def loss_slope(p): return {"w": 2 * p["w"], "b": 3 * p["b"] ** 2}
def broken(x): raise ValueError("not\\nyet")
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return path


def test_right_and_wrong(cli, model, tmp_path):
    code, out, _ = cli("check-gradient", model, "--at", "0.3,1,2")
    assert code == 0
    assert out.startswith("The gradient is right in all 3 coordinates.")
    figure = tmp_path / "v.svg"
    words = ("check-gradient", model, "--gradient", "wrong", "--at", "0.3,1,2")
    code, out, _ = cli(*words, "--out", figure)
    assert code == 1
    assert "The gradient is wrong at θ[1] (1 of 3 measured)." in out
    assert "claimed 0.545705, measured 0.540302" in out
    assert b"The gradient is wrong along" in figure.read_bytes()
    assert cli(*words, "--tolerance", "0.999").code == 0
    code, out, _ = cli(*words, "--json")
    data = json.loads(out)
    assert (code, data["verdict"], data["schema"]) == (
        1, "wrong", "convex_analyzer.gradient_check/1",
    )  # fmt: skip


def test_points_from_files_and_from_the_module(cli, model, tmp_path):
    np.save(tmp_path / "theta.npy", [0.1, 0.2])
    np.savez(tmp_path / "net.npz", w=[1.0, 2.0], b=[3.0])
    assert cli("check-gradient", model, "--at", tmp_path / "theta.npy").code == 0
    names = ("--function", "loss", "--gradient", "loss_slope")
    for point in (tmp_path / "net.npz", "start"):
        code, out, _ = cli("check-gradient", model, *names, "--at", point)
        assert code == 0
        assert "w         2         2      0" in out


def test_bad_input(refused, model, tmp_path):
    check = ("check-gradient", model)
    assert "did you mean gradient?" in refused(*check, "--at", "1", "--gradient", "gradien")
    assert "there is no file" in refused("check-gradient", tmp_path / "no.py", "--at", "1")
    assert "--at must be numbers" in refused(*check, "--at", "one")
    assert "there is no file" in refused(*check, "--at", tmp_path / "no.npy")
    assert ".svg or .png" in refused(*check, "--at", "1", "--out", "x.pdf")
    assert "no folder" in refused(*check, "--at", "1", "--out", tmp_path / "a" / "x.png")
    assert "raised ValueError: not yet" in refused(*check, "--at", "1", "--function", "broken")
    assert "--at" in refused(*check)
    broken = tmp_path / "broken.py"
    broken.write_text("1 +")
    assert "cannot be run: SyntaxError" in refused("check-gradient", broken, "--at", "1")


def test_what_the_file_prints_stays_out_of_the_json(cli, tmp_path):
    path = tmp_path / "loud.py"
    path.write_text(MODEL + 'print("epoch 1")\n')
    code, out, err = cli("check-gradient", path, "--at", "0.3,1", "--json")
    assert code == 0
    assert json.loads(out)["verdict"] == "correct"
    assert "epoch 1" in err
