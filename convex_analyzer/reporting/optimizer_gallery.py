"""The gallery: every optimizer on one card, with its rule, its pictures and its theory.

Cards are packed onto pages by their measured heights, family by family, so that none is torn apart
and the index can say where each one is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from convex_analyzer.derivations.rule import rule_source, write_rule
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.notation import symbol_of
from convex_analyzer.optimizers import registered
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.plot.card_data import CardData, Scene, optimizer_card_data
from convex_analyzer.plot.figures import optimizer_card as picture
from convex_analyzer.plot.style import to_svg
from convex_analyzer.progress import stage
from convex_analyzer.reporting.catalogue import THEORIES, Profile, families, written
from convex_analyzer.reporting.document import (
    Block,
    Bold,
    Cell,
    Chip,
    Code,
    CodeBlock,
    Column,
    Document,
    Figure,
    Heading,
    KeyValues,
    Kind,
    Note,
    PageBreak,
    Paragraph,
    Span,
    Table,
    Title,
)
from convex_analyzer.reporting.limits import stability_of
from convex_analyzer.reporting.rule_math import rule_block
from convex_analyzer.reporting.typst import page_fill, write_pdf
from convex_analyzer.tables import format_number

__all__ = ["Card", "gallery_cards", "gallery_document", "write_gallery"]

_GAP = 0.012  # between two cards, as a share of the page
_FULL = (1 + _GAP, 0.97, 0.9)  # of a page that cards may fill: below the last one there is no gap
OWN_RULE = """\
import convex_analyzer as ca

class TwoVelocities(ca.Optimizer):
    \"\"\"Two velocities with different memories, averaged.\"\"\"

    learning_rate: float
    slow: float = 0.9
    fast: float = 0.5

    def step(self, problem, t, theta, u, v):
        gradient = problem.gradient(theta)
        u = self.slow * u - self.learning_rate * gradient
        v = self.fast * v - self.learning_rate * gradient
        return theta + (u + v) / 2, u, v

print(ca.analyze(ca.gallery.toy(), TwoVelocities(0.1)).verdict())
ca.plot.optimizer_card(TwoVelocities).savefig("card.svg")"""
_KINDS: dict[str, Kind] = {"closed form": "ok", "simulated only": "warn"}


@dataclass(frozen=True)
class Card:
    """One optimizer of the gallery.

    Attributes
    ----------
    profile, family
        What there is to say about it, and where it belongs.
    data
        What its picture shows.
    blocks
        The card as it is printed; the first of a family begins with the name of the family.
    """

    profile: Profile
    family: str
    data: CardData
    blocks: tuple[Block, ...]


def gallery_cards(classes: Mapping[str, type[Optimizer]]) -> tuple[Card, ...]:
    """Return one card for each optimizer, by family."""
    cards = []
    with stage("drawing cards", len(classes), "optimizers") as advance:
        for family in families(classes):
            title = family.title[:1].upper() + family.title[1:]
            head: tuple[Block, ...] = (Heading(title, level=1),)
            if family.sentence:
                head += (Paragraph(family.sentence),)
            for one in family.members:
                data = optimizer_card_data(one.cls)
                cards.append(Card(one, family.title, data, (*head, *_card(one, data))))
                head = ()
                advance(1, one.name)
    return tuple(cards)


def gallery_document(classes: Mapping[str, type[Optimizer]] | None = None) -> Document:
    """Return the gallery: what it shows, an index, and the cards.

    Parameters
    ----------
    classes
        Optimizers by name; all that are registered when left out.
    """
    cards = gallery_cards(registered() if classes is None else classes)
    heights = [_height(card.blocks) for card in cards] + [_height(_closing())]
    families = [*(card.family for card in cards), ""]
    front = page_fill(_document(_front(cards, [0] * len(cards))))
    for full in _FULL:
        pages = packed(heights, families, full, front[-1] + _GAP)
        order = [place for page in pages for place in page][: len(cards)]
        numbers = [len(front) + i for i, page in enumerate(pages) for _ in page][: len(cards)]
        blocks = _front(tuple(cards[place] for place in order), numbers)
        for i, page in enumerate(pages):
            blocks += [PageBreak()] if i else []  # the first cards follow the index
            for place in page:
                blocks += cards[place].blocks if place < len(cards) else _closing()
        document = _document(blocks)
        if len(page_fill(document)) == len(front) + len(pages) - 1:  # else a page has run over
            break
    return document


def write_gallery(path: str | Path) -> tuple[Path, ...]:
    """Write the gallery of all registered optimizers as PDF."""
    return write_pdf(gallery_document(), path)


def packed(
    heights: Sequence[float], families: Sequence[str], full: float = 1.0, used: float = 0.0
) -> list[list[int]]:
    """Return which cards stand on each page, given their heights as shares of a page.

    A card that does not fit any more lets the others of its family go before it; the first of a
    family, which has its name above it, stays first.

    Parameters
    ----------
    heights
        Of the cards.
    families
        To which they belong; those of a family stand together.
    full
        What the heights on a page may add up to; a card that is higher has a page of its own.
    used
        What is taken of the first page, on which no card need stand.

    Examples
    --------
    >>> packed([0.4, 0.5, 0.3, 0.3, 0.9], ["Newton"] * 5)
    [[0, 1], [2, 3], [4]]
    >>> packed([0.4, 0.7, 0.5], ["Newton"] * 3)
    [[0, 2], [1]]
    """
    pages: list[list[int]] = [[]]
    waiting = list(range(len(heights)))
    while waiting:
        following = waiting[0]
        family = families[following]
        first = families.index(family) == following
        able = waiting[:1] if first else [i for i in waiting if families[i] == family]
        place = next((i for i in able if used + heights[i] <= full), None)
        if place is None and used > 0:
            pages.append([])
            used = 0.0
            continue
        place = following if place is None else place
        waiting.remove(place)
        pages[-1].append(place)
        used += heights[place]
    return pages


def _height(blocks: tuple[Block, ...]) -> float:
    """Return the share of a page that blocks take, with the gap that separates them from others."""
    first, *rest = blocks
    assert isinstance(first, Heading)
    pages = page_fill(Document("card", (Heading(first.text), *rest)))
    return len(pages) - 1 + pages[-1] + _GAP


def _document(blocks: list[Block]) -> Document:
    return Document(
        "Gallery of optimizers", blocks, footer="convex_analyzer: gallery of optimizers"
    )


# -- the first pages ------------------------------------------------------------------------------


def _front(cards: tuple[Card, ...], pages: list[int]) -> list[Block]:
    """Return title, explanation and index; card i is on page ``pages[i]``."""
    kinds = [kind for kind in THEORIES if any(card.profile.theory.kind == kind for card in cards)]
    items = tuple((kind, f"{THEORIES[kind]}.") for kind in kinds)
    return [
        Title("Gallery of optimizers", (f"{len(cards)} update rules", "the same two problems")),
        Paragraph(
            "Each card shows one update rule as it is run and analysed: the formulas are printed "
            "from the code itself. All start on the same two problems: the toy of the lectures, "
            "J = 0.1 θ₁² + 2 θ₂² from (−5, −2), and a ravine of condition number 100, turned by "
            "0.6, from (−4.5, −2). The learning rate is the best of a logarithmic grid for each "
            "problem, everything else is as in the source of the rule."
        ),
        Paragraph(
            "Pictures, from left to right: the ways over the level sets, which are √10 apart; the "
            "gap J − J* relative to the first, where a line with hollow markers is theory with "
            "the run on it and a plain line is the run; the memory on the toy, every slot divided "
            "by its largest size, solid along λ = 0.2 and dotted along λ = 4. Steps are counted "
            "until the gap stays below a millionth of the first."
        ),
        Paragraph("How far theory reaches:"),
        KeyValues(items),
        Heading("Index"),
        _index(cards, pages),
    ]


def _closing() -> tuple[Block, ...]:
    """Return how to have a card of a rule of one's own."""
    return (
        Heading("A rule of your own"),
        Paragraph(
            "Write one step as the textbook does; what stands on a card follows from it. The same "
            "class works wherever these do: in analyses, comparisons, derivations and reports."
        ),
        CodeBlock(OWN_RULE),
        Note(
            "testing.check_optimizer tries whether a rule keeps to the contract; "
            "convex-analyzer optimizers NAME shows any of these cards in a terminal."
        ),
    )


