"""The former place of `convex_analyzer.files`."""

from convex_analyzer.files import StrPath, write_bytes, write_many

__all__ = ["StrPath", "write_bytes", "write_many"]
