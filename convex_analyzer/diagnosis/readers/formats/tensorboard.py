"""TensorBoard event files: scalars, read without TensorBoard.

A file is a chain of records: length (8 bytes), its checksum (4), data, checksum (4), all little
endian. The data is a Protocol Buffers message ``Event``: wall_time = 1, step = 2, summary = 5; the
summary repeats ``Value`` = 1 with tag = 1, simple_value = 2 and, from TensorFlow 2, tensor = 8
(dtype = 1, tensor_content = 4, float_val = 5, double_val = 6).
Sources: tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from convex_analyzer.diagnosis.readers.formats import Format
from convex_analyzer.diagnosis.readers.table import Table
from convex_analyzer.errors import InputError

__all__ = ["FORMAT", "read_events"]

_LARGEST_RECORD = 1 << 24  # a scalar needs a hundred bytes: larger ones are images and graphs
_CHECKED = 1 << 12  # bytes: checksums of longer records take too long, and they hold no scalars
_WIRE_VARINT, _WIRE_8, _WIRE_BYTES, _WIRE_4 = 0, 1, 2, 5
_CONTENT = {1: "<f", 2: "<d"}  # DT_FLOAT, DT_DOUBLE

Field = tuple[int, int | bytes]


def read_events(path: Path) -> Table:
    """Return the scalars of an event file; a record that is cut off ends it, with a note.

    Raises
    ------
    InputError
        No event file, damaged, or no scalars in it.
    """
    table = Table(path.name)
    with path.open("rb") as stream:
        for data in _records(stream, table):
            try:
                _append(table, data)
            except (ValueError, struct.error, IndexError) as error:
                raise InputError(
                    f"{path.name} is damaged after {table.rows} scalars: {error}",
                    argument="source",
                ) from error
    if not table.rows:
        raise InputError(f"{path.name} holds no scalars", argument="source")
    return table


def _records(stream: IO[bytes], table: Table) -> Iterator[bytes]:
    while head := stream.read(12):
        if len(head) < 12 or struct.unpack("<I", head[8:])[0] != _masked(head[:8]):
            if not table.rows and len(head) == 12:
                raise InputError(f"{table.name} is no TensorBoard event file", argument="source")
            table.notes.append("the event file is cut off or damaged: read up to there")
            return
        (length,) = struct.unpack("<Q", head[:8])
        if length > _LARGEST_RECORD:
            stream.seek(length + 4, 1)
            continue
        data = stream.read(length)
        check = stream.read(4)
        if len(data) < length or len(check) < 4:
            table.notes.append("the event file ends within a record: read up to there")
            return
        if length <= _CHECKED and struct.unpack("<I", check)[0] != _masked(data):
            table.notes.append("a record of the event file is damaged: read up to there")
            return
        yield data


def _crc_table() -> list[int]:
    """Table of the reflected Castagnoli polynomial 0x82F63B78."""
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_CRC = _crc_table()


def _masked(data: bytes) -> int:
    """CRC-32C of the data, rotated and shifted as TensorFlow stores it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _fields(data: bytes) -> Iterator[Field]:
    """Yield (field number, value) of a message; fixed-size numbers stay bytes."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        wire = key & 7
        if wire == _WIRE_VARINT:
            value, place = _varint(data, place)
            yield key >> 3, value
            continue
        if wire == _WIRE_BYTES:
            length, place = _varint(data, place)
        elif wire in (_WIRE_8, _WIRE_4):
            length = 8 if wire == _WIRE_8 else 4
        else:
            raise ValueError(f"a field of kind {wire}")
        if place + length > len(data):
            raise ValueError("a field longer than its message")
        yield key >> 3, data[place : place + length]
        place += length


def _append(table: Table, data: bytes) -> None:
    step, summaries = 0, []
    for field, value in _fields(data):
        if field == 2 and isinstance(value, int):
            step = value - (1 << 64) if value >> 63 else value
        elif field == 5 and isinstance(value, bytes):
            summaries.append(value)
    for summary in summaries:
        for field, value in _fields(summary):
            if field == 1 and isinstance(value, bytes):
                _append_value(table, step, value)


def _append_value(table: Table, step: int, data: bytes) -> None:
    tag, scalar = "", None
    for field, value in _fields(data):
        if not isinstance(value, bytes):
            continue
        if field == 1:
            tag = value.decode("utf-8", errors="replace")
        elif field == 2 and len(value) == 4:
            (scalar,) = struct.unpack("<f", value)
        elif field == 8:
            scalar = _tensor(value)
    if tag and scalar is not None:
        table.append({"step": step, tag: scalar})


def _tensor(data: bytes) -> float | None:
    """Return the one number of a tensor; None if it holds another kind or more of them."""
    kind, numbers = 0, []
    for field, value in _fields(data):
        if field == 1 and isinstance(value, int):
            kind = value
        elif isinstance(value, bytes) and field in (4, 5, 6):
            layout = {4: _CONTENT.get(kind), 5: "<f", 6: "<d"}[field]
            size = struct.calcsize(layout) if layout else 0
            if layout and value and len(value) % size == 0:
                numbers += [found for (found,) in struct.iter_unpack(layout, value)]
    return numbers[0] if len(numbers) == 1 else None


FORMAT = Format(
    "TensorBoard events",
    (".tfevents",),
    read_events,
    lambda name, start: (
        "tfevents" in name
        or (len(start) >= 12 and struct.unpack("<I", start[8:12])[0] == _masked(start[:8]))
    ),
)
