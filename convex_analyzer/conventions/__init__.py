"""One method, many conventions: from a library's call to the exact rule, back, and proofs.

An optimizer's name is not a recurrence. `from_library` returns the rule behind a call, `to_library`
the call for a rule, `equivalent` proves or refutes that two rules are one method, and `check_code`
says where foreign code leaves a rule.
"""

from __future__ import annotations

from convex_analyzer.conventions.code_check import CodeCheck, check_code
from convex_analyzer.conventions.convert import LibraryCall, from_library, libraries, to_library
from convex_analyzer.conventions.equivalence import Equivalence, equivalent

__all__ = [
    "CodeCheck",
    "Equivalence",
    "LibraryCall",
    "check_code",
    "equivalent",
    "from_library",
    "libraries",
    "to_library",
]
