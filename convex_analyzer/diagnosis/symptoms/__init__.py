"""One problem of the recap table a file: ``ROW``, and ``test(evidence) -> Finding``."""
