"""Answers of strangers are judged in a process of their own, with limited time and memory.

The parent asks in JSON, one line a question, and reads one line; a worker that does not answer in
time is killed and the answer counts as undecided. The next question starts a new worker.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from convex_analyzer.errors import InputError

__all__ = ["Worker", "serve"]

_MEMORY = 2 * 1024**3  # bytes of address space
_START = 60.0  # seconds to import SymPy on a slow machine


class Worker:
    r"""A process that marks answers.

    Parameters
    ----------
    memory
        Bytes of address space that it may take (where the system can limit it).

    Examples
    --------
    >>> with Worker() as worker:
    ...     found = worker.mark("l*((1 - a*l)**k*z)**2/2\nl*(1 - a*l)**(2*k)*z**2/2", "q7")
    >>> found["points"], found["arrived"]
    (1.0, True)
    """

    def __init__(self, memory: int = _MEMORY) -> None:
        self.memory = memory
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    def mark(
        self,
        answer: str,
        task: Any,
        *,
        plausible: str = "full",
        short: str = "half",
        notation: str = "",
        seconds: float = 20.0,
        level: int = 2,
    ) -> dict[str, Any]:
        """Mark one answer; see `convex_analyzer.derivations.grading.mark`.

        Parameters
        ----------
        seconds
            After that the process is killed and the answer has ``status`` "timed out".
        level
            How much the hints say, from 1 to 4.

        Returns
        -------
        dict
            ``points``, ``of``, ``arrived``, ``flagged``, ``note``, ``lines``, ``hints``,
            ``status``: "marked", "timed out" or "failed".
        """
        name = task if isinstance(task, str) else getattr(task, "name", str(task))
        if isinstance(task, Path):
            name = str(task)
        question = {
            "answer": answer,
            "task": name,
            "plausible": plausible,
            "short": short,
            "notation": notation,
            "level": level,
        }
        found = self._ask(question, seconds)
        if found.get("error"):
            raise InputError(str(found["error"]), argument="answer")
        return found

    def _ask(self, question: dict[str, Any], seconds: float) -> dict[str, Any]:
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            self.close()
            return _nothing("timed out", f"no verdict within {seconds:g} seconds")
        except (BrokenPipeError, OSError):
            line = ""
        if not line:
            self.close()
            return _nothing("failed", "the judging process ended: out of memory, or killed")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _started(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        self._answers = queue.Queue()
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "convex_analyzer.derivations.worker", str(self.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
        )
        self._process = process
        threading.Thread(target=_listen, args=(process, self._answers), daemon=True).start()
        try:
            ready = self._answers.get(timeout=_START)
        except queue.Empty:
            ready = ""
        if ready.strip() != "ready":
            self.close()
            raise InputError("the judging process does not start", argument="seconds")
        return process


def _listen(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    assert process.stdout is not None
    try:
        for line in process.stdout:
            answers.put(line)
    except ValueError:  # closed meanwhile
        return
    answers.put("")


def _nothing(status: str, note: str) -> dict[str, Any]:
    return {
        "status": status,
        "points": 0.0,
        "of": 0.0,
        "arrived": False,
        "flagged": [],
        "note": note,
        "lines": [],
        "hints": [],
    }


def _limit(memory: int) -> None:
    """Limit the address space, where the system has that."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    if soft == resource.RLIM_INFINITY or wanted < soft:
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    from convex_analyzer.derivations.grading import mark

    found = mark(
        question["answer"],
        question["task"],
        plausible=question["plausible"],
        short=question["short"],
        notation=question["notation"],
    )
    level = int(question["level"])
    wrong = [line for line in found.checked.lines if line.status in {"refuted", "unreadable"}]
    return {
        "status": "marked",
        "points": found.points,
        "of": found.of,
        "arrived": found.arrived,
        "flagged": list(found.flagged),
        "note": found.note,
        "lines": [line.to_dict() for line in found.checked.lines],
        "hints": [line.hint(level) for line in wrong],
    }


def serve(memory: int) -> None:
    """Answer questions from standard input until it ends."""
    import sympy

    sympy.Integer(1)
    _limit(memory)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)  # what else is printed goes to standard error
        out.write("ready\n")
        out.flush()
        for line in sys.stdin:
            try:
                answer = _answer(json.loads(line))
            except InputError as error:
                answer = {"error": str(error)}
            except MemoryError:
                answer = _nothing("failed", "out of memory")
            out.write(json.dumps(answer) + "\n")
            out.flush()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
