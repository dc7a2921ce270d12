"""Both ends of a large sparse spectrum from products alone, against ARPACK's smallest end."""

from __future__ import annotations

import math
import time

import convex_analyzer as ca
from benchmarks.timing import Result, cpu_ratio

_LIMIT = 60.0  # seconds of one core for a million unknowns


def run() -> list[Result]:
    """Measure λmin, λmax and κ with brackets for d = 10⁵ and d = 10⁶."""
    return [*_against_arpack(316), _million(1000)]


def _against_arpack(side: int) -> list[Result]:
    from scipy.sparse.linalg import aslinearoperator, eigsh

    matrix = ca.gallery.laplacian_2d(side).operator.matrix
    operator = aslinearoperator(matrix)
    found = ca.spectrum(operator)
    _check(found, side)

    def ours() -> None:
        _ = ca.spectrum(ca.Quadratic(operator)).condition_number_bracket

    def arpack() -> None:
        eigsh(operator, 1, which="SA", return_eigenvectors=False)

    a, b, ratio = cpu_ratio(ours, arpack, rounds=1)
    bracket = found.condition_number_bracket
    width = (bracket.high - bracket.low) / bracket.low
    detail = f"{a:.2f} s against {b:.2f} s; κ = {found.condition_number:.9g}, bracket {width:.0e}"
    name = f"both ends, products only, d = {side**2:,}, over eigsh SA"
    return [Result(name, ratio, "≤ 0.15", ratio <= 0.15, detail)]


def _million(side: int) -> Result:
    problem = ca.gallery.laplacian_2d(side)
    begin = time.process_time()
    found = ca.spectrum(problem)
    seconds = time.process_time() - begin
    _check(found, side)
    detail = f"κ = {found.condition_number:.9g}, {found.method.partition(';')[0]}"
    name = f"both ends, products only, d = {side**2:,}, CPU seconds"
    return Result(name, seconds, "≤ 60 s", seconds <= _LIMIT, detail)


def _check(found: ca.Spectrum, side: int) -> None:
    """A fast wrong answer is no result: the truth lies inside, and the value near it."""
    angle = math.pi / (2 * (side + 1))
    low, high = 8 * math.sin(angle) ** 2, 8 * math.cos(angle) ** 2
    inside = low in found.lambda_min_bracket and high in found.lambda_max_bracket
    close = abs(found.condition_number * low / high - 1) < 1e-7
    if not (inside and close):
        raise AssertionError(f"wrong ends at d = {side**2}: {found}")
