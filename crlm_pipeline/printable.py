"""Text from outside that is safe to show: no control sequence of it reaches a terminal, a log or a name in a table."""

import re
from typing import Final

# Controls of a terminal, signs that turn the direction of writing, and the halves of signs that no encoding takes.
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LINES: Final = "\n\t"


def printable(text: str) -> str:
    """Return the text with each unsafe sign, line ends and tabs among them, as its escape."""
    return _UNSAFE.sub(_escape, text)


def printable_lines(text: str) -> str:
    """Return the same, but with its lines and tabs as they are."""
    return _UNSAFE.sub(lambda sign: sign[0] if sign[0] in _LINES else _escape(sign), text)


def _escape(sign: re.Match[str]) -> str:
    code = ord(sign[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004  # two digits or four
