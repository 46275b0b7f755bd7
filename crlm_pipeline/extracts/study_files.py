"""What each file of a cBioPortal study folder is: told by its header, its values, and what a meta file declares."""

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from crlm_pipeline.extracts import maf
from crlm_pipeline.extracts.source import Sheet
from crlm_pipeline.extracts.text import SOURCE_ROW

SYMBOL: Final = "Hugo_Symbol"
_SAMPLE_NAMES: Final = ("Tumor_Sample_Barcode", "Sample_Id", "Sample_ID", "SAMPLE_ID")
_LEVELS: Final = ("-2", "-1.5", "-1", "0", "1", "2")
_COMMENT_LINES: Final = 4
_META_KEY: Final = re.compile(r"^(\w+):[ \t]*(\S[^\n]*)$", re.MULTILINE)
STUDY_KEY: Final = "cancer_study_identifier"
_PANEL: Final = re.compile(r"^stable_id:[ \t]*(\S+)[ \t\r]*$", re.MULTILINE)
_PANEL_GENES: Final = re.compile(r"^gene_list:[ \t]*(\S[^\n]*)$", re.MULTILINE)

# The keys of meta files by the name of the file that they describe.
Declared = Mapping[str, Mapping[str, str]]


def is_part(sheet: Sheet) -> bool:
    """Whether a sheet tells a study: a `meta` file, or a clinical file with its four `#` lines."""
    is_clinical = sheet.has("PATIENT_ID") and len(_comments(sheet)) >= _COMMENT_LINES
    return is_clinical or bool(meta_keys(sheet))


def meta_keys(sheet: Sheet) -> dict[str, str]:
    """Return the keys of a meta file; empty for any other file."""
    keys = {key: text.rstrip() for key, text in _META_KEY.findall(sheet.head)} if "\t" not in sheet.head else {}
    return keys if STUDY_KEY in keys else {}


def _comments(sheet: Sheet) -> list[str]:
    lines = sheet.head.split("\n")
    return lines[: next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))]


def description(sheet: Sheet, column: str) -> str:
    """Return the description of an attribute: the second `#` line of a clinical file."""
    comments = _comments(sheet)
    if column not in sheet.header or len(comments) < _COMMENT_LINES:
        return ""
    texts = comments[1].split("\t")
    at = sheet.header.index(column)
    return texts[at] if at < len(texts) else ""


def panel(sheet: Sheet) -> dict[str, list[str]]:
    """Return the genes of a delivered panel by its name; empty for any other file."""
    name, genes = _PANEL.search(sheet.head), _PANEL_GENES.search(sheet.head)
    return {name[1]: genes[1].split()} if name and genes else {}


def sample_column(sheet: Sheet) -> str:
    """Return the column that names the sample of a record; `SAMPLE_ID` where none does."""
    return next((name for name in _SAMPLE_NAMES if sheet.has(name)), "SAMPLE_ID")


def is_long(sheet: Sheet) -> bool:
    """Whether copy numbers stand one per record, not one column per sample."""
    return sheet.has(SYMBOL, "Value")


def patient_files(sheets: list[Sheet], declared: Declared) -> tuple[Sheet, ...]:
    """Return the files of patients: the ones that are declared so, where any is (GENIE BPC adds tables of survival)."""
    kinds = [declared.get(sheet.file.path.name, {}).get("datatype", "") for sheet in sheets]
    named = [sheet for sheet, kind in zip(sheets, kinds, strict=True) if kind.startswith("PATIENT_ATTRIBUTE")]
    return tuple(named or sheets)


def has_copy_numbers(sheet: Sheet, declared: Declared) -> bool:
    """Whether a table of genes holds discrete copy numbers, by its meta file, else by the values of ERBB2."""
    if not sheet.has(SYMBOL) or sheet.has(*maf.HEADER) or has_fusions(sheet):
        return False
    keys = declared.get(sheet.file.path.name)
    if keys is not None:
        is_copy_number = keys.get("genetic_alteration_type") == "COPY_NUMBER_ALTERATION"
        return is_copy_number and keys.get("datatype", "").startswith("DISCRETE")
    levels = copy_number_levels(sheet)["level"]
    return levels.len() > 0 and bool(levels.is_in(_LEVELS).all())


def copy_number_levels(sheet: Sheet) -> pl.DataFrame:
    """Return the known levels of ERBB2: `source_row`, SAMPLE_ID, `level` (`2.0` as `2`)."""
    records = maf.known(sheet.records).filter(pl.col(SYMBOL) == "ERBB2")
    if is_long(sheet):
        rows = records.select(SOURCE_ROW, pl.col(sample_column(sheet)).alias("SAMPLE_ID"), level="Value")
    else:
        named = [
            name for name in sheet.records.columns if name not in {SOURCE_ROW, SYMBOL, "Entrez_Gene_Id", "Cytoband"}
        ]
        rows = records.unpivot(on=named, index=SOURCE_ROW, variable_name="SAMPLE_ID", value_name="level")
    return rows.with_columns(pl.col("level").str.replace(r"\.0+$", "")).drop_nulls()


def has_fusions(sheet: Sheet) -> bool:
    """Whether a table holds structural variants, or fusions in the older form."""
    is_structural = sheet.has("Site1_Hugo_Symbol", "Site2_Hugo_Symbol")
    is_older = sheet.has(SYMBOL, "Tumor_Sample_Barcode", "Fusion")
    return (is_structural or is_older) and sheet.has(sample_column(sheet))
