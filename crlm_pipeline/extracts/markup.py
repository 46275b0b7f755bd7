"""Registry XML, plain or gzipped: told by its root element, read record by record, refused where it could do harm.

A document type (DOCTYPE) is refused, and with it every entity; nothing is fetched from anywhere. No message holds a
value of the file.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.text import UnreadableError
from crlm_pipeline.extracts.unpacking import MeteredBytes, unpacked_head

_STEP: Final = 4096
_BEFORE_ROOT: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_DOCTYPE: Final = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_ELEMENT: Final = re.compile(rb"<[A-Za-z_]")


@dataclass(frozen=True, slots=True)
class Root:
    """The root element: its name without namespace, and its attributes."""

    name: str
    attributes: Mapping[str, str]


def root(start: bytes, file: str) -> Root | None:
    """Return the root element of XML that begins with these bytes (plain or gzipped); None for anything else.

    Raises `UnreadableError` for XML with a document type, so that it is never passed over in silence.
    """
    head = unpacked_head(start)
    rest = head[_end_of_prolog(head) :]
    if _DOCTYPE.match(rest):
        raise UnreadableError(
            "The XML declares a document type (DOCTYPE), through which entities could be smuggled in.",
            "Deliver it without one.",
            file,
        )
    return _first_element(head) if _ELEMENT.match(rest) else None


def _end_of_prolog(head: bytes) -> int:
    found = _BEFORE_ROOT.match(head)
    return found.end() if found else 0


def _first_element(head: bytes) -> Root | None:
    parser = etree.XMLPullParser(events=("start",), resolve_entities=False, no_network=True, huge_tree=False)
    try:
        for at in range(0, len(head), _STEP):
            parser.feed(head[at : at + _STEP])
            for _, element in parser.read_events():
                if isinstance(element, etree._Element):
                    attributes = {str(key): str(value) for key, value in element.attrib.items()}
                    return Root(etree.QName(element).localname, attributes)
    except etree.XMLSyntaxError:
        return None
    return None


def records(content: bytes, file: str, name: str) -> Iterator[etree._Element]:
    """Yield each element of this name in any namespace; it is emptied when the next one is asked for.

    Raises `SourceError` when the file is cut off, not well-formed, or beyond a limit.
    """
    stream = MeteredBytes(content, file, "XML")
    # huge_tree stays off: libxml2 then refuses a value beyond 10 MB and absurd depth by itself.
    events = etree.iterparse(
        stream, events=("end",), tag=f"{{*}}{name}", resolve_entities=False, no_network=True, load_dtd=False,
        dtd_validation=False, huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        for _, element in events:
            yield element
            stream.start_record()
            _forget(element)
    except etree.XMLSyntaxError as error:
        raise SourceError(
            f"The XML is cut off, not well-formed or holds a value beyond 10 MB (line {error.lineno}).",
            "Deliver it again.",
            file,
        ) from error


def _forget(element: etree._Element) -> None:
    """Free a record and everything before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
