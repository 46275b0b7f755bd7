"""A workbook as a German hospital keeps it, and the mapping that reads it.

`registry.xlsx` has a wide sheet with a line per patient and a column per test, sheets of the liver, its operations and
drugs, and one that explains the codes. Codes such as 9 and -999 mean unknown; dates and decimals are German.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import xlsxwriter

from crlm_pipeline import resources

Row = Mapping[str, str | None]
Tell = Callable[[str | None], str | int | date | None]

MAPPING: Final = "hospital_workbook"
_CREATED: Final = datetime(2026, 7, 1)  # else the time of writing, and never the same bytes twice
_UNKNOWN: Final = 9
_NO_NUMBER: Final = -999
_EXON_2: Final = {"12", "13", "exon2"}
_ALL_CODONS: Final = ("all", "exon2;exon3;exon4", "12;13;59;61;117;146")
_SITES: Final = {
    "liver": "Leber", "lung": "Lunge", "peritoneum": "Peritoneum", "distant_nodes": "Lymphknoten", "bone": "Knochen",
    "brain": "Gehirn", "ovary": "Ovar", "other": "Sonstige",
}  # fmt: skip


def _code(**codes: str | int) -> Tell:
    """Return what tells a value by its code, and 9 where it is unknown."""
    return lambda value: codes.get(value or "", _UNKNOWN)


def _as_written(value: str | None) -> str | None:
    return value


def _german_day(value: str | None) -> str | None:
    return ".".join(reversed(value.split("-"))) if value else None


def _excel_day(value: str | None) -> date | str | None:
    return date.fromisoformat(value) if value and len(value) == len("2023-05-17") else value


def _whole(value: str | None) -> int:
    return int(value) if value else _NO_NUMBER


def _decimal(value: str | None) -> str | int:
    return value.replace(".", ",") if value else _NO_NUMBER


def _centimetres(value: str | None) -> str | int:
    return _decimal(f"{float(value) / 10:.2f}") if value else _NO_NUMBER


def _places(value: str | None) -> str | None:
    return ", ".join(_SITES[site] for site in value.split(";")) if value else None


def _extent(value: str | None) -> int:
    """Return 1 where only exon 2 of RAS was examined, 2 for all six codons; the form has no code between."""
    if value in _ALL_CODONS:
        return 2
    return 1 if value and set(value.split(";")) <= _EXON_2 else _UNKNOWN


_YES_NO: Final = _code(true="j", false="n")
_GENE: Final = _code(not_detected=0, mutated=1, failed=8, indeterminate=8)

# Column of the sheet, column of the table it comes from, and how it is told.
_PATIENTS: Final[tuple[tuple[str, str, Tell], ...]] = (
    ("PatNr", "patient_id", _as_written),
    ("Klinik", "centre_id", _as_written),
    ("Land", "country", _as_written),
    ("Geburtsjahr", "birth_year", _whole),
    ("Geschlecht", "sex", _code(male="m", female="w", other="d")),
    ("Status", "vital_status", _code(alive=0, dead=1)),
    ("Letzter_Kontakt", "last_day", _german_day),
    ("Diagnose", "diagnosis_date", _german_day),
    ("Lokalisation", "topography", lambda value: (value or "").replace(".", "")),
    ("Histologie", "morphology", _as_written),
    ("T", "t_category", _as_written),
    ("N", "n_category", _as_written),
    ("M", "m_category", _as_written),
    ("LK_positiv", "nodes_positive", _whole),
    ("OP_Primaertumor", "resection_date", _german_day),
    ("R_Primaertumor", "resection_margin", _code(r0=0, r1=1, r2=2)),
    ("Entnahme", "sample_date", _german_day),
    ("KRAS", "kras", _GENE),
    ("KRAS_Variante", "kras_hgvs_p", _as_written),
    ("KRAS_Umfang", "kras_region", _extent),
    ("KRAS_Befund", "kras_date", _german_day),
    ("NRAS", "nras", _GENE),
    ("NRAS_Variante", "nras_hgvs_p", _as_written),
    ("NRAS_Umfang", "nras_region", _extent),
    ("NRAS_Befund", "nras_date", _german_day),
    ("BRAF", "braf", _GENE),
    ("BRAF_Variante", "braf_hgvs_p", _as_written),
    ("BRAF_Befund", "braf_date", _german_day),
    ("MSI", "msi", _code(mss=0, msi_h=1, msi_l=2, failed=8, indeterminate=8)),
    ("MSI_Befund", "msi_date", _german_day),
)
_LIVER: Final[tuple[tuple[str, str, Tell], ...]] = (
    ("PatNr", "patient_id", _as_written),
    ("Datum", "assessment_date", _german_day),
    ("Erste_Metastase", "first_metastasis_date", _german_day),
    ("Lebermetastase_seit", "mets_diagnosis_date", _german_day),
    ("Organe", "mets_sites", _places),
    ("Anzahl", "crlm_count", _whole),
    ("Groesse_cm", "crlm_max_mm", _centimetres),
    ("Beidseits", "is_bilobar", _YES_NO),
    ("CEA", "cea_ng_ml", _decimal),
    ("Parenchym", "liver_background", _code(normal=0, steatosis=1, sinusoidal_obstruction=2, fibrosis=3, cirrhosis=4)),
    ("Child", "child_pugh", _code(a="A", b="B", c="C")),
    ("FLR_Prozent", "flr_percent", _decimal),
    ("FLR_ml", "flr_ml", _decimal),
    ("Leber_ml", "tlv_ml", _decimal),
    ("Resektabel", "resectability", _code(upfront=1, difficult=2, potential=3, never=4)),
    ("Beurteilt_durch", "resectability_source", _code(mdt="K", panel="E", surgeon="C")),
    ("Ablatierbar", "is_ablatable", _YES_NO),
    ("Geplant", "planned_resection", _code(minor=1, major=2)),
    ("ECOG", "ecog", _code(**{"0": 0, "1": 1, "2": 2, "3": 3, "4": 4})),
)
_OPERATIONS: Final[tuple[tuple[str, str, Tell], ...]] = (
    ("PatNr", "patient_id", _as_written),
    ("Eingriff_am", "procedure_date", _german_day),
    ("Eingriff", "procedure", lambda value: "Leberresektion" if value == "resection" else (value or "").upper()),
    ("Gross", "is_major", _YES_NO),
    ("Anatomisch", "is_anatomical", _YES_NO),
    ("Herde", "lesions_treated", _whole),
    ("R", "margin", _code(r0=0, r1=1, r2=2)),
    ("Clavien", "clavien_dindo",
     _code(**{"0": "0", "1": "I", "2": "II", "3a": "IIIa", "3b": "IIIb", "4a": "IVa", "4b": "IVb", "5": "V"})),
    ("Liegetage", "length_of_stay_days", _whole),
)  # fmt: skip
_DRUGS: Final[tuple[tuple[str, str, Tell], ...]] = (
    ("PatNr", "patient_id", _as_written),
    ("Substanz", "drug", _as_written),
    ("ATC", "atc", _as_written),
    ("Beginn", "start_date", _excel_day),
    ("Ende", "end_date", _excel_day),
    ("Absicht", "intent", _code(adjuvant="A", perioperative="N", conversion="K", palliative="P", curative="H")),
    ("Abbruch", "stop_reason",
     _code(completed=1, progression=2, toxicity=3, death=4, choice=5, local_treatment=6)),
)  # fmt: skip
_DICTIONARY: Final = (
    ("Variable Name", "Description", "Values"),
    ("Status", "Vitalstatus beim letzten Kontakt", "0-lebt | 1-verstorben | 9-unbekannt"),
    ("LK_positiv", "Befallene regionale Lymphknoten", "-999 = unbekannt"),
    ("KRAS", "Mutation im Tumor, ebenso NRAS, BRAF", "0-keine | 1-Mutation | 8-nicht auswertbar | 9-nicht getestet"),
    ("KRAS_Umfang", "Untersuchte Codons", "1-nur Exon 2 | 2-Codons 12, 13, 59, 61, 117, 146 | 9-unbekannt"),
    ("MSI", "Mikrosatelliten", "0-MSS | 1-MSI-H | 2-MSI-L | 8-nicht auswertbar | 9-nicht getestet"),
    ("Anzahl", "Lebermetastasen", "99 = nicht zählbar; -999 = unbekannt"),
    ("Resektabel", "Resektabilität der Metastasen", "1-primär | 2-grenzwertig | 3-nach Therapie | 4-nie | 9-offen"),
    ("Beurteilt_durch", "Beurteiler der Resektabilität", "K-Konferenz | E-Expertengremium | C-Chirurg | 9-unbekannt"),
)  # fmt: skip


def write(folder: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    """Write `registry.xlsx` and `mapping.yaml`."""
    sheets = {
        "Patienten": _cells(_PATIENTS, _wide(tables)),
        "Leber": _cells(_LIVER, tables["assessment"]),
        "Eingriffe": _cells(_OPERATIONS, tables["procedure"]),
        "Therapie": _cells(_DRUGS, tables["drug_exposure"]),
        "Wörterbuch": [list(row) for row in _DICTIONARY],
    }
    with xlsxwriter.Workbook(folder / "registry.xlsx", {"default_date_format": "dd.mm.yyyy"}) as book:
        book.set_properties({"created": _CREATED})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    (folder / "mapping.yaml").write_bytes(_mapping().read_bytes())


def _mapping() -> Path:
    return next(path for path in resources.mapping_files() if path.stem == MAPPING)


def _cells(columns: tuple[tuple[str, str, Tell], ...], frame: pl.DataFrame) -> list[list[Any]]:
    header: list[Any] = [name for name, _, _ in columns]
    return [header, *([tell(row[source]) for _, source, tell in columns] for row in frame.iter_rows(named=True))]


def _wide(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return one row per patient with the first primary and, of each gene, the first assay of tissue."""
    wide = tables["patient"].with_columns(last_day=pl.coalesce("death_date", "last_contact_date"))
    wide = wide.join(_first(tables["tumour"]), on="patient_id", how="left", maintain_order="left")
    tissue = tables["biomarker"].filter(~pl.col("specimen_site").is_in(["plasma", "blood"]))
    wide = wide.join(
        _first(tissue).select("patient_id", "sample_date"), on="patient_id", how="left", maintain_order="left"
    )
    for gene in ("kras", "nras", "braf", "msi"):
        assays = _first(tissue.filter(pl.col("analyte") == gene)).select(
            "patient_id",
            pl.col("result").alias(gene),
            pl.col("hgvs_p").alias(f"{gene}_hgvs_p"),
            pl.col("region_tested").alias(f"{gene}_region"),
            pl.coalesce("report_date", "sample_date").alias(f"{gene}_date"),
        )
        wide = wide.join(assays, on="patient_id", how="left", maintain_order="left")
    return wide


def _first(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.unique("patient_id", keep="first", maintain_order=True)
