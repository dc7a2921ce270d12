"""Which quantity a column, an array or a tag holds, told from its name.

A name is cut into words (case, separators and word order do not matter), the words are brought to
one spelling (``training``, ``tr`` -> ``train``), and the set of words is looked up. What each
library calls its columns is in `_NAMES`; a new spelling is one more line there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Match", "classify", "run_of", "words"]


@dataclass(frozen=True)
class Match:
    """What a name stands for.

    Parameters
    ----------
    field
        Field of `Evidence`, or a quantity that leads to one (``step``, ``gradients`` ...).
    rank
        0 for the clearest name; the lowest rank wins when several columns claim one field.
    averaged
        "epoch means" or "smoothed" when the name says so.
    transform
        "log", "log10" or "log2" when the name says that the values are logarithms; "perplexity".
    """

    field: str
    rank: int = 0
    averaged: str = ""
    transform: str = ""


_SPELLING = {
    "train": "training trn tr trained",
    "validation": "val valid eval evaluation validate dev test testing heldout holdout",
    "batch": "minibatch mb batches",
    "grad": "gradient gradients grads",
    "param": "params parameter parameters weight weights theta",
    "accuracy": "acc accuracies",
    "loss": "losses cost costs objective",
    "step": "steps",
    "epoch": "epochs",
    "iter": "iters iteration iterations it",
    "cos": "cosine cosines",
    "norm": "norms",
    "curv": "curvature",
    "act": "activation activations acts",
    "preact": "preactivation preactivations",
    "update": "updates delta",
    "check": "checks gradcheck gradchecks",
    "restart": "restarts",
    "smoothed": "running ema smooth moving smoothened",
    "averaged": "avg average",
    "crossentropy": "xent xentropy ce",
    "perplexity": "ppl",
    "nesterov": "nag",
}
_SPELLED = {other: word for word, others in _SPELLING.items() for other in others.split()}
_NOISE = {
    *("metric", "metrics", "scalar", "scalars", "trainer", "mean", "history", "log_history"),
    *("rank", "zero"),
}

# field: names from the clearest to the vaguest; "/" separates names of one rank
_NAMES: dict[str, tuple[str, ...]] = {
    "loss": (
        "loss full / train loss full / full batch loss / loss all rows",
        "train loss / loss train total",
        "loss / loss total / total loss",
        "train nll / train mse / train crossentropy / train cross entropy / train error",
        "nll / mse / crossentropy / cross entropy / negative log likelihood / j / error / energy",
        "f x / f / fx / j param / loss value",
        "value",
    ),
    "batch_loss": (
        "batch loss / train batch loss / loss step / train loss step / loss iter / train loss iter",
    ),
    "validation_loss": (
        "validation loss / validation loss total",
        "validation loss epoch / validation loss step / validation nll / validation mse",
    ),
    "learning_rate": (
        "lr / train lr / learning rate / train learning rate",
        "current lr / lr current / step size / stepsize / optimizer lr / lr scheduler / alpha",
    ),
    "batch_size": ("batch size / train batch size / batchsize",),
    "rows": ("rows / n train / n rows / train size / dataset size / train rows / num train / n",),
    "momentum": ("momentum / optimizer momentum",),
    "optimizer": ("optimizer / optimiser / optimizer name / optim",),
    "gradient_norm": (
        "grad norm / grad norm global / grad norm total / train grad norm",
        "train grad norm global / grad norm l2 / grad norm 2 / grad norm 2 total / grad norm 2 0",
        "grad norm 2 0 total / global norm / optimizer grad norm / grad norm before clip",
        "gnorm / norm g / g norm / norm grad",
    ),
    "gradient_cosine": ("grad cos / cos / grad cos similarity / grad cos previous",),
    "update_norm": ("update norm / step norm / update norm global",),
    "parameter_norm": ("param norm / param norm global / param norm l2 / param norm total",),
    "predicted_decrease": ("pred decrease / predicted decrease",),
    "curvature": ("curv along grad / curv grad", "curv"),
    "update_curvature": ("curv along update / update curv",),
    "sharpness": (
        "sharpness / lambda max / lambdamax / max eigenvalue / top eigenvalue",
        "hessian top eigenvalue / hessian max eigenvalue",
    ),
    "layer_gradient_norms": ("layer grad norm / grad norm layer",),
    "gradient_checks": ("gradcheck claimed vs fd / check / grad check / check claimed vs fd",),
    "restarts": ("restart final loss / restart / restart loss",),
    "accuracy": (
        "accuracy / train accuracy / accuracy epoch / train accuracy epoch / train accuracy step",
        "categorical accuracy / sparse categorical accuracy / binary accuracy",
        "top1 accuracy / train top1 accuracy",
    ),
    "classes": ("classes / n classes / num classes",),
    "snapshot_steps": ("snap step / snapshot step",),
    "check_steps": ("gradcheck step / check step / grad check step",),
    "snapshot_theta": ("snap param / snapshot param",),
    "gradients": ("grad",),
    "iterates": ("iterates / iterate / param",),
    "biases": ("biases / bias",),
    "activations": ("act",),
    "preactivations": ("preact / pre act",),
    "layers": ("layers / layer sizes",),
    "input_sample": ("input sample / sample / inputs",),
    "batch_loss_every": ("batch every",),
    "step": (
        "step global / global step",
        "step / train step / step count / update count / num step",
        "iter / train iter / n iter / num iter / iter num / niter",
        "update / batch idx / batch index / batch / t / k",
    ),
    "epoch": ("epoch / train epoch / epoch num / current epoch / n epoch",),
    "run": ("run / run id / run name / experiment / trial / run number", "seed"),
}
_TABLE = {
    frozenset(name.split()): (field, rank)
    for field, ranks in reversed(_NAMES.items())
    for rank, names in reversed(list(enumerate(ranks)))
    for name in names.split("/")
}
_AVERAGES = (("epoch", "epoch means"), ("averaged", "means of steps"), ("smoothed", "smoothed"))
_LOGS = {"log": "log", "ln": "log", "log10": "log10", "lg": "log10", "log2": "log2"}
_LAYER = re.compile(r"^(pre)?act(?:ivations?)?[_ /.-]?(?:layer)?[_ /.-]?(\d+)$", re.IGNORECASE)


def words(name: str) -> tuple[str, ...]:
    """Return the words of a name in one spelling.

    Examples
    --------
    >>> words("run-7 - train/Loss_step"), words("TrainLoss"), words("lr-SGD/pg1")
    (('train', 'loss', 'step'), ('train', 'loss'), ('lr', 'sgd', 'pg1'))
    """
    tail = name.rsplit(" - ", 1)[-1]
    tail = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", tail)
    found = [word for word in re.split(r"[^a-z0-9]+", tail.lower()) if word]
    return tuple(_SPELLED.get(word, word) for word in found if word not in _NOISE)


def run_of(name: str) -> str:
    """Return the run that a column of a W&B export belongs to ("" when the name does not say)."""
    return name.rsplit(" - ", 1)[0].strip() if " - " in name else ""


def classify(name: str) -> Match | None:
    """Return what a name stands for, or None.

    Examples
    --------
    >>> classify("eval/loss").field, classify("train_loss_epoch")
    ('validation_loss', Match(field='loss', rank=1, averaged='epoch means', transform=''))
    >>> classify("lr-Adam/pg1").field, classify("colour") is None
    ('learning_rate', True)
    """
    stem = name.strip()
    if stem.upper().endswith(("__MIN", "__MAX")):
        return None  # bounds that W&B adds to every column
    layer = _LAYER.match(stem)
    if layer:
        return Match("preactivations" if layer[1] else "activations", int(layer[2]))
    found = words(stem)
    exact = _TABLE.get(frozenset(found))
    if exact is not None:
        return Match(*exact)
    return _decorated(found)


def _decorated(found: tuple[str, ...]) -> Match | None:
    """Match names with a word that says how the value was made: averaged, of an epoch, log10."""
    kept = frozenset(found)
    if found[:1] == ("batch",) and len(found) == 2 and re.fullmatch(r"first\d+", found[1]):
        return Match("batch_loss_first")
    if found[:1] == ("lr",) and len(found) < 5:
        return Match("learning_rate", 2)  # lr-Adam, lr-SGD/pg1, lr/group0
    if "perplexity" in kept and kept <= {"perplexity", "train", "validation"}:
        return Match("validation_loss" if "validation" in kept else "loss", 6, "", "perplexity")
    if "token" in kept and {"loss", "per"} <= kept:
        inner = _TABLE.get(kept - {"per", "token"})
        return Match(inner[0], inner[1]) if inner else None
    for word, averaged in _AVERAGES:
        inner = _TABLE.get(kept - {word}) if word in kept else None
        if inner and inner[0] in {"loss", "batch_loss", "validation_loss"}:
            field = "validation_loss" if inner[0] == "validation_loss" else "loss"
            return Match(field, inner[1], averaged)
    for word, transform in _LOGS.items():
        inner = _TABLE.get(kept - {word}) if word in kept else None
        if inner and inner[0] in {"loss", "batch_loss", "validation_loss"}:
            return Match(inner[0], inner[1] + 1, "", transform)
    return None
