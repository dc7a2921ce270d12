"""The notebooks run, print what they show, and are written to be read.

After a change of the package or of a cell: ``python tests/test_examples.py`` runs them and saves
their outputs.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
PAGES = {"slide_21": "slide_21.pdf", "stiff_least_squares": "longley.pdf"}

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def saved(path):
    return nbformat.read(path, as_version=4)


def code_cells(book):
    return [cell for cell in book.cells if cell.cell_type == "code"]


def texts(cell):
    """What a cell printed or showed as text; a picture only says that it is there."""
    shown = []
    for output in cell.outputs:
        if output.output_type == "stream":
            shown.append(output.text)
        elif "image/png" in output.data:
            shown.append("(a picture)")
        else:
            shown += [text for kind, text in sorted(output.data.items()) if "text" in kind]
    return "".join(shown)


def test_there_is_one_for_each_kind_of_user():
    assert {path.stem for path in NOTEBOOKS} == set(PAGES)


def executed(path, folder):
    """The notebook with fresh outputs; an exception in a cell is one here."""
    book = saved(path)
    shutil.copytree(path.parent / "data", folder / "data")
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(
        book, timeout=240, kernel_name="python3", record_timing=False, resources=resources
    ).execute()
    book.metadata["language_info"] = {"name": "python"}
    return book


@every_notebook
def test_it_runs_and_prints_what_it_shows(path, tmp_path, monkeypatch):
    pytest.importorskip("typst")
    inherited = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{inherited}".rstrip(os.pathsep))
    monkeypatch.setenv("PYTHONWARNINGS", "default")  # the kernel's own libraries warn
    pairs = zip(code_cells(executed(path, tmp_path)), code_cells(saved(path)), strict=True)
    for fresh, old in pairs:
        assert texts(fresh) == texts(old), fresh.source
    assert (tmp_path / PAGES[path.stem]).read_bytes().startswith(b"%PDF-")


@every_notebook
def test_outputs_are_saved_and_clean(path):
    cells = code_cells(saved(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert cell.outputs, cell.source
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output
        assert not re.search(r"(?<![\w.])/(?:\w+/)+|[A-Z]:\\|0x[0-9a-f]{6}", texts(cell)), texts(
            cell
        )
    assert any(texts(cell) == "(a picture)" for cell in cells)


@every_notebook
def test_it_is_written_to_be_read(path):
    """A sentence before every cell; short cells, one idea each; names that are used."""
    book = saved(path)
    assert book.cells[0].cell_type == "markdown"
    assert book.cells[0].source.startswith("# ")
    for before, cell in zip(book.cells, book.cells[1:], strict=False):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown", cell.source
            assert re.search(r"[.:?*]\)?$", before.source.strip()), before.source
            assert cell.source.count("\n") < 12, cell.source


@every_notebook
def test_nothing_depends_on_the_machine_it_was_saved_on(path):
    """No timing, no user, no version: the same file wherever it is saved again."""
    book = saved(path)
    assert dict(book.metadata) == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert all(set(cell.metadata) == set() for cell in book.cells)
    assert len({cell.id for cell in book.cells}) == len(book.cells)
    nbformat.validate(book)


if __name__ == "__main__":
    for notebook in NOTEBOOKS:
        with tempfile.TemporaryDirectory() as scratch:
            text = nbformat.writes(executed(notebook, Path(scratch)), version=nbformat.NO_CONVERT)
        notebook.write_text(f"{text.rstrip()}\n", encoding="utf-8")
