"""`Recorder`: a few lines in any training loop that log what a diagnosis needs.

Scalars only, at every step: norms, cosines, what an update promises; arrays are looked at and
forgotten, except one gradient and one set of parameters, thinned to a bounded number of entries.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np

from convex_analyzer.diagnosis.evidence import Evidence
from convex_analyzer.diagnosis.readers.families import Rule, rule_of
from convex_analyzer.diagnosis.recording.export import evidence_of, fields_of, restore
from convex_analyzer.diagnosis.recording.files import StrPath, read_arrays, write_arrays
from convex_analyzer.diagnosis.recording.intake import Intake, Taken, lasting
from convex_analyzer.diagnosis.recording.occasional import Occasional
from convex_analyzer.diagnosis.recording.pace import Pace
from convex_analyzer.diagnosis.recording.store import Settings, Store
from convex_analyzer.diagnosis.recording.trees import scalar
from convex_analyzer.errors import InputError
from convex_analyzer.problems.checks import whole_number

__all__ = ["Recorder"]


class Recorder(Occasional):
    """Log a training run, from NumPy, PyTorch or JAX, for `diagnose`.

    Parameters
    ----------
    lr, batch_size, rows, momentum, classes
        What is known beforehand: α (or its value at each step, in `step`), rows of a mini-batch,
        rows of the training set, μ, number of classes. With all rows in a batch, or none named,
        the loss of a step counts as the loss on all rows; with all rows in a batch the curvature
        along the update follows from the gradients, at every step and for nothing.
    optimizer
        A name such as "Adam", or the optimizer itself; one with ``param_groups`` also says α at
        each step.
    loss_fn
        Loss on all rows (or on a fixed part of them), as a function of the parameters in the form
        that `step` gets, or of nothing: then the parameters are moved in place and put back.
    full_every, probe_every
        Evaluate `loss_fn`, or `probe` with it, every so many steps.
    every
        Look at gradients and parameters at steps k and k + 1 only, k a multiple of this: cheaper,
        and consecutive all the same. The loss is kept of every step.
    share
        Largest part of the time of the loop that may go into `step`, such as 0.05: `every` is
        doubled while it is more (some microseconds a step remain). What is recorded then depends on
        the clock.
    sample
        Most entries of the gradient and of the parameters that are kept from one step to the
        next. Up to so many, all is exact; above, norms, cosines and predicted decreases are
        estimated from that many entries at a fixed stride: relative errors are about 1/√sample
        when entries are of like size, more when few carry most. None: all entries.
    capacity
        Most steps kept of each quantity. When it is reached the newer half stays whole, and of
        older steps pairs k, k + 1 at a doubling distance.
    snapshots, snapshot_bytes
        Most snapshots of weights, and of their bytes together (larger models keep none).
    activation_rows
        Rows kept of the activations of a layer.
    path, autosave_every
        File to `save` into every so many steps, and when a ``with`` block ends, also by an error.
    seed
        Of random directions, and of which entries are looked at.

    Notes
    -----
    Call `activations`, `probe` and `check_gradient` before `step` of the same iteration, and `step`
    before the update. Under automatic mixed precision unscale the gradient first, or give
    ``gradient_scale``. Memory does not grow with the length of the run; see `nbytes`.

    With PyTorch, gradients are taken from ``.grad``::

        recorder = ca.Recorder(batch_size=32, rows=50_000, optimizer=optimizer)
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            recorder.step(loss, parameters=model)
            optimizer.step()

    and with JAX they are given::

        loss, gradient = value_and_gradient(parameters, x, y)
        recorder.step(loss, gradient, parameters)

    Examples
    --------
    Gradient descent on ½θᵀAθ overshoots along the second axis (αλ = 1.6), and creeps along the
    first:

    >>> A = np.diag([0.01, 4.0])
    >>> theta = np.array([1.0, 1.0])
    >>> with Recorder(lr=0.4, optimizer="SGD") as recorder:
    ...     for _ in range(6):
    ...         loss, gradient = 0.5 * theta @ A @ theta, A @ theta
    ...         recorder.step(loss, gradient, theta)
    ...         theta = theta - 0.4 * gradient
    >>> evidence = recorder.evidence()
    >>> [round(float(c), 3) for c in evidence.gradient_cosine.values]
    [-1.0, -1.0, -1.0, -1.0, -0.999]
    >>> evidence.known
    ('loss on all training rows', 'learning rate', 'optimizer', 'gradient norms',
     'gradient cosines', 'update norms', 'predicted decrease', 'iterates')
    """

    def __init__(
        self,
        *,
        lr: Any = None,
        batch_size: int | None = None,
        rows: int | None = None,
        optimizer: Any = None,
        momentum: float | None = None,
        classes: int | None = None,
        loss_fn: Callable[..., Any] | None = None,
        full_every: int = 0,
        probe_every: int = 0,
        every: int = 1,
        share: float | None = None,
        sample: int | None = 16_384,
        capacity: int = 32_768,
        snapshots: int = 16,
        snapshot_bytes: int = 8_000_000,
        activation_rows: int = 64,
        path: StrPath | None = None,
        autosave_every: int = 0,
        seed: int = 0,
    ) -> None:
        if isinstance(optimizer, str) and momentum is not None:
            rule: Rule | None = rule_of({"name": optimizer, "momentum": momentum})
        else:
            rule = None if optimizer is None else rule_of(optimizer)
        momentum = momentum if momentum is not None or rule is None else rule.momentum
        self._settings = Settings(
            batch_size=None if batch_size is None else whole_number(batch_size, "batch_size", 1),
            rows=None if rows is None else whole_number(rows, "rows", 1),
            momentum=None if momentum is None else scalar(momentum, "momentum"),
            classes=None if classes is None else whole_number(classes, "classes", 1),
            optimizer=rule.family if rule else None,
            optimizer_name=rule.name if rule else "",
        )
        self._groups = getattr(optimizer, "param_groups", None)
        self._lr = None if lr is None else scalar(lr, "lr")
        if self._lr is None and self._groups is None and rule is not None:
            self._lr = rule.learning_rate
        self._pace = Pace(every, share)
        self._path, self._autosave = path, whole_number(autosave_every, "autosave_every")
        if autosave_every and path is None:
            raise InputError("autosave_every needs path", argument="autosave_every")
        store = Store(
            whole_number(capacity, "capacity", 8),
            whole_number(snapshots, "snapshots"),
            whole_number(snapshot_bytes, "snapshot_bytes"),
            whole_number(activation_rows, "activation_rows", 1),
        )
        store.full_batch = batch_size is not None and not self._settings.mini_batches
        most = None if sample is None else whole_number(sample, "sample", 1)
        super().__init__(
            store,
            Intake(store, most, whole_number(seed, "seed")),
            loss_fn=loss_fn,
            full_every=full_every,
            probe_every=probe_every,
            seed=seed,
        )

    # -- every step -------------------------------------------------------------------------------

    def step(
        self,
        loss: Any = None,
        gradient: Any = None,
        parameters: Any = None,
        *,
        update: Any = None,
        lr: Any = None,
        full_loss: Any = None,
        validation_loss: Any = None,
        accuracy: Any = None,
        gradient_scale: float = 1.0,
    ) -> None:
        """Record one step; call it before the parameters are updated. Every part may be missing.

        Parameters
        ----------
        loss
            Loss of which the gradient was taken: a number, a 0-d array, a tensor.
        gradient
            Arrays in any form: one, a list, nested dicts, or parameters that carry ``.grad``; None
            for a frozen part. Left out, it is read from the parameters if they carry one.
        parameters
            In the same form: arrays, ``model``, ``model.parameters()`` ... before the update. After
            the loop one more call without a gradient records the end.
        update
            Δθ, when the loop knows it; else it follows from the parameters of the next step.
        lr
            α of this step.
        full_loss, validation_loss, accuracy
            On all training rows, on rows not trained on, share of right answers; when there is one.
        gradient_scale
            By what the loss was multiplied before differentiation.

        Raises
        ------
        InputError
            Arrays of another shape or number than before, or a loss that is no number.
        """
        began = time.perf_counter()
        step, store = self._store.steps_made, self._store
        row: dict[str, float] = {}
        if loss is not None:
            row["loss"] = scalar(loss, "loss")
        rate = self._rate(lr)
        if rate is not None:
            row["learning_rate"] = rate
        given = gradient is not None or parameters is not None or update is not None
        probing = bool(self._probe_every) and (step + 1) % self._probe_every <= 1
        if given and (probing or self._pace.looks(step)):
            parameters = None if parameters is None else lasting(parameters)
            taken = Taken.of(gradient, parameters, update, store.array_names)
            with np.errstate(all="ignore"):
                self._intake.step(step, row, taken, gradient_scale)
            if self._loss_fn is not None and taken.parameters is not None:
                self._automatic(step, parameters, taken)
        else:
            store.main.add(step, row)
        extra = {"full_loss": full_loss, "validation_loss": validation_loss, "accuracy": accuracy}
        found = {name: scalar(v, name) for name, v in extra.items() if v is not None}
        if found:
            store.extra.add(step, found)
        store.steps_made = step + 1
        self._pace.watch(began, store.steps_made)
        if self._autosave and store.steps_made % self._autosave == 0 and self._path is not None:
            self.save(self._path)

    def _rate(self, lr: Any) -> float | None:
        if lr is not None:
            return scalar(lr, "lr")
        if self._lr is not None or not self._groups:
            return self._lr
        return scalar(self._groups[0]["lr"], "lr")

    # -- what came of it --------------------------------------------------------------------------

    @property
    def nbytes(self) -> int:
        """Bytes held in tables, snapshots and the arrays of the last step."""
        return self._store.nbytes + self._intake.last.nbytes

    def evidence(self) -> Evidence:
        """Return all that was recorded."""
        return evidence_of(self._settings, self._store, self._intake.last.final)

    def save(self, path: StrPath | None = None) -> None:
        """Write all that was recorded into an npz file, whole or not at all.

        Raises
        ------
        InputError
            No path is known, or it cannot be written.
        """
        path = path if path is not None else self._path
        if path is None:
            raise InputError("save needs a path", argument="path", hint="or give Recorder(path=)")
        write_arrays(path, fields_of(self._settings, self._store, self._intake.last.final))

    @classmethod
    def load(cls, path: StrPath, **options: Any) -> Recorder:
        """Return a recorder with what a file holds, which goes on where that one stopped.

        Parameters
        ----------
        path
            Written by `save`.
        options
            As for the class; batch size and the like are read from the file.
        """
        recorder = cls(**options)
        recorder._settings = restore(read_arrays(path), recorder._settings, recorder._store)
        return recorder

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._path is not None:
            self.save(self._path)
