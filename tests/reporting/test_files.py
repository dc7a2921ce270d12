"""Files are whole or not there, and nothing is overwritten that should not be."""

import os
import stat
from pathlib import Path

import pytest
from cases import each

from convex_analyzer.errors import InputError
from convex_analyzer.files import check_target, folder_for, write_bytes, write_many


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_and_an_old_one(tmp_path):
    path = tmp_path / "out.bin"
    assert write_bytes(path, b"one") == path
    assert write_bytes(str(path), b"two") == path
    assert path.read_bytes() == b"two"
    assert names(tmp_path) == ["out.bin"]


def test_permissions_follow_the_umask_and_then_stay(tmp_path):
    path = tmp_path / "out"
    before = os.umask(0o027)
    try:
        write_bytes(path, b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    write_bytes(path, b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_link_is_followed_and_stays_a_link(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("real")
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda f: f, "it is a folder; name a file inside it"),
        (lambda f: f / "no" / "x", "there is no folder .*no; make it first"),
        (lambda f: f / "file" / "x", "there is no folder .*file; make it first"),
        (lambda f: f / ("x" * 300), "choose another name"),
        (lambda f: f / "a\0b", "choose another name"),
        (lambda f: f / "loop", "choose another name"),
        (lambda f: "/dev/null", "device or a pipe; name an ordinary file"),
    ],
    ids=["folder", "missing", "inside a file", "long", "zero byte", "loop", "device"],
)
def test_what_cannot_be_written_is_said_before_anything_happens(tmp_path, make, says):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=f"(?s)^cannot write .*{says}"):
        write_bytes(make(tmp_path), b"x")
    assert names(tmp_path) == ["file", "loop"]
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_an_input_is_never_overwritten_whatever_it_is_called(tmp_path):
    data = tmp_path / "A.npy"
    data.write_bytes(b"precious")
    (tmp_path / "sub").mkdir()
    os.link(data, tmp_path / "hard")
    (tmp_path / "soft").symlink_to(data)
    for path in (data, tmp_path / "sub" / ".." / "A.npy", tmp_path / "hard", tmp_path / "soft"):
        with pytest.raises(InputError, match="is an input of this run; choose another name"):
            write_bytes(path, b"x", inputs=[tmp_path / "B", data])
    assert data.read_bytes() == b"precious"
    write_bytes(tmp_path / "out", b"x", inputs=[data])


def test_an_input_that_is_gone_is_still_an_input(tmp_path):
    with pytest.raises(InputError, match="input of this run"):
        write_bytes(tmp_path / "x", b"", inputs=[tmp_path / "." / "x"])


def test_a_read_only_file_stays(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(InputError, match=r"it is read-only; .*chmod u\+w"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_read_only_folder_is_an_error_that_says_so(tmp_path, monkeypatch):
    # root may write anywhere, so the refusal of the system is played
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match="Permission denied; choose a folder that you may write"):
        write_bytes(tmp_path / "x", b"new")
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interruption_while_writing_leaves_the_old_file(tmp_path, monkeypatch, error):
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def stop(_descriptor):
        raise error

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises((KeyboardInterrupt, InputError)):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(13, "in use"), RuntimeError])
def test_many_files_are_all_old_again_when_one_fails(tmp_path, monkeypatch, error):
    old = tmp_path / "b"
    old.write_bytes(b"old")
    replace = Path.replace
    calls = []

    def fail_on_third(self, target):
        calls.append(target)
        if len(calls) == 3:
            raise error
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_on_third)
    expected = InputError if isinstance(error, OSError) else error
    with pytest.raises(expected):
        write_many({tmp_path / name: b"new" for name in "abc"})
    assert names(tmp_path) == ["b"]
    assert old.read_bytes() == b"old"


def test_a_single_old_file_survives_a_failed_replacement(tmp_path, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def fail(self, target):
        raise PermissionError(13, "in use")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(InputError, match="in use; close it in other programs"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_many_files_at_once(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    paths = write_many({tmp_path / "a": b"1", tmp_path / "b": b"2"})
    assert paths == (tmp_path / "a", tmp_path / "b")
    assert [path.read_bytes() for path in paths] == [b"1", b"2"]
    assert names(tmp_path) == ["a", "b"]
    assert write_many({}) == ()


def test_one_bad_target_stops_all(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        write_many({str(tmp_path / "a"): b"1", str(tmp_path / "no" / "b"): b"2"})
    with pytest.raises(InputError, match="named once"):
        write_many({tmp_path / "a": b"1", tmp_path / "." / "a": b"2", str(tmp_path / "a"): b"3"})
    assert names(tmp_path) == []


def use(folder: Path, error: type[BaseException], name: str = "", **options) -> None:
    """Write a file into a folder that is made for it, and fail then."""
    with folder_for(folder, **options) as made:
        if name:
            write_bytes(made / name, b"x")
        raise error


def test_a_folder_for_files_goes_again_when_nothing_came_into_it(tmp_path):
    inner = tmp_path / "a" / "b"
    with pytest.raises(KeyboardInterrupt):
        use(inner, KeyboardInterrupt, parents=True)
    assert names(tmp_path) == []
    with pytest.raises(KeyError):
        use(inner, KeyError, "whole", parents=True)
    with pytest.raises(KeyError):
        use(inner, KeyError)
    assert names(inner) == ["whole"]


@each(
    ("name", "says"),
    [
        ("no/x", "there is no folder .*no; make it first"),
        ("file", "it is a file; name a folder"),
        ("file/x", "it is a file; name a folder"),
        ("x" * 300, "choose another name"),
        ("a\0b", "choose another name"),
    ],
)
def test_a_folder_that_cannot_be_made(tmp_path, name, says):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match=f"(?s)^--out .*{says}"):
        use(tmp_path / name, KeyError, option="--out")
    assert names(tmp_path) == ["file"]


def test_a_read_only_folder_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: os.fspath(path) != os.fspath(tmp_path))
    with pytest.raises(InputError, match="nothing can be written to the folder"):
        check_target(tmp_path / "x")
    with pytest.raises(InputError, match="nothing can be written into it"):
        use(tmp_path, KeyError)
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"--out .*x.txt: the name of a page ends in \.html$"):
        check_target(tmp_path / "x.txt", suffixes=[".html"], what="a page", option="--out")
