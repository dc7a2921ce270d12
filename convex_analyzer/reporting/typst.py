"""Documents as PDF and PNG, laid out by Typst in this process.

One fixed template gets the document as JSON: texts are set as strings, pictures passed as bytes,
and only formulas are evaluated, in math mode. Fonts come from Typst and Matplotlib, never from the
machine, and nothing carries a date: the same document gives the same bytes everywhere. The PDF is
tagged (PDF/UA-1). For letters that these fonts lack, fonts of the machine are taken; where it has
none, the letter shows as a framed sign, the page says so, and copied text keeps it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import io
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from convex_analyzer.errors import InputError, MissingDependencyError
from convex_analyzer.files import StrPath, StrPaths, write_bytes, write_many
from convex_analyzer.plot.fonts import covering, foreign, sign_words
from convex_analyzer.reporting.document import Document, Note, Title

__all__ = ["check_installed", "page_fill", "render_pdf", "render_png", "write_pdf", "write_png"]

_TOP, _BOTTOM = 16 / 297, 278 / 297  # the margins of the template, as shares of the page
_FINER, _SHARP = 2, 250.0  # pages below so many pixels per inch are drawn so much finer first
_TEMPLATE = resources.files("convex_analyzer.reporting").joinpath("template.typ")


def check_installed() -> None:
    """Refuse to lay out pages without Typst.

    Raises
    ------
    MissingDependencyError
        Says which extra to install.
    """
    _typst()


def render_pdf(document: Document, *, fonts: Iterable[StrPath] = ()) -> bytes:
    """Lay out a document and return the bytes of a tagged PDF (PDF/UA-1).

    Parameters
    ----------
    document
        What to lay out.
    fonts
        Folders with more fonts, for scripts that Matplotlib's do not cover (Chinese, say), instead
        of those of the machine.

    Raises
    ------
    InputError
        When a formula or a picture cannot be read; names it.
    MissingDependencyError
        When Typst is not installed.
    """
    pdf: bytes = _compile(document, fonts, format="pdf", pdf_standards=["ua-1"])
    return pdf


def render_png(
    document: Document, *, ppi: float = 144.0, fonts: Iterable[StrPath] = ()
) -> tuple[bytes, ...]:
    """Lay out a document and return one PNG per page.

    Parameters
    ----------
    document, fonts
        As for :func:`render_pdf`.
    ppi
        Pixels per inch, from 20 to 600; an A4 page is 8.27 by 11.69 inches.

    Raises
    ------
    InputError, MissingDependencyError
        As for :func:`render_pdf`.
    """
    if not 20 <= ppi <= 600:
        raise InputError(f"render_png: ppi must be from 20 to 600, got {ppi}", argument="ppi")
    finer = _FINER if ppi < _SHARP else 1
    pages: bytes | list[bytes] = _compile(document, fonts, format="png", ppi=float(finer * ppi))
    found = tuple(pages) if isinstance(pages, list) else (pages,)
    return found if finer == 1 else tuple(_reduced(page, finer, ppi) for page in found)


def _reduced(page: bytes, by: int, ppi: float) -> bytes:
    """Average squares of pixels: Typst leaves out rows of a picture that does not fit its grid."""
    from PIL import Image

    out = io.BytesIO()
    fine = Image.open(io.BytesIO(page)).convert("RGB")
    whole = fine.crop((0, 0, fine.width // by * by, fine.height // by * by))
    whole.reduce(by).save(out, "png", dpi=(ppi, ppi))
    return out.getvalue()


def page_fill(document: Document, *, fonts: Iterable[StrPath] = ()) -> tuple[float, ...]:
    """Lay out a document and measure how far down each page is filled, from 0 to 1.

    Whoever builds a document can try figure heights until no page stays half empty.

    Parameters
    ----------
    document, fonts
        As for :func:`render_pdf`.

    Raises
    ------
    InputError, MissingDependencyError
        As for :func:`render_pdf`.
    """
    from matplotlib.image import imread

    fills = []
    for page in render_png(document, ppi=36, fonts=fonts):
        grey = imread(io.BytesIO(page))[..., :3].mean(axis=-1)
        top, bottom = (round(share * len(grey)) for share in (_TOP, _BOTTOM))
        inked = np.flatnonzero((grey[top:bottom] < 0.97).any(axis=1))
        fills.append(float(inked[-1] + 1) / (bottom - top) if inked.size else 0.0)
    return tuple(fills)


def write_pdf(
    document: Document,
    path: StrPath,
    *,
    inputs: StrPaths = (),
    fonts: Iterable[StrPath] = (),
) -> tuple[Path, ...]:
    """Write :func:`render_pdf` to a file; returns the paths written.

    Parameters
    ----------
    document, fonts
        As for :func:`render_pdf`.
    path, inputs
        As for :func:`~convex_analyzer.files.write_bytes`.
    """
    return (write_bytes(path, render_pdf(document, fonts=fonts), inputs=inputs),)


def write_png(
    document: Document,
    path: StrPath,
    *,
    ppi: float = 144.0,
    inputs: StrPaths = (),
    fonts: Iterable[StrPath] = (),
) -> tuple[Path, ...]:
    """Write :func:`render_png` to files, all or none; returns the paths written.

    One page goes to `path` itself; of several, page 2 goes to ``out-2.png`` when `path` is
    ``out.png`` (``out-02.png`` from ten pages on).

    Parameters
    ----------
    document, ppi, fonts
        As for :func:`render_png`.
    path, inputs
        As for :func:`~convex_analyzer.files.write_bytes`.
    """
    pages = render_png(document, ppi=ppi, fonts=fonts)
    target, digits = Path(path), len(str(len(pages)))
    names = [
        target if len(pages) == 1 else target.with_stem(f"{target.stem}-{number:0{digits}}")
        for number in range(1, len(pages) + 1)
    ]
    return write_many(dict(zip(names, pages, strict=True)), inputs=inputs)


def _compile(document: Document, fonts: Iterable[StrPath], **options: Any) -> Any:
    if not isinstance(document, Document):
        got = f"got an object of type {type(document).__name__}"
        raise InputError(f"render: document must be a Document, {got}", argument="document")
    typst = _typst()
    folders = tuple(str(Path(folder)) for folder in fonts)
    text = _as_json(document)
    try:
        with _lent(document, text, folders) as (text, more):
            return _run(_TEMPLATE.read_bytes(), {"document": text}, more, **options)
    except typst.TypstError as error:
        faulty = _faulty_formula(document, folders)
        reason = f"the formula {faulty!r} is not Typst math" if faulty else error.message
        raise InputError(
            f"the document cannot be laid out: {reason}", argument="document"
        ) from None


def _as_json(document: Document) -> str:
    return json.dumps(document.to_dict(), ensure_ascii=False, allow_nan=False)


@contextlib.contextmanager
def _lent(
    document: Document, text: str, folders: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Add fonts of this machine for letters that ours lack; if it has none, the page says so."""
    lacking = "" if folders else foreign(text)
    if not lacking:
        yield text, folders
        return
    files, left = covering(lacking)
    if left:
        where = int(isinstance(document.blocks[0], Title))
        install = "Install a font that has them, and write this file again."
        note = Note(f"{sign_words(left)} {install}")
        blocks = (*document.blocks[:where], note, *document.blocks[where:])
        told = dataclasses.replace(document, blocks=blocks).to_dict()
        _frame(told, str.maketrans(dict.fromkeys(left, "□")))
        text = json.dumps(told, ensure_ascii=False, allow_nan=False)
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(files):  # a folder with these alone: Typst takes folders
            shutil.copyfile(file, Path(folder, f"{number}{file.suffix}"))
        yield text, (folder,)