def _index(cards: tuple[Card, ...], pages: list[int]) -> Table:
    columns = (
        Column("family"), Column("optimizer"), Column("theory"), Column("state besides θ"),
        Column("steps, toy", "right"), Column("ravine", "right"), Column("page", "right"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    last = ""
    for card, page in zip(cards, pages, strict=True):
        one = card.profile
        family = "" if card.family == last else card.family
        last = card.family
        counts = (_count(scene) for scene in card.data.scenes)
        kind = one.theory.kind
        chip = Chip(_KINDS.get(kind, "info"), kind)
        rows.append((family, one.name, chip, one.state, *counts, f"{page}"))
    return Table(columns, rows, note="–: has not settled within 600 steps.")


def _count(scene: Scene) -> str:
    return "–" if scene.settled is None else str(scene.settled)


# -- a card ---------------------------------------------------------------------------------------


def _card(one: Profile, data: CardData) -> list[Block]:
    svg = to_svg(picture.optimizer_card(data))
    return [
        Heading(one.name, level=2),
        Paragraph(one.sentence),
        _rule(one),
        Figure(svg, (f"{picture.caption(data)} ", *_facts(one, data)), picture.alt(data)),
    ]


def _rule(one: Profile) -> Block:
    """Return the rule as formulas, or as it stands in its file."""
    try:
        return rule_block(write_rule(one.example))
    except NotDerivableError:
        return CodeBlock(rule_source(one.cls))


def _facts(one: Profile, data: CardData) -> Sequence[Span]:
    limit = stability_of(one.example)
    why = f": {_short(one.theory.why)}" if one.theory.kind == "simulated only" else ""
    reach = f"{one.theory.kind}{why}{f'; {limit}' if limit else ''}. "
    spans: list[Span] = [Bold("Theory: "), reach, Bold("State: "), f"{one.state}. "]
    toy, ravine = (_settings(scene.optimizer) for scene in data.scenes)
    if toy:
        both = toy if toy == ravine else f"{toy} on the toy, {ravine} on the ravine"
        spans += [Bold("Settings: "), f"{both}. "]
    if one.inside:
        spans += [Bold("On the toy: "), Code(written(data.scenes[0].optimizer)), ". "]
    return (*spans, Bold("Source: "), f"{one.cls.source or 'not stated'}.")


def _short(why: str) -> str:
    """Return a reason without what the first page says of all that are simulated only."""
    return re.sub(r"^no derivative at the minimum \((.*)\)$", r"\1", why)


def _settings(rule: Optimizer) -> str:
    """Return every setting but the learning rate and what is switched off."""
    told = []
    for name, value in rule.values.items():
        if name == "learning_rate" or isinstance(value, Optimizer) or value in (0.0, False, "off"):
            continue
        letter = symbol_of(name) if name in rule.hyperparameters() else name
        text = format_number(value, 4) if isinstance(value, float) else str(value)
        told.append(letter.replace("_", " ") + ("" if value is True else f" = {text}"))
    return ", ".join(told)
