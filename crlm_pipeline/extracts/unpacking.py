"""Plain and gzipped files as a stream of bytes that is counted as it is read.

Limits stop a file that unpacks to far more than it is (a bomb) and a record without end. No message holds a value of
the file.
"""

import gzip
import io
import zlib
from typing import Final

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import limits
from crlm_pipeline.extracts.text import HEAD_BYTES

_GZIP_MAGIC: Final = b"\x1f\x8b"
_CHUNK: Final = 2**20
_GZIP_WINDOW: Final = 31  # zlib's number for a gzip header


def unpacked_head(start: bytes) -> bytes:
    """Return the bytes as they are, or what the first of a gzipped file unpack to, up to the length of a head."""
    if not start.startswith(_GZIP_MAGIC):
        return start
    try:
        return zlib.decompressobj(_GZIP_WINDOW).decompress(start, HEAD_BYTES)
    except zlib.error:
        return b""


def unpacked(content: bytes, file: str) -> bytes:
    """Return all of a file, unpacked if it is gzipped; `SourceError` when it is damaged or beyond a limit."""
    if not content.startswith(_GZIP_MAGIC):
        return content
    stream = MeteredBytes(content, file, "file")
    chunks = []
    while chunk := stream.read(_CHUNK):
        stream.start_record()
        chunks.append(chunk)
    return b"".join(chunks)


class MeteredBytes:
    """The unpacked bytes of a file, counted as they are read; `kind` is what messages call the file."""

    def __init__(self, content: bytes, file: str, kind: str) -> None:
        """Start at the first byte."""
        packed = io.BytesIO(content)
        self._is_packed = content.startswith(_GZIP_MAGIC)
        self._stream = gzip.GzipFile(fileobj=packed) if self._is_packed else packed
        self._packed_bytes = len(content)
        self._file = file
        self._kind = kind
        self._read = 0
        self._record_start = 0

    def start_record(self) -> None:
        """Count the bytes of a record from here."""
        self._record_start = self._read

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; `SourceError` when the gzip file is damaged or a limit is passed."""
        try:
            chunk = self._stream.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError("The gzip file is cut off or damaged.", "Deliver it again.", self._file) from error
        self._read += len(chunk)
        if self._is_packed and self._is_bomb():
            raise SourceError(
                f"The gzip file unpacks to more than {limits.MAX_RATIO} times its size, or "
                f"{limits.MAX_UNPACKED_BYTES >> 30} GB.",
                "Check it; a very large delivery can be split by patients.",
                self._file,
            )
        if self._read - self._record_start > limits.MAX_RECORD_BYTES:
            problem = f"A record of the {self._kind} is larger than {limits.MAX_RECORD_BYTES >> 20} MB."
            raise SourceError(problem, "Check that the file is what it claims to be.", self._file)
        return chunk

    def _is_bomb(self) -> bool:
        is_swollen = self._read > max(limits.RATIO_COUNTS_FROM, limits.MAX_RATIO * self._packed_bytes)
        return is_swollen or self._read > limits.MAX_UNPACKED_BYTES
