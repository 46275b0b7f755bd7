"""What may come of reading anything: rows that balance, rejected rows, or a clear error. Never a value in a message."""

import json
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

from crlm_pipeline.errors import CrlmError
from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.source import discover
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation import Ingested, validate
from tests.fuzz.samples import MARKER

TODAY: Final = date(2026, 11, 23)


def outcome(folder: Path) -> str:
    """Read and validate a folder; return `rows` or the kind of error. Raises where neither is what it should be."""
    try:
        extract = read_sources([folder], [load_mapping(mapping) for mapping in sorted(folder.glob("*.yaml"))])
        ingested = validate(extract, today=TODAY)
    except CrlmError as error:
        _refuse_marker(str(error), folder)
        return type(error).__name__
    _assert_balanced(extract, ingested)
    _refuse_marker(_told(ingested), folder)
    return "rows"


def _assert_balanced(extract: Extract, ingested: Ingested) -> None:
    """Validation asserts the balance of rows; of each file no more records are unmapped than it has."""
    assert all(0 <= file.unmapped_count <= file.row_count for file in extract.files), "more unmapped than read"
    read = sum(table.frame.height for table in extract.tables)
    assert ingested.row_ledger["rows_read"].sum() == read, "rows were lost between reading and validation"


def _told(ingested: Ingested) -> str:
    """Return every text that leaves the restricted tables; the centre is named on purpose."""
    frames = (ingested.finding.drop("centre_id"), ingested.rejected_row.drop("raw_row"), ingested.source_file)
    return json.dumps([frame.rows() for frame in frames], default=str)


def _refuse_marker(text: str, folder: Path) -> None:
    """Names of columns and words of a mapping are told; where damage put the marker there, that is no leak."""
    if MARKER in text:
        told = [path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.yaml")]
        with suppress(CrlmError):
            told += [
                name for source in discover([folder]) for g in source.groups for s in g.sheets for name in s.header
            ]
        assert any(MARKER in name for name in told), "a value of a cell is in a message"
