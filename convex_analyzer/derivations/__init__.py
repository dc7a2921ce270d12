"""Derivations: produced from an update rule, every line checked by the machine."""
