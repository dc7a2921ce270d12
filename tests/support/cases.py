"""`each`: one test that goes through a table of cases, where a test for every row costs too much.

It is written like `pytest.mark.parametrize` and reads the same table. All cases run, whether others
fail or not, and each that fails is named. What pytest and coverage do around a test takes longer
than a small case; so this is for many small cases without state between them, and
`parametrize` for few or long ones, which two processes then share.

    EACH=1 python -m pytest tests/conventions -k "Adam and not AdamW"

makes a test of every case again: to run one alone, or to count them.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

Test = Callable[..., None]
FAILURES = (Exception, pytest.fail.Exception)


def each(
    names: str | Sequence[str],
    cases: Iterable[Any],
    *,
    ids: Sequence[str] | Callable[[Any], Any] | None = None,
) -> Callable[[Test], Test]:
    """Return a decorator that hands a test every case in turn."""
    rows = list(cases)
    assert rows, "no case: the test would pass without having tested anything"
    assert not any(isinstance(row, type(pytest.param())) for row in rows), "plain tuples, please"
    if os.environ.get("EACH"):
        return pytest.mark.parametrize(names, rows, ids=ids)
    single = isinstance(names, str) and "," not in names
    keys = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)

    def named(error: BaseException, place: int, row: Any) -> BaseException:
        values = (f"{key} = {value!r:.200}" for key, value in zip(keys, row, strict=True))
        name = ", ".join(values) if ids is None or callable(ids) else ids[place]
        error.add_note(f"case {place} of {len(rows)}: {name}")
        return error

    def decorate(test: Test) -> Test:
        def run(**fixtures: Any) -> None:
            failed: list[BaseException] = []
            for place, case in enumerate(rows):
                row = (case,) if single else tuple(case)
                try:
                    test(**fixtures, **dict(zip(keys, row, strict=True)))
                except pytest.skip.Exception as skipped:
                    why = AssertionError(f"a case must not skip ({skipped}): parametrize this test")
                    failed.append(named(why, place, row))
                except FAILURES as error:
                    failed.append(named(error, place, row))
            if len(failed) == 1:
                raise failed[0]
            if failed:
                raise BaseExceptionGroup(f"{len(failed)} of {len(rows)} cases failed", failed)

        parameters = inspect.signature(test).parameters.values()
        left = [parameter for parameter in parameters if parameter.name not in keys]
        run.__name__, run.__qualname__ = test.__name__, test.__qualname__
        run.__module__, run.__doc__ = test.__module__, test.__doc__
        run.__wrapped__ = test  # where pytest looks for file and line
        run.__signature__ = inspect.Signature(left)
        run.pytestmark = list(getattr(test, "pytestmark", []))
        return run

    return decorate
