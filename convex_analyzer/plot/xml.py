"""SVG that every XML reader can read, whatever letters a label has."""

from __future__ import annotations

import re

__all__ = ["readable_xml"]

_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")


def readable_xml(data: bytes) -> bytes:
    """Put a sign, U+FFFD, where UTF-8 text has a letter that XML must not have.

    Source: XML 1.0, fifth edition, section 2.2. Matplotlib writes labels as they are.

    Examples
    --------
    >>> readable_xml(b"a" + bytes([0]) + b"b").decode().isprintable()
    True
    """
    return _FORBIDDEN.sub("\ufffd".encode(), data)
