"""What every block of a document is, and its form as plain data."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

__all__ = ["Block", "encode"]


class Block:
    """Anything that takes its own lines on the page."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form: ``{"type": ..., field: ...}``."""
        encoded: dict[str, Any] = encode(self)
        return encoded


def encode(value: Any) -> Any:
    """Return frozen data as dictionaries and lists; fields marked ``plain=False`` stay out."""
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if dataclasses.is_dataclass(value):
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(value).__name__).lower()
        shown = [f.name for f in dataclasses.fields(value) if f.metadata.get("plain", True)]
        return {"type": name, **{field: encode(getattr(value, field)) for field in shown}}
    return value
