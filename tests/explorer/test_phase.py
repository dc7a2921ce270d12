"""The phase portrait: its curve by formula against steps taken one by one, and its words."""

from __future__ import annotations

import numpy as np
from explorer_bundle import run

KINDS = {
    ("hb", 0.8, 0.03): "under",
    ("hb", 0.25, 0.25): "critical",
    ("hb", 0.3, 0.1): "over",
    ("hb", 0.0, 0.4): "over",
    ("hb", 0.5, 2.97): "flips",
    ("hb", 0.5, 3.1): "grows",
    ("hb", 0.5, -0.1): "grows",
    ("hb", 0.5, 0.0): "still",
    ("nag", 0.8, 0.5): "under",
    ("nag", 0.5, 0.05): "over",
    ("nag", 0.5, 1.2): "flips",
    ("nag", 0.5, 1.6): "grows",
}  # momentum, alpha times lambda: what its two roots do


def steps(key: str, mu: float, step: float, count: int) -> list[list[float]]:
    """Return position and change per step of the rule itself, from position 1 at rest."""
    z, v = 1.0, 0.0
    out = [[z, v]]
    for _ in range(count):
        v = mu * v - step * (z + mu * v if key == "nag" else z)
        z += v
        out.append([z, v])
    return out


def test_the_curve_goes_through_every_step():
    program = """
    return data.map(([key, mu, step]) => {
      const [p, q] = E.theory.recurrence(key, mu, step);
      const points = E.phase.portrait(p, q, 40);
      const parts = (points.length - 1) / 40;
      return [E.phase.dampingOf(key, mu, step), points.filter((_, i) => i % parts === 0), parts];
    });
    """
    found = run(program, list(KINDS))
    for (case, kind), (said, curve, parts) in zip(KINDS.items(), found, strict=True):
        assert said == kind, case
        expected = np.array(steps(*case, 40))
        assert np.abs(np.array(curve) - expected).max() < 1e-11 * np.abs(expected).max(), case
        assert (parts > 1) <= (kind == "under"), case


def test_a_direction_swings_between_two_double_roots():
    program = """
    return ["hb", "nag"].map((key) => [0.1, 0.5, 0.9].map((mu) =>
      E.phase.swinging(key, mu).map((step, i) => [0.9999, 1.0001].map((by) =>
        E.phase.dampingOf(key, mu, step * by)))));
    """
    for key, of_key in zip(("hb", "nag"), run(program), strict=True):
        for low, high in of_key:
            assert low == ["over", "under"], key
            assert high == ["under", "flips"], key


def test_the_address_keeps_the_direction():
    program = """
    const state = E.fromHash("#k=50&t=10&q=2", E.defaults());
    const words = { fastest: null, words: E.english };
    const figure = E.FIGURES.find((one) => one.id === "phase");
    const titles = [1, 2, 7].map((along) => figure.title(E.compute({ ...state, along }), words));
    return [E.toHash(state), E.fromHash("#q=0", E.defaults()).along, titles];
    """
    address, refused, titles = run(program)
    assert "&q=2&" in address
    assert refused == 1
    assert "q₁" in titles[0]
    assert "q₂" in titles[1]
    assert titles[2] == titles[1]  # the last one there is
