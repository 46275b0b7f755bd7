"""FHIR JSON, plain or gzipped: told by its content, read resource by resource from Bundles and from NDJSON.

A file is one JSON object or several in a row (NDJSON has one a line): a Bundle, a resource, or an entry that wraps one.
Of a Bundle only one entry is held at a time. What is no JSON (a number that is none, half a character, nesting without
end) is refused with its line; a name that stands twice in an object counts once, with its last value. Numbers stay text
as delivered. No message holds a value of the file.
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.unpacking import MeteredBytes, unpacked_head

Resource = dict[str, Any]

_STEP: Final = 2**18
_DEEPEST_BUNDLE: Final = 4  # of a Bundle within a Bundle
_FHIR: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{.*?"resourceType"\s*:\s*"[A-Za-z]+"', re.DOTALL)
_BLANK: Final = re.compile(r"[ \t\n\r]*")
_SUSPECT: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNTERMINATED: Final = "Unterminated string"


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource, and the full URL under which its Bundle knows it. An entry that only asks or answers is empty."""

    full_url: str | None
    resource: Resource


def is_fhir(start: bytes) -> bool:
    """Whether a file that begins with these bytes (plain or gzipped) is a JSON object that names a resource type."""
    return _FHIR.match(unpacked_head(start)) is not None


def entries(content: bytes, file: str) -> Iterator[Entry]:
    """Yield every resource of a file in its order; `SourceError` names the line where it is no JSON or cut off."""
    text = _Text(content, file)
    while text.peek():
        whole = text.whole_object()
        yield from _of_object(whole) if whole is not None else _by_member(text)


def _of_object(found: Resource, depth: int = 0) -> Iterator[Entry]:
    if found.get("resourceType") == "Bundle":
        for entry in _listed(found.get("entry")):
            yield from _of_entry(entry, depth)
    elif "resourceType" not in found and isinstance(found.get("resource"), dict):
        yield from _of_entry(found, depth)
    else:
        yield Entry(None, found)


def _of_entry(entry: Any, depth: int = 0) -> Iterator[Entry]:
    """Yield the resource of an entry, or those of the Bundle in it; nothing for an entry of anything but a Bundle."""
    if not isinstance(entry, dict):
        return
    resource, full_url = entry.get("resource"), entry.get("fullUrl")
    if isinstance(resource, dict):
        if resource.get("resourceType") == "Bundle" and depth < _DEEPEST_BUNDLE:
            yield from _of_object(resource, depth + 1)
        else:
            yield Entry(full_url if isinstance(full_url, str) else None, resource)
    elif "request" in entry or "response" in entry:
        yield Entry(None, {})


def _by_member(text: "_Text") -> Iterator[Entry]:
    """Yield the entries of an object one by one as they are read; without entries the object as a whole."""
    members: Resource = {}
    text.take("{")
    while text.peek() != "}":
        name = text.name()
        text.take(":")
        if name == "entry" and text.peek() == "[":
            for entry in _elements(text):
                yield from _of_entry(entry)
        else:
            members[name] = text.value()
        text.take_comma("}")
    text.take("}")
    yield from _of_object(members)


def _elements(text: "_Text") -> Iterator[Any]:
    text.take("[")
    while text.peek() != "]":
        yield text.value()
        text.take_comma("]")
    text.take("]")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


class _NotJSONError(ValueError):
    """A constant that JavaScript knows and JSON does not."""


def _refuse_constant(_: str) -> NoReturn:
    raise _NotJSONError


class _Text:
    """The text of a file, of which only what is being read is held."""

    def __init__(self, content: bytes, file: str) -> None:
        self._stream = MeteredBytes(content, file, "JSON")
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse_constant)
        self._file = file
        self._text = ""
        self._at = 0
        self._lines_before = 0

    def peek(self) -> str:
        """Return the next character that is not blank, without taking it; an empty text at the end."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._grow():
                return ""

    def take(self, sign: str) -> None:
        """Go past a sign that must come next."""
        if self.peek() != sign:
            self._refuse("not valid JSON, or cut off", self._at)
        self._at += 1

    def take_comma(self, end: str) -> None:
        """Go past a comma, unless the end comes next; none may stand before the end."""
        if self.peek() == end:
            return
        self.take(",")
        if self.peek() == end:
            self._refuse("not valid JSON, or cut off", self._at)

    def name(self) -> str:
        """Return the name of a member."""
        if self.peek() != '"':
            self._refuse("not valid JSON, or cut off", self._at)
        return str(self.value())

    def whole_object(self) -> Resource | None:
        """Return the next object if all of it is at hand, else None; `SourceError` for anything but an object."""
        if self.peek() != "{":
            self._refuse("not a JSON object", self._at)
        try:
            value, end = self._decode()
        except json.JSONDecodeError:
            return None
        self._pass(value, end)
        return value if isinstance(value, dict) else None

    def value(self) -> Any:
        """Return the next value, for which as much is read as it takes."""
        self.peek()
        before: tuple[int, str] | None = None
        while True:
            try:
                value, end = self._decode()
            except json.JSONDecodeError as error:
                place = (error.pos - self._at, error.msg)
                # More text did not help, and no sign is as long as what was read.
                is_stuck = place == before and not error.msg.startswith(_UNTERMINATED)
                before = place
                if is_stuck or not self._grow():
                    self._refuse("not valid JSON, or cut off", self._at + place[0])
                continue
            # A number may go on behind what is at hand.
            if end < len(self._text) or not self._grow():
                self._pass(value, end)
                return value

    def _decode(self) -> tuple[Any, int]:
        try:
            return self._json.raw_decode(self._text, self._at)
        except RecursionError:
            self._refuse("nested too deeply", self._at)
        except _NotJSONError:
            self._refuse("not valid JSON: NaN and Infinity are no numbers", self._at)

    def _pass(self, value: Any, end: int) -> None:
        """Go past a value whose text can be stored: it has no half characters and no NUL."""
        if _SUSPECT.search(self._text, self._at, end):
            try:
                plain = json.dumps(value, ensure_ascii=False)
                plain.encode()
            except UnicodeEncodeError:
                self._refuse("not valid text: half a character stands alone", self._at)
            if "\\u0000" in plain:
                self._refuse("not valid text: it holds NUL characters", self._at)
        self._at = end
        self._stream.start_record()

    def _grow(self) -> bool:
        """Read on; what was taken is let go. False at the end of the file."""
        self._lines_before += self._text.count("\n", 0, self._at)
        self._text = self._text[self._at :]
        self._at = 0
        # By a share of what is held, so that a long record is not tried over and over.
        chunk = self._stream.read(max(_STEP, len(self._text) // 2))
        try:
            self._text += self._utf8.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            self._lines_before += chunk[: error.start].count(b"\n")
            problem = "The text is not UTF-8."
            raise SourceError(
                problem, "Save the file as UTF-8 and run again.", self._file, line=self._line(0)
            ) from error
        return bool(chunk)

    def _line(self, at: int) -> int:
        return self._lines_before + self._text.count("\n", 0, at) + 1

    def _refuse(self, problem: str, at: int) -> NoReturn:
        raise SourceError(f"The file is {problem}.", "Deliver it again.", self._file, line=self._line(at)) from None
