"""From whatever a user has to `Evidence`: arrays, files of every common logger, objects."""

from convex_analyzer.diagnosis.readers.arrays import from_arrays, read_npz
from convex_analyzer.diagnosis.readers.entry import read
from convex_analyzer.diagnosis.readers.families import Rule, rule_of
from convex_analyzer.diagnosis.readers.formats import Format, all_formats

__all__ = ["Format", "Rule", "all_formats", "from_arrays", "read", "read_npz", "rule_of"]
