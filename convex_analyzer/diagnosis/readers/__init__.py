"""From whatever a user has to `Evidence`: arrays, files of every common logger, objects."""

from convex_analyzer.diagnosis.readers.arrays import from_arrays, read_npz

__all__ = ["from_arrays", "read_npz"]
