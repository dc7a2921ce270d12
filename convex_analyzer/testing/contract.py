"""Checks of the contract: values, ranges, the source of `step`, purity, shapes, separate runs.

Every check takes a `Case` and returns one sentence of what it found in order, or raises
`ConformanceError`.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import json
import textwrap
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers import from_dict
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.parse import parse_optimizer
from convex_analyzer.testing.case import Case, PlainProblem

__all__ = [
    "check_domains",
    "check_json",
    "check_purity",
    "check_runs",
    "check_source",
    "check_value",
]

_NOT_IN_STEP = {"bool", "eval", "exec", "float", "input", "int", "open", "print", "round"}
_FOREIGN = {"math", "numpy", "os", "random", "scipy", "secrets", "time", "datetime"}
_STEPS = 5  # so that the memory is no longer at its start


def check_value(case: Case) -> str:
    """Check: frozen, equal by value with equal hashes, and read back from its repr."""
    one = case.settings[0]
    if not case.cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # a dataclass
        raise case.failure("value", "instances can be changed; let the base class make it frozen")
    for rule in case.settings:
        twin = rule.replace()
        if twin is rule or twin != rule or hash(twin) != hash(rule):
            raise case.failure("value", f"two instances {rule!r} differ, or their hashes do")
        with case.guard("value", f"reading back {rule!r}"):
            read = parse_optimizer(repr(rule), {case.name: case.cls})
        back = read if isinstance(read, Optimizer) else case.cls(**read[1])
        if back != rule:
            raise case.failure("value", f"repr {rule!r} reads back as {back!r}")
    if case.cls.hyperparameters() and one == case.settings[-1]:
        raise case.failure("value", "instances with different hyper-parameters are equal")
    return "frozen; equal by value, with equal hashes; repr reads back"


def check_json(case: Case) -> str:
    """Check that `to_dict` survives JSON, and that an equal rule is built from it."""
    per_run, _ = case.with_values_per_run(3)
    for rule in [*case.settings, per_run]:
        with case.guard("json", "json.dumps(to_dict())"):
            data = json.loads(json.dumps(rule.to_dict(), allow_nan=False))
        if data.get("name") != case.name:
            raise case.failure("json", "to_dict does not give the name of the class")
        with case.guard("json", "building from to_dict()"):
            back = from_dict(data, {case.name: case.cls})
        if back != rule:
            raise case.failure("json", f"{rule!r} comes back from JSON as {back!r}")
    return "to_dict goes through JSON and back, also with values per run"


def check_domains(case: Case) -> str:
    """Check that hyper-parameters declare ranges, and refuse others with a sentence."""
    domains = case.cls.domains()
    for name, value in case.settings[0].values.items():
        if name not in domains and isinstance(value, (float, np.ndarray)):
            raise case.failure(
                "domains",
                f"{name} is a number without a declared range; annotate it with one of "
                "convex_analyzer.domains",
            )
    refused = 0
    for name, domain in domains.items():
        for bad in domain.invalid():
            try:
                case.settings[0].replace(**{name: bad})
            except InputError as error:
                refused += 1
                if not str(error).startswith(f"{case.name}: {name} "):
                    raise case.failure(
                        "domains",
                        f"the message for {name} = {bad!r} must start with '{case.name}: {name}', "
                        f"and is: {error}",
                    ) from None
            else:
                raise case.failure("domains", f"{name} = {bad!r} is accepted")
    return f"{len(domains)} hyper-parameters with declared ranges; {refused} bad values refused"


# -- the source of step --------------------------------------------------------------------------


def check_source(case: Case) -> str:
    """Check that `step`, `start` and `report` are plain arithmetic, without Python branches."""
    read = []
    for name in ("step", "start", "report"):
        method = getattr(case.cls, name)
        if method is getattr(Optimizer, name):
            continue
        for problem in _foreign_names(method):
            raise case.failure(
                "source", f"{name} uses {problem}; use arithmetic and convex_analyzer.ops only"
            )
        tree = _tree(method)
        if tree is not None:
            read.append(name)
            for line in _branches(tree):
                raise case.failure(
                    "source",
                    f"{name} branches on a value in line {line} of its source; a batch of runs "
                    "needs ops.where(condition, a, b)",
                )
    if not read:
        return "step names nothing but arithmetic (its source is not available: branches not read)"
    return f"{' and '.join(read)}: plain arithmetic, no branch on values"


def _tree(method: Any) -> ast.FunctionDef | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    except (OSError, TypeError, SyntaxError):
        return None  # defined in a shell or by exec
    named = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return named[0] if named and named[0].name == method.__name__ else None


def _instructions(code: types.CodeType) -> Iterator[dis.Instruction]:
    yield from dis.get_instructions(code)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _instructions(constant)


def _foreign_names(method: Any) -> Iterator[str]:
    """Yield what a function uses other than arithmetic and `ops`; read from its compiled form."""
    scope = {**vars(builtins), **method.__globals__, **inspect.getclosurevars(method).nonlocals}
    for instruction in _instructions(method.__code__):
        name = str(instruction.argval)
        if instruction.opname == "IMPORT_NAME":
            yield f"an import of {name}"
        if instruction.opname not in {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"}:
            continue
        found = scope.get(name)
        if isinstance(found, types.ModuleType):
            if not found.__name__.startswith("convex_analyzer"):
                yield f"the module {found.__name__}"
        elif callable(found):
            if _homes(found) & _FOREIGN:
                yield f"{name} of {(_homes(found) & _FOREIGN).pop()}"
            elif name in _NOT_IN_STEP and found is getattr(builtins, name):
                yield f"{name}()"


def _homes(found: Any) -> set[str]:
    """Return the packages that an object comes from: its own, its type's, its owner's."""
    owner = getattr(found, "__self__", None)
    modules = (getattr(found, "__module__", None), type(found).__module__, type(owner).__module__)
    return {str(module).partition(".")[0] for module in modules}


def _branches(tree: ast.FunctionDef) -> Iterator[int]:
    """Yield lines of Python branches whose condition depends on the state."""
    first = 3 if tree.name == "step" else 2 if tree.name == "start" else 1
    state = {argument.arg for argument in tree.args.args[first:]}
    if tree.args.vararg:
        state.add(tree.args.vararg.arg)
    size = -1
    while size != len(state):  # until nothing more turns out to depend on the state
        size = len(state)
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=targets, value=value) if _names(value) & state:
                    state |= {name for target in targets for name in _names(target)}
                case (
                    ast.AugAssign(target=target, value=value)
                    | ast.AnnAssign(target=target, value=ast.expr() as value)
                    | ast.NamedExpr(target=target, value=value)
                    | ast.For(target=target, iter=value)
                ) if _names(value) & state:
                    state |= _names(target)
    for node in ast.walk(tree):
        yield from (test.lineno for test in _tests(node) if _names(test) & (state - {"self"}))


def _names(node: ast.expr) -> set[str]:
    return {leaf.id for leaf in ast.walk(node) if isinstance(leaf, ast.Name)}


def _tests(node: ast.AST) -> list[ast.expr]:
    """Return what Python would decide on as true or false here."""
    match node:
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
            return [node.test]
        case ast.BoolOp():
            return node.values
        case ast.UnaryOp(op=ast.Not()):
            return [node.operand]
        case ast.comprehension():
            return node.ifs
    return []


# -- behaviour on arrays -------------------------------------------------------------------------


def _problem(case: Case, dimension: int) -> PlainProblem:
    """Return a random convex problem."""
    root = case.random.normal(size=(dimension, dimension))
    return PlainProblem(root @ root.T + np.eye(dimension), case.random.normal(size=dimension))


def check_purity(case: Case) -> str:
    """Check that the same input gives the same output, and that nothing given is changed."""
    problem = _problem(case, 3)
    for rule in case.settings:
        state = case.start("purity", rule, problem, case.random.normal(size=(4, 3)))
        before_rule = rule.to_dict()
        for t in range(1, _STEPS + 1):
            given = tuple(slot.copy() for slot in state)
            new = case.step("purity", rule, problem, t, state)
            for name, slot, copy in zip(case.slots, state, given, strict=True):
                if not np.array_equal(slot, copy):
                    raise case.failure(
                        "purity",
                        f"step changes {name} in place; write {name} = {name} - ..., "
                        f"never {name} -= ...",
                    )
            kept = tuple(np.array(slot) for slot in new)
            for _ in range(2):
                again = case.step("purity", rule, problem, t, given)
                if not all(np.array_equal(a, b) for a, b in zip(kept, again, strict=True)):
                    raise case.failure("purity", "the same input gives different outputs")
            state = kept
        case.inverts = problem.was_inverted
        if rule.to_dict() != before_rule:
            raise case.failure("purity", "step changes a hyper-parameter")
    return f"step changes nothing it is given and repeats itself, over {_STEPS} steps"


def check_runs(case: Case) -> str:
    """Check that runs in one batch do not touch each other, whatever their order."""
    runs = 6
    for dimension in (1, 3):
        problem = _problem(case, dimension)
        start = case.random.normal(size=(runs, dimension))
        start[0] = 0.0
        together, singles = case.with_values_per_run(runs)
        batch = case.path("runs", together, problem, start, _STEPS)
        if batch.shape != (_STEPS + 1, runs, dimension):
            raise case.failure("runs", f"report returns shape {batch.shape[1:]} for {start.shape}")
        order = case.random.permutation(runs)
        per_run = {
            name: getattr(together, name)[order]
            for name in case.cls.hyperparameters()
            if isinstance(getattr(together, name), np.ndarray)
        }
        shuffled = case.path("runs", together.unchecked(**per_run), problem, start[order], _STEPS)
        if not _close(shuffled, batch[:, order]):
            raise case.failure("runs", "the result of a run depends on its place in the batch")
        for run, rule in enumerate(singles):
            alone = case.path("runs", rule, problem, start[run : run + 1], _STEPS)
            if not _close(alone[:, 0], batch[:, run]):
                raise case.failure(
                    "runs", "a run alone differs from the same run in a batch of several"
                )
    return "batch, one by one and shuffled agree, with hyper-parameters per run"


def _close(a: Any, b: Any) -> bool:
    """Equal but for the rounding of matrix products of different shapes."""
    scale = float(np.max(np.abs(b), initial=1e-300))
    return bool(np.allclose(a, b, rtol=0, atol=1e-12 * scale, equal_nan=True))
