"""What a section is made of: values that are rendered last, and hold nothing that has not passed disclosure."""

from dataclasses import dataclass, field

from crlm_pipeline.disclosure import SafeTable


@dataclass(frozen=True, slots=True)
class Card:
    """One number at the head of the report, and the page that tells more of it."""

    value: str
    label: str
    note: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as HTML, the sentence above it and the data behind it."""

    html: str
    caption: str
    data: SafeTable


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing as SVG, the sentence that reads it, what it shows for those who cannot see it, and its data."""

    svg: str
    reading: str
    caption: str
    alternative: str
    data: SafeTable


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms with what each means; folded under the title, if it has one, until the reader opens it."""

    rows: tuple[tuple[str, str], ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: its anchor, title, leading sentence and blocks in order."""

    id: str
    title: str
    sentence: str
    blocks: tuple[Table | Figure | Terms | str, ...] = ()
    cards: tuple[Card, ...] = field(default=())
