"""What the words of a spreadsheet mean to the contract: headers, and the codes that a dictionary sheet explains."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from crlm_pipeline import resources
from crlm_pipeline.extracts.source import Sheet
from schemas.column import SOURCE_COLUMNS
from schemas.extract import extract_tables

_NAMES: Final = frozenset(
    {"variable", "variablename", "variablefieldname", "field", "fieldname", "column", "columnname"}
)
_CODES: Final = frozenset({"values", "value", "codes", "coding", "choices", "choicescalculationsorsliderlabels"})
_MEANINGS: Final = frozenset({"description", "label", "fieldlabel", "meaning", "definition"})
_OPTION: Final = re.compile(r"^(-?\w+)\s*[-=:,]\s*(.+)$")
_UNKNOWN: Final = frozenset({"na", "unknown", "notapplicable", "notavailable", "notknown", "missing"})
_EVERYDAY: Final = {
    "yes": "true",
    "no": "false",
    "deceased": "dead",
    "living": "alive",
    "wildtype": "not_detected",
    "mutant": "mutated",
    "notmutated": "not_detected",
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """A column of the contract; `value` is the analyte or the list's element that the header stands for."""

    table: str
    column: str
    value: str = ""
    factor: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a dictionary sheet says of a column: `codes` maps each code to its label in normal form."""

    text: str
    codes: Mapping[str, str]

    @property
    def unknown(self) -> list[str]:
        """Codes whose label says that the value is not known."""
        return [code for code, label in self.codes.items() if label in _UNKNOWN]


def normal(text: str) -> str:
    """Return letters and digits in lower case, so that `Patient-ID` and `patient_id` are one."""
    return "".join(character for character in text.lower() if character.isalnum())


def meaning(header: str) -> Meaning | None:
    """Return the contract's column that a header names, by the contract's own name or an everyday one."""
    return _meanings().get(normal(header))


@cache
def _meanings() -> dict[str, Meaning]:
    own: dict[str, Meaning] = {}
    for table in extract_tables().values():
        for column in table.columns:
            if column.name not in SOURCE_COLUMNS:
                own.setdefault(normal(column.name), Meaning(table.name, column.name))
    rows = resources.reference("header_synonyms")
    everyday = {normal(r["header"]): Meaning(r["table"], r["column"], r["value"], r["factor"]) for r in rows}
    return everyday | own


def value_of(label: str, values: Sequence[str]) -> str | None:
    """Return the value of a vocabulary that a label in normal form names; None when it names none."""
    by_name = {normal(value): value for value in values}
    named = by_name.get(label) or by_name.get(normal(_EVERYDAY.get(label, "")))
    return named or None


def is_dictionary(sheet: Sheet) -> bool:
    """Whether a sheet explains the columns of others."""
    names = set(map(normal, sheet.header))
    return bool(names & _NAMES) and bool(names & _CODES)


def dictionary(sheet: Sheet) -> dict[str, Entry]:
    """Return what a dictionary sheet says, by column name in normal form."""
    columns = [name for name in sheet.records.columns if normal(name) in _NAMES | _CODES | _MEANINGS]
    name = next(column for column in columns if normal(column) in _NAMES)
    codes = next(column for column in columns if normal(column) in _CODES)
    texts = [column for column in columns if column != name]
    return {
        normal(row[name]): Entry(
            " ".join("; ".join(row[c] for c in texts if row[c]).split()), _options(row[codes] or "")
        )
        for row in sheet.records.iter_rows(named=True)
        if row[name]
    }


def _options(text: str) -> dict[str, str]:
    """Return codes and labels of `1-Male | 2-Female`, `1, Yes | 0, No` or `0 = no; 1 = yes`."""
    parts = re.split(r"[|\n]" if "|" in text else r"[;,\n]", text)
    found = (_OPTION.match(part.strip()) for part in parts)
    return {option[1]: normal(option[2]) for option in found if option}
