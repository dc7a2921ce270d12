"""Files that are whole or not there: written under a temporary name, then renamed.

An interrupted run leaves the old file or the new one. What cannot be written is an
:class:`~convex_analyzer.errors.InputError` before anything on disk has changed.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeAlias

from convex_analyzer.errors import InputError
from convex_analyzer.progress import wrote

__all__ = [
    "StrPath",
    "StrPaths",
    "as_path",
    "as_paths",
    "check_target",
    "folder_for",
    "write_bytes",
    "write_many",
]

StrPath: TypeAlias = str | os.PathLike[str]
StrPaths: TypeAlias = StrPath | Iterable[StrPath]


def as_path(path: StrPath, argument: str = "path") -> Path:
    """Return a path as a `Path`.

    Raises
    ------
    InputError
        What is given is no path.
    """
    try:
        return Path(path)
    except TypeError:
        got = f"got {type(path).__name__}"
        raise InputError(
            f"{argument} must be the path of a file, {got}", argument=argument
        ) from None


def as_paths(paths: StrPaths, argument: str = "inputs") -> tuple[Path, ...]:
    """Return paths as a tuple; a single one, too.

    Raises
    ------
    InputError
        Something in it is no path.

    Examples
    --------
    >>> [path.name for path in as_paths("A.npy")]
    ['A.npy']
    """
    if isinstance(paths, str | os.PathLike):
        paths = (paths,)
    elif not isinstance(paths, Iterable):
        raise InputError(f"{argument} must be paths, got {type(paths).__name__}", argument=argument)
    return tuple(as_path(path, argument) for path in paths)


def check_target(
    path: StrPath,
    *,
    inputs: StrPaths = (),
    suffixes: Sequence[str] = (),
    what: str = "a file",
    option: str = "",
) -> Path:
    """Refuse a target that :func:`write_bytes` would refuse, before the work for it begins.

    Parameters
    ----------
    path, inputs
        As for :func:`write_bytes`.
    suffixes
        In which the name must end, in small letters; any when there are none.
    what
        That is written, for the sentence about them.
    option
        Of a command that named the path, such as ``"--out"``.

    Returns
    -------
    Path
        The path as it was given.

    Raises
    ------
    InputError
        As for :func:`write_bytes`; another suffix.

    Examples
    --------
    >>> check_target("A.csv", suffixes=[".htm", ".html"], what="a page")
    Traceback (most recent call last):
    convex_analyzer.errors.InputError: cannot write A.csv: the name of a page ends in .htm or .html
    """
    target = as_path(path, option or "path")
    _checked(target, as_paths(inputs), option)
    if suffixes and target.suffix.lower() not in suffixes:
        *others, last = suffixes
        known = f"{', '.join(others)} or {last}" if others else last
        raise _refusal(target, f"the name of {what} ends in {known}", option=option)
    return target


@contextmanager
def folder_for(path: StrPath, *, parents: bool = False, option: str = "") -> Iterator[Path]:
    """Make a folder to write into; when that fails, take away again what is empty of it.

    Parameters
    ----------
    path
        The folder; it may be there.
    parents
        Whether to make those above it, too.
    option
        As for :func:`check_target`.

    Raises
    ------
    InputError
        It is no folder, cannot be made, or the one above it is missing.
    """
    folder = as_path(path, option or "folder")
    missing: list[Path] = []
    try:
        missing += _make(folder, parents, option)
        yield folder
    except BaseException:
        for one in missing:
            with suppress(OSError):  # not empty: some files were finished
                one.rmdir()
        raise


def _make(folder: Path, parents: bool, option: str) -> list[Path]:
    """Make a folder, and return those that were not there before, the innermost first."""
    reason, hint = "it is a file", "name a folder"
    try:
        above = (folder, *folder.parents) if parents else (folder,)
        missing = [one for one in above if not one.exists()]
        folder.mkdir(parents=parents, exist_ok=True)
        if os.access(folder, os.W_OK):
            return missing
        reason, hint = "nothing can be written into it", "choose another folder"
    except (FileExistsError, NotADirectoryError):
        pass
    except FileNotFoundError:
        reason, hint = f"there is no folder {folder.parent}", "make it first (mkdir -p)"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "choose another name"
    raise _refusal(folder, reason, hint, option)


def write_bytes(path: StrPath, data: bytes, *, inputs: StrPaths = ()) -> Path:
    """Write one file, whole or not at all.

    Parameters
    ----------
    path
        Where to; an existing file is replaced and keeps its permissions.
    data
        What to write.
    inputs
        Files that this run has read, and which must therefore not be overwritten; one, or several.

    Returns
    -------
    Path
        The path as it was given.

    Raises
    ------
    InputError
        When the folder is missing or cannot be written, or the target is a folder, an input, a
        read-only file or no ordinary file.
    """
    return write_many({as_path(path): data}, inputs=inputs)[0]


def write_many(
    files: Mapping[Path, bytes] | Mapping[str, bytes], *, inputs: StrPaths = ()
) -> tuple[Path, ...]:
    """Write several files, all or none: a failure puts back what was there before.

    Parameters
    ----------
    files
        What to write where.
    inputs
        As for :func:`write_bytes`.

    Raises
    ------
    InputError
        As for :func:`write_bytes`; no file has changed then.
    """
    if not files:
        return ()
    read, paths = as_paths(inputs), as_paths(files, "files")
    targets = [_checked(path, read) for path in paths]
    if len(set(targets)) < len(targets):
        raise InputError("files: each target must be named once, got the same file twice")
    leftovers: list[Path] = []
    try:
        fresh = [
            _write_temporary(target, data, leftovers)
            for target, data in zip(targets, files.values(), strict=True)
        ]
        _replace_all(targets, fresh, leftovers)
    finally:
        for leftover in leftovers:
            with suppress(OSError):
                leftover.unlink()
    for path in paths:
        wrote(path)
    return paths


def _checked(path: Path, read: Iterable[Path], option: str = "") -> Path:
    """Return the real file behind a path (links followed), or say why it cannot be written."""
    refused = partial(_refusal, path, option=option)
    try:
        target = path.resolve()
        folder_is_there, mode = target.parent.is_dir(), None
        with suppress(FileNotFoundError, NotADirectoryError):
            mode = target.stat().st_mode
    except (OSError, ValueError, RuntimeError) as error:  # too long, a zero byte, a loop of links
        reason = getattr(error, "strerror", None) or str(error)
        raise refused(reason, "choose another name") from None
    if mode is not None and stat.S_ISDIR(mode):
        raise refused("it is a folder", "name a file inside it")
    if not folder_is_there:
        raise refused(f"there is no folder {target.parent}", "make it first (mkdir -p)")
    if mode is not None and not stat.S_ISREG(mode):
        raise refused("it is a device or a pipe", "name an ordinary file")
    if any(_same_file(target, other) for other in read):
        raise refused("it is an input of this run", "choose another name for the output")
    if mode is not None and not (mode & 0o222 and os.access(target, os.W_OK)):
        raise refused("it is read-only", "choose another name, or allow writing (chmod u+w)")
    if not os.access(target.parent, os.W_OK):
        raise refused(f"nothing can be written to the folder {target.parent}", "choose another")
    return target


def _refusal(path: Path, reason: str, hint: str = "", option: str = "") -> InputError:
    subject = f"{option} {path}" if option else f"cannot write {path}"
    argument = option.lstrip("-") or "path"
    return InputError(f"{subject}: {reason}", argument=argument, value=os.fspath(path), hint=hint)


def _same_file(target: Path, other: Path) -> bool:
    try:
        return target.samefile(other)
    except OSError:  # one of them is not there
        return target == other.resolve()


def _write_temporary(target: Path, data: bytes, leftovers: list[Path]) -> Path:
    temporary = _beside(target)
    try:
        # O_EXCL: never through a link that someone put there; 0o666: as the umask says
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        leftovers.append(temporary)  # before it is there: Ctrl-C may come at any moment
        descriptor = os.open(temporary, flags, 0o666)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
    except OSError as error:
        hint = "choose a folder that you may write to, with space left"
        raise _refusal(target, error.strerror or str(error), hint) from None
    return temporary


def _beside(target: Path) -> Path:
    """Name a file in the same folder, so that renaming it stays on one disk."""
    return target.with_name(f".{secrets.token_hex(8)}.tmp")


def _replace_all(targets: list[Path], fresh: list[Path], leftovers: list[Path]) -> None:
    undo: list[tuple[Path, Path | None]] = []
    target = targets[0]
    try:
        for target, temporary in zip(targets, fresh, strict=True):
            if not target.exists():
                undo.append((target, None))
            elif len(targets) > 1:
                kept = _beside(target)
                leftovers.append(kept)
                shutil.copy2(target, kept)
                undo.append((target, kept))
            temporary.replace(target)
    except BaseException as error:  # also Ctrl-C: put everything back, then let it go on
        for changed, kept_or_none in reversed(undo):
            _put_back(changed, kept_or_none, leftovers)
        if isinstance(error, OSError):
            hint = "close it in other programs, or choose another name"
            raise _refusal(target, error.strerror or str(error), hint) from None
        raise


def _put_back(target: Path, kept: Path | None, leftovers: list[Path]) -> None:
    if kept is None:
        target.unlink(missing_ok=True)
        return
    leftovers.remove(kept)  # should renaming fail, the copy is all that is left of the old file
    kept.replace(target)
