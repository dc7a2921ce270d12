"""What every result can do: compare by value, become JSON, print itself as a table."""

from __future__ import annotations

import dataclasses
import math
import sys
from typing import Any, ClassVar

import numpy as np

from convex_analyzer.sheets import Sheet, sheet_of
from convex_analyzer.spelling import fits
from convex_analyzer.tables import Table

__all__ = ["Result", "to_plain"]

_FIELD, _LINE = 60, 200  # letters of a field, and of all of them, in `repr`


def to_plain(value: Any) -> Any:
    """Turn a value into what JSON can hold; a number that is not finite becomes None.

    Examples
    --------
    >>> to_plain({"a": np.arange(2), "b": float("inf"), "c": 1 + 2j})
    {'a': [0, 1], 'b': None, 'c': {'re': 1.0, 'im': 2.0}}
    """
    plain: Any
    match value:
        case None | bool() | int() | str():
            plain = value
        case float():
            plain = float(value) if math.isfinite(value) else None  # also of NumPy's floats
        case complex():
            plain = {"re": to_plain(value.real), "im": to_plain(value.imag)}
        case np.ndarray() | np.generic():
            plain = to_plain(value.tolist())
        case dict():
            plain = {str(key): to_plain(entry) for key, entry in value.items()}
        case list() | tuple():
            plain = [to_plain(entry) for entry in value]
        case _ if hasattr(value, "to_dict"):
            plain = value.to_dict()
        case _ if dataclasses.is_dataclass(value):
            plain = {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        case _:
            plain = str(value)
    return plain


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return (
            isinstance(a, np.ndarray)
            and isinstance(b, np.ndarray)
            and a.shape == b.shape
            and bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc"))
        )
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 2]}…{text[-1]}"


class Result:
    """Base of all results: frozen dataclasses with value equality.

    A subclass names its `schema` and gives `summary`, from which text, Markdown and notebook forms
    follow.
    """

    schema: ClassVar[str] = "convex_analyzer.result/1"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__repr__" not in vars(cls):  # else `dataclass` makes one, in which arrays take lines
            cls.__repr__ = cls.__repr__  # type: ignore[method-assign]  # the inherited one

    def summary(self) -> Table:
        """Return the result as a table."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON, with the name and version of its schema."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # subclasses are dataclasses
        data = {f.name: to_plain(getattr(self, f.name)) for f in fields if f.repr}
        return {"schema": self.schema, **data}

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # subclasses are dataclasses
        return all(
            _same(getattr(self, f.name), getattr(other, f.name)) for f in fields if f.compare
        )

    __hash__ = None  # type: ignore[assignment]  # results hold arrays

    def sheet(self) -> Sheet:
        """Return the summary under a head that says what it is: what ``print`` shows."""
        return sheet_of(self.summary(), self)

    def __repr__(self) -> str:
        """Return one line: the fields, long ones cut."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # subclasses are dataclasses
        told = (f"{f.name}={_cut(repr(getattr(self, f.name)), _FIELD)}" for f in fields if f.repr)
        return _cut(f"{type(self).__name__}({', '.join(told)})", _LINE)

    def __str__(self) -> str:
        sheet = self.sheet()
        text = sheet.to_text()
        return text if fits(text, getattr(sys.stdout, "encoding", None)) else sheet.in_ascii()

    def _repr_html_(self) -> str:
        return self.sheet().to_html()

    def _repr_markdown_(self) -> str:
        return self.sheet().to_markdown()