def _frame(data: Any, frames: dict[int, str]) -> None:
    """Put frames into pictures: Typst would set the whole label that has such a letter in them."""
    if isinstance(data, dict):
        if isinstance(data.get("svg"), str):
            data["svg"] = data["svg"].translate(frames)
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            _frame(item, frames)


def _run(source: bytes, inputs: dict[str, str], folders: tuple[str, ...], **options: Any) -> Any:
    # the root is this package, so that no folder of the user is ever looked at
    root = str(Path(__file__).parent)
    fonts = _fonts(folders) if not folders else _fonts.__wrapped__(folders)  # those may be gone
    return _typst().compile(source, sys_inputs=inputs, root=root, font_paths=fonts, **options)


def _faulty_formula(document: Document, folders: tuple[str, ...]) -> str | None:
    """Find the first formula that Typst cannot read."""
    source = b'#eval(sys.inputs.formula, mode: "math")'
    for formula in _formulas(document.to_dict()):
        try:
            _run(source, {"formula": formula}, folders, format="svg")
        except _typst().TypstError:
            return formula
    return None


def _formulas(data: Any) -> Iterable[str]:
    if isinstance(data, dict):
        if data.get("type") in ("math", "math_span"):
            yield data["typst"]
        data = list(data.values())
    if isinstance(data, list):
        for item in data:
            yield from _formulas(item)


def _typst() -> Any:
    try:
        import typst
    except ImportError:
        raise MissingDependencyError("typst", "report") from None
    return typst


@cache
def _fonts(folders: tuple[str, ...]) -> Any:
    return _typst().Fonts(include_system_fonts=False, font_paths=[*folders, _matplotlib_fonts()])


def _matplotlib_fonts() -> str:
    """Folder of the fonts that Matplotlib ships, found without the cost of importing it."""
    spec = importlib.util.find_spec("matplotlib")
    for place in (spec and spec.submodule_search_locations) or ():
        folder = Path(place) / "mpl-data" / "fonts" / "ttf"
        if folder.is_dir():
            return str(folder)
    import matplotlib as mpl  # some systems keep its data elsewhere

    return str(Path(mpl.get_data_path()) / "fonts" / "ttf")
