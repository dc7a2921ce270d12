"""How a curve was sampled: every step or some, means or single values, how many digits.

Names say most of it. What they leave open is looked for in the numbers, and only signatures that
plain noise and plain descent do not have are believed:

- equal stretches of equal values: a mean that is written at every step of its epoch;
- increments that are uncorrelated except for -1/2 at one lag w: a moving mean of w values, since
  its increments are (x_t - x_{t-w})/w;
- uncorrelated increments that shrink like 1/k: the mean of all values so far (a progress bar),
  since its increments are (x_k - mean)/k;
- uncorrelated increments of a mini-batch loss, whose own increments have correlation -1/2:
  exponential smoothing, whose increments have -(1-β)/2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.evidence import Series

__all__ = ["held_values", "in_order", "inspect", "rounding", "smoothing"]

Array = NDArray[np.float64]

_ENOUGH = 20_000  # values that tell as much as a million


def inspect(
    fields: dict[str, Any],
    matched: dict[str, str],
    averaged: str = "",
    epoch_starts: Array | None = None,
) -> tuple[str, list[str]]:
    """Look at the curves of an evidence, bring them in order, and say what was found.

    Parameters
    ----------
    fields
        Fields of `Evidence`; changed where a curve means something else than its name said.
    matched
        Field -> name; changed along.
    averaged
        What is known about averaging already.
    epoch_starts
        Steps at which epochs begin, if known: a progress bar starts its mean again there.

    Returns
    -------
    tuple
        What a value of the loss stands for ("" for a single step), and sentences.
    """
    with np.errstate(all="ignore"):
        return _inspect(fields, matched, averaged, epoch_starts)


def _inspect(
    fields: dict[str, Any], matched: dict[str, str], averaged: str, epoch_starts: Array | None
) -> tuple[str, list[str]]:
    notes: list[str] = []
    accuracy = fields.get("accuracy")
    if accuracy is not None and 1.5 < np.nanmax(accuracy.values, initial=0.0) <= 100:
        fields["accuracy"] = Series(accuracy.values / 100, accuracy.steps)
        notes.append("accuracies are in percent: divided by 100")
    for field in ("loss", "batch_loss", "validation_loss"):
        if field in fields:
            _look_at_values(field, fields[field], notes)
    field = "loss" if "loss" in fields else "batch_loss"
    if field not in fields:
        if "validation_loss" in fields:
            notes.append("only a validation loss: it tells about generalisation, not about descent")
        return averaged, notes
    name = matched.get(field, "")
    if not averaged and "full" not in name.lower():
        fields[field], averaged = _look_at_sampling(field, fields[field], epoch_starts, notes)
        _as_batch_loss(fields, matched, averaged, notes)
    series = fields[field] if field in fields else fields["batch_loss"]
    if "validation_loss" in fields:
        _look_at_validation(fields["validation_loss"], series, notes)
    _look_at_steps(series, notes)
    return averaged, notes


def in_order(
    steps: Array, values: Array, said: str, name: str, note: Callable[[str], None]
) -> Series:
    """Return values in ascending order of steps: of two at one step the later, with a note."""
    backs = int((np.diff(steps) < 0).sum())
    if backs:
        few = backs <= max(1, len(steps) // 20)
        note(
            f"{name} goes back {'once' if backs == 1 else f'{backs} times'} in {said}: "
            + ("resumed, the later value counts" if few else "sorted")
        )
        order = np.argsort(steps, kind="stable")
        steps, values = steps[order], values[order]
    last = np.append(np.diff(steps) > 0, True)[: len(steps)]
    if not last.all():
        note(
            f"{int((~last).sum())} values of {said} share their {name} with a later one, "
            "which counts"
        )
    return Series(values[last], steps[last])


def _look_at_validation(held: Series, trained: Series, notes: list[str]) -> None:
    """Say where rows that were held back get worse while those that are trained on get better."""
    parts, own = (np.array_split(s.values[np.isfinite(s.values)], 10) for s in (held, trained))
    if min(part.size for part in (*parts, *own)) == 0:
        return
    means = np.array([part.mean() for part in parts])
    lowest, scatter = int(np.argmin(means)), max(part.std() for part in parts[-3:])
    rise = means[-1] - means[lowest]
    falls = own[-1].mean() < own[lowest].mean()
    if lowest < 8 and falls and rise > max(0.05 * abs(means[lowest]), 2 * scatter):
        best = held.steps[np.nanargmin(held.values)]
        notes.append(
            f"the validation loss is lowest at step {best:g} and "
            f"{100 * rise / abs(means[lowest]):.0f} % above that at the end, while the training "
            "loss falls on: overfitting, which no row here is about (stop there, regularise, or "
            "more data)"
        )


def _look_at_values(field: str, series: Series, notes: list[str]) -> None:
    values = series.values
    what = field.replace("_", " ")
    finite = values[np.isfinite(values)]
    if len(finite) < len(values):
        first = series.steps[np.argmin(np.isfinite(values))]
        notes.append(
            f"{what} is not finite in {len(values) - len(finite)} of {len(values)} values, first "
            f"at step {first:g}: kept"
        )
    if len(finite) and np.all(finite < 0):
        notes.append(
            f"{what} is negative throughout: not taken for a logarithm (say transform='log' if it "
            "is one); relative measures are off"
        )
    elif np.any(finite < 0):
        notes.append(f"{what} is partly negative: relative measures are off")
    said = rounding(finite[:_ENOUGH])
    if said:
        notes.append(f"{what} is rounded to {said}: smaller differences are no evidence")


def rounding(values: Array) -> str:
    """Return the digits that values are rounded to, in words, where it hides differences.

    Examples
    --------
    >>> rounding(np.array([0.51, 0.48, 0.47, 0.47, 0.46, 0.46, 0.46, 0.45]))
    '2 decimals'
    """
    if len(values) < 8:
        return ""
    steps = np.abs(np.diff(values))
    moving = steps[steps > 0]
    for decimals in range(7):
        if np.array_equal(np.round(values, decimals), values):
            quantum = 10.0**-decimals
            fine = len(moving) and np.median(moving) > 50 * quantum
            return "" if fine or not len(moving) else f"{decimals} decimals"
    digits = [float(f"{value:.4g}") for value in values]
    if np.array_equal(digits, values):
        size = 10.0 ** np.floor(np.log10(np.median(np.abs(values[values != 0]))))
        coarse = len(moving) and np.median(moving) < 0.05 * size
        return "4 significant digits" if coarse else ""
    return ""


def _look_at_sampling(
    field: str, series: Series, epoch_starts: Array | None, notes: list[str]
) -> tuple[Series, str]:
    thinned = held_values(series)
    if thinned is not None:
        notes.append(
            f"{field.replace('_', ' ')} changes only every {thinned.stride:g} steps: a mean over "
            "each stretch; one value of each is kept"
        )
        return thinned, "epoch means"
    if epoch_starts is not None and _restarts(series.finite, epoch_starts):
        notes.append("the loss is the mean of the epoch so far, as a progress bar shows it")
        return series, "smoothed"
    found, why = smoothing(series, single_batches=field == "batch_loss")
    if why:
        notes.append(why)
    return series, found


def held_values(series: Series) -> Series | None:
    """Return one value for each of equally long stretches of equal values; None without them."""
    values = series.values
    if len(values) < 12:
        return None
    starts = np.concatenate([[0], np.flatnonzero(np.diff(values) != 0) + 1])
    lengths = np.diff(np.append(starts, len(values)))
    inner = lengths[:-1]
    if len(inner) < 3 or inner[0] < 3 or np.any(inner != inner[0]) or lengths[-1] > inner[0]:
        return None
    return Series(values[starts], series.steps[starts])


def _correlations(increments: Array, lags: int) -> Array:
    """Autocorrelation at lags 0 ... `lags`."""
    centred = increments - increments.mean()
    power = float(centred @ centred)
    if power == 0:
        return np.zeros(lags + 1)
    found = [1.0, *(float(centred[:-k] @ centred[k:]) / power for k in range(1, lags + 1))]
    return np.array(found)


def _clipped(increments: Array) -> Array:
    """Bound outliers by five times the typical size: one spike would hide everything else."""
    bound = 5 * float(np.median(np.abs(increments - np.median(increments)))) / 0.6745
    return np.clip(increments, -bound, bound) if bound > 0 else increments


def smoothing(series: Series, *, single_batches: bool = False) -> tuple[str, str]:
    """Return ("smoothed", why) for a moving mean, a cumulative mean or exponential smoothing.

    ("", why) where it may be so.

    Parameters
    ----------
    series
        The curve; the part before a value that is not finite is looked at.
    single_batches
        Whether the values are said to be losses of single mini-batches. Only then are uncorrelated
        increments a sign of exponential smoothing: the loss on all rows has them by itself.
    """
    values = series.finite.values
    if len(values) < 100:
        return "", ""
    increments = np.diff(values)
    late = _clipped(increments[len(increments) // 2 :][-_ENOUGH:])
    window = _window(late)
    if window:
        return "smoothed", f"the loss is a moving mean of {window} values, by its autocorrelation"
    if _is_cumulative(increments):
        return "smoothed", "the loss is the mean of all values so far, by how its increments shrink"
    if len(late) >= 200 and np.mean(late[1:] * late[:-1] < 0) > 0.4:
        near = _correlations(late, 8)[1:]
        if -0.22 < near[0] < 0.02 and np.all(np.abs(near[1:]) < 0.12):
            said = f"increments have correlation {near[0]:.2f}, those of single mini-batches -0.5"
            if single_batches:
                return "smoothed", f"the mini-batch loss is smoothed: its {said}"
            return "", f"this loss is smoothed, or that of all rows: its {said}"
    return "", ""


def _window(increments: Array) -> int:
    """Return the length of a moving mean, 0 if it is none."""
    lags = min(len(increments) // 8, 200)
    if lags < 4 or len(increments) < 150:
        return 0
    found = _correlations(increments, lags)
    window = int(np.argmin(found[3:])) + 3
    others = np.delete(found, [0, window])[: window + window // 2]
    noise = 3 / np.sqrt(len(increments))
    return window if found[window] < -0.35 and np.all(np.abs(others) < 0.1 + noise) else 0


def _is_cumulative(increments: Array) -> bool:
    """Tell whether increments are white noise of size 1/k."""
    count = np.arange(2, len(increments) + 2)
    scaled = increments * count
    tail = scaled[len(scaled) // 20 :]
    near = _correlations(_clipped(tail), 5)[1:]
    if np.any(np.abs(near) > 0.1 + 2 / np.sqrt(len(tail))):
        return False
    blocks = [np.median(np.abs(block - np.median(block))) for block in np.array_split(tail, 4)]
    changes = float(np.mean(np.diff(increments) * np.diff(increments, prepend=0.0)[:-1] < 0))
    return bool(min(blocks) > 0 and max(blocks) / min(blocks) < 2.0 and changes > 0.4)


def _restarts(series: Series, epoch_starts: Array) -> bool:
    """Tell whether most epochs are cumulative means."""
    edges = np.searchsorted(series.steps, epoch_starts)
    epochs = [values for values in np.split(series.values, edges) if len(values) >= 60][:10]
    cumulative = [_is_cumulative(np.diff(values)) for values in epochs]
    return len(cumulative) > 1 and sum(cumulative) >= 0.5 * len(cumulative)


def _as_batch_loss(
    fields: dict[str, Any], matched: dict[str, str], averaged: str, notes: list[str]
) -> None:
    """Move a loss that behaves like that of single mini-batches, in a run that has them."""
    batch, rows, name = fields.get("batch_size"), fields.get("rows"), matched.get("loss", "")
    if "batch_loss" in fields or "loss" not in fields or averaged or name.startswith("argument"):
        return
    values = fields["loss"].finite.values
    if batch is None or rows is None or batch >= rows or len(values) < 60:
        return
    near = _correlations(_clipped(np.diff(values)[len(values) // 2 :]), 2)
    if -0.62 < near[1] < -0.35 and abs(near[2]) < 0.25:
        fields["batch_loss"] = fields.pop("loss")
        matched["batch_loss"] = matched.pop("loss")
        notes.append(
            f"{name!r} is taken for the loss of single mini-batches ({batch} of {rows} rows), "
            "whose noise it has; pass it as loss=... if it is that of all rows"
        )


def _look_at_steps(series: Series, notes: list[str]) -> None:
    gaps = np.diff(series.steps)
    if not len(gaps) or np.all(gaps == 1):
        return
    if np.allclose(gaps, gaps[0], rtol=0.01, atol=0.0):  # epochs are rounded
        notes.append(
            f"one value every {gaps[0]:g} steps: rules that need every step are off"
            if gaps[0] > 1
            else f"steps advance by {gaps[0]:g}"
        )
    else:
        notes.append(
            f"steps between values vary from {gaps.min():g} to {gaps.max():g}: some are missing"
        )
