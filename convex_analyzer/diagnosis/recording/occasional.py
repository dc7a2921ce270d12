"""What a training loop asks of a recorder now and then: probes, gradient checks, activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from convex_analyzer.diagnosis.recording.intake import Intake, Taken, gradient_in, lasting
from convex_analyzer.diagnosis.recording.probing import Probe, slopes_along, take_probe
from convex_analyzer.diagnosis.recording.shifting import Shifting
from convex_analyzer.diagnosis.recording.store import Store
from convex_analyzer.diagnosis.recording.trees import flat_vector, leaves_of, scalar
from convex_analyzer.errors import InputError
from convex_analyzer.problems.checks import whole_number

__all__ = ["Occasional"]


class Occasional:
    """The calls of a `Recorder` that are not made at every step.

    Parameters
    ----------
    store, intake
        Where to.
    loss_fn, full_every, probe_every, seed
        As for `Recorder`.
    """

    def __init__(
        self,
        store: Store,
        intake: Intake,
        *,
        loss_fn: Callable[..., Any] | None,
        full_every: int,
        probe_every: int,
        seed: int,
    ) -> None:
        for name, value in (("full_every", full_every), ("probe_every", probe_every)):
            if whole_number(value, name) and loss_fn is None:
                raise InputError(f"{name} needs loss_fn", argument=name)
        self._store, self._intake = store, intake
        self._loss_fn, self._full_every, self._probe_every = loss_fn, full_every, probe_every
        self._seed = whole_number(seed, "seed")
        self._probe_memory: dict[str, float] = {}

    def _automatic(self, step: int, parameters: Any, taken: Taken) -> None:
        """Evaluate the loss on all rows, or probe, where it is due."""
        theta, every, last = taken.parameters or [], self._probe_every, self._intake.last
        if self._full_every and step % self._full_every == 0 and self._loss_fn is not None:
            value = scalar(Shifting(self._loss_fn, parameters).at(), "loss_fn")
            self._store.extra.add(step, {"full_loss": value})
        if not every:
            return
        if step and step % every == 0:
            moved = taken.update
            if moved is None and last.whole is not None:
                moved = Shifting(float, theta).along(flat_vector(theta) - last.whole)
            update = moved and dict(zip(taken.names, moved, strict=True))
            slope = taken.gradient and dict(zip(taken.names, taken.gradient, strict=True))
            self.probe(self._loss_fn, parameters, update, gradient=slope)
        last.whole = flat_vector(theta) if (step + 1) % every == 0 else None

    def probe(
        self,
        loss_fn: Callable[..., Any] | None,
        parameters: Any,
        update: Any = None,
        *,
        gradient: Any = None,
        hvp: Callable[..., Any] | None = None,
        sharpness: bool = True,
    ) -> Probe:
        """Measure curvature along the gradient and along the update.

        Parameters
        ----------
        loss_fn
            As for the class. Three calls for one direction, five for two; some more when the step
            of the difference must be found first. None with `hvp`.
        parameters
            Where, in any form; ``.grad`` is the gradient if none is given.
        update, gradient
            Directions in the same form.
        hvp
            Product of the Hessian with a direction in that form, ``hvp(v)`` or
            ``hvp(parameters, v)``: then curvatures are exact.
        sharpness
            Whether to find λmax from `hvp`, by up to 30 products.

        Returns
        -------
        Probe
            Also recorded. Where rounding hides the curvature (losses in single precision) there is
            NaN, and the reason.

        Notes
        -----
        Of a loss with kinks (ReLU) this is the mean curvature over a short way, kinks included: the
        loss really bends so; an `hvp` does not see them.

        Examples
        --------
        >>> import numpy as np
        >>> from convex_analyzer.diagnosis.recorder import Recorder
        >>> theta = np.array([3.0, 1.0])
        >>> probe = Recorder().probe(
        ...     lambda x: 2 * x[0] ** 2 + 5 * x[1] ** 2, theta, gradient=np.array([0.0, 10.0])
        ... )
        >>> round(probe.curvature, 5), probe.curvature_error < 1e-4
        (10.0, True)
        """
        form = lasting(parameters)
        if gradient is None:
            gradient = gradient_in(leaves_of(form, "parameters")[1])
        both = {"gradient": gradient, "update": update}
        directions = {name: value for name, value in both.items() if value is not None}
        probe = take_probe(
            loss_fn, form, directions, step=self._store.steps_made,
            memory=self._probe_memory, hvp=hvp, sharpness=sharpness,
        )  # fmt: skip
        self._store.probed(probe)
        return probe

    def check_gradient(
        self, loss_fn: Callable[..., Any], parameters: Any, gradient: Any, *, directions: int = 12
    ) -> NDArray[Any]:
        """Hold a gradient against central differences of the loss along random directions.

        Parameters
        ----------
        loss_fn, parameters
            As for `probe`, on the rows of which the gradient was taken.
        gradient
            In the form of the parameters.
        directions
            How many; the second half are confined to one array after the other.

        Returns
        -------
        NDArray
            Shape (directions, 2): claimed slope, central difference. `check_gradient` of the
            package says which coordinate is wrong.

        Examples
        --------
        >>> import numpy as np
        >>> from convex_analyzer.diagnosis.recorder import Recorder
        >>> found = Recorder().check_gradient(lambda x: x @ x / 2, np.ones(3), 2 * np.ones(3))
        >>> np.round(found[:, 0] / found[:, 1], 6).tolist() == [2.0] * 12
        True
        """
        step = self._store.steps_made
        rows = slopes_along(
            loss_fn, lasting(parameters), gradient,
            directions=whole_number(directions, "directions", 1), seed=self._seed + step,
        )  # fmt: skip
        self._store.checked(step, rows)
        return rows[:, :2]

    def activations(self, layer: str, values: Any, *, preactivation: Any = None) -> None:
        """Keep the activations of a layer, when a snapshot is due (else this costs nothing).

        Parameters
        ----------
        layer
            Its name. Layers are in the order of the first calls.
        values
            Shape (rows, units), the same rows every time; further axes count as units, of which at
            most 1024 are kept.
        preactivation
            What goes into the nonlinearity, in the same shape.
        """
        self._store.snapshots.activations(self._store.steps_made, layer, values, preactivation)

    @property
    def wants_activations(self) -> bool:
        """Whether activations would be kept at this step."""
        return self._store.snapshots.due(self._store.steps_made)

    def restart(self, final_loss: Any) -> None:
        """Record the final loss of a run from another random start."""
        self._store.restarted(scalar(final_loss, "final_loss"))
