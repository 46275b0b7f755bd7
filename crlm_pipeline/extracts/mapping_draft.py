"""Proposes a mapping file from the headers of a spreadsheet and its dictionary sheet; no patient's record is read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from crlm_pipeline.extracts.mapping_words import Entry, Meaning, dictionary, is_dictionary, meaning, normal, value_of
from crlm_pipeline.extracts.source import Sheet, discover
from schemas.column import SOURCE_COLUMNS, Column
from schemas.extract import extract_tables

_BEGINNING: Final = """\
# Proposed from the headers{dictionary}: check every line. What stands after # is not read.
# A required cell without a source is refused until it has a column or a constant.
mapping: {name}
# missing: ["-999", NA]            codes that mean unknown in every column
# dates: ["%d.%m.%Y", "%m/%Y"]     formats of the dates; 2023-05-17 is read in any case
files:
"""
_BOOLEANS: Final = ("true", "false")
_MOST_IN_HEADER: Final = 4


def draft(path: Path) -> str:
    """Return a mapping file as YAML for the sheets of a file; raises `SourceError` when it cannot be read."""
    sheets = [sheet for source in discover([path]) for group in source.groups for sheet in group.sheets if sheet.header]
    entries = {name: entry for sheet in sheets if is_dictionary(sheet) for name, entry in dictionary(sheet).items()}
    told = " and the dictionary sheet" if entries else ""
    beginning = _BEGINNING.format(dictionary=told, name=json.dumps(path.stem, ensure_ascii=False))
    lines = [line for sheet in sheets if not is_dictionary(sheet) for line in _file(sheet, entries)]
    return beginning + "\n".join(lines)


def _file(sheet: Sheet, entries: Mapping[str, Entry]) -> Iterator[str]:
    """Yield the lines for a sheet: a template for each table that it feeds, and what nothing was found for."""
    found: dict[str, Meaning] = {}
    for header in filter(None, sheet.header):
        known = meaning(header)
        if known and (known.value or known not in found.values()):
            found[header] = known
    ids = [header for header, known in found.items() if known.column == "patient_id"]
    telling = [*ids, *(name for name in found if name not in ids)] or [name for name in sheet.header if name]
    yield f"  - header: [{', '.join(map(_quoted, telling[:_MOST_IN_HEADER]))}]"
    yield f"    patient_id: {_quoted(ids[0]) if ids else '         # required: which column names the patient?'}"
    yield from _missing(found, entries)
    yield "    rows:"
    for table in extract_tables():
        columns = {name: known for name, known in found.items() if known.table == table and name not in ids}
        if columns or table == "patient":
            yield from _templates(table, columns, entries)
    unknown = [name for name in sheet.header if name and name not in found]
    if unknown:
        yield "    # Nothing in the contract was found for these columns:"
        yield from (f"    #   {_quoted(name)}{_remark(name, entries)}" for name in unknown)


def _missing(found: Mapping[str, Meaning], entries: Mapping[str, Entry]) -> Iterator[str]:
    codes = {name: entries[normal(name)].unknown for name in found if normal(name) in entries}
    if any(codes.values()):
        yield "    missing:"
        yield from (f"      {_quoted(name)}: [{', '.join(map(_quoted, own))}]" for name, own in codes.items() if own)


def _templates(table: str, columns: Mapping[str, Meaning], entries: Mapping[str, Entry]) -> Iterator[str]:
    """Yield one template, or for assays in columns of their own one for each."""
    assays = {name: known for name, known in columns.items() if table == "biomarker" and known.value}
    shared = {name: known for name, known in columns.items() if name not in assays}
    if not assays:
        yield from _template(table, shared, entries)
    for name, known in assays.items():
        yield from _template(table, {**shared, name: known}, entries, assay=name)


def _template(
    table: str, columns: Mapping[str, Meaning], entries: Mapping[str, Entry], assay: str | None = None
) -> Iterator[str]:
    described = {column.name: column for column in extract_tables()[table].columns}
    yield f"      - table: {table}"
    if assay:
        yield f"        only_if: {_quoted(assay)}"
    yield "        columns:"
    given = {known.column for known in columns.values()}
    if assay:
        given.add("analyte")
        yield f"          analyte: {{constant: {columns[assay].value}}}"
    elements = {name: known for name, known in columns.items() if described[known.column].is_list and known.value}
    for name, known in columns.items():
        if name not in elements:
            column = described[known.column]
            yield f"          {column.name}: {_cell(name, known, column, entries)}{_remark(name, entries)}"
    yield from _lists(elements, entries)
    for column in described.values():
        if column.required and column.name not in (*SOURCE_COLUMNS, "patient_id", *given):
            yield f"          {column.name}: {{constant: }}   # required: {column.sentence}"


def _lists(elements: Mapping[str, Meaning], entries: Mapping[str, Entry]) -> Iterator[str]:
    for column in dict.fromkeys(known.column for known in elements.values()):
        yield f"          {column}:"
        yield "            list:"
        for name, known in elements.items():
            if known.column == column:
                codes = entries[normal(name)].codes if normal(name) in entries else {"1": "yes", "0": "no"}
                values = {
                    code: known.value if value_of(label, _BOOLEANS) == "true" else "" for code, label in codes.items()
                }
                yield f"              - {{column: {_quoted(name)}, values: {_values(values)}}}{_remark(name, entries)}"


def _cell(name: str, known: Meaning, column: Column, entries: Mapping[str, Entry]) -> str:
    values = _BOOLEANS if column.dtype == pl.Boolean() else column.values or ()
    codes = entries[normal(name)].codes if normal(name) in entries else {}
    named = {code: value for code, label in codes.items() if (value := value_of(label, values))}
    keys = [f"column: {_quoted(name)}"]
    if known.factor:
        keys.append(f"factor: {known.factor}")
    if named:
        keys.append(f"values: {_values(named)}")
    return f"{{{', '.join(keys)}}}{_hint(values) if values and not named else ''}"


def _hint(values: Sequence[str]) -> str:
    return f"   # values: which delivered value is {', '.join(values)}?"


def _values(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_quoted(code)}: {value}" for code, value in values.items()) + "}"


def _remark(name: str, entries: Mapping[str, Entry]) -> str:
    entry = entries.get(normal(name))
    return f"   # {entry.text}" if entry and entry.text else ""


def _quoted(text: str) -> str:
    """Return a text as YAML and JSON both write it."""
    return json.dumps(text, ensure_ascii=False)
