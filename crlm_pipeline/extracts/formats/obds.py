"""oBDS-RKI XML, the German national data set: patients, colorectal tumours, courses of drugs and follow-up.

Every patient makes a row; a tumour outside colon, rectum and intestine NOS makes none, nor does anything below it, and
is noticed. Centre = the delivering register; country DE. An event whose year is estimated makes no row. Operations are
codes (OPS) that the contract does not know; of radiation only radioembolisation is told (docs/formats/obds.md).
"""

from typing import Final

import polars as pl

from crlm_pipeline.extracts import obds, regimen_names
from crlm_pipeline.extracts.format import Mapped, Reading
from crlm_pipeline.extracts.metastases import named_by_then
from crlm_pipeline.extracts.obds_notices import of_delivery
from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import COLORECTAL, dotted

NAME: Final = "obds"
_COUNTRY: Final = "DE"
_UNKNOWN_CENTRE: Final = "unknown"
_SEX: Final = {"M": "male", "W": "female", "D": "other"}
_VITAL_STATUS: Final = {"J": "dead", "N": "alive"}
_SITES: Final = {
    "HEP": "liver", "PUL": "lung", "PER": "peritoneum", "LYM": "distant_nodes", "OSS": "bone", "BRA": "brain",
    "MAR": "other", "PLE": "other", "ADR": "other", "SKI": "other", "OTH": "other", "GEN": "other",
}  # fmt: skip
_RAS: Final = {"W": "not_detected", "M": "indeterminate", "U": "indeterminate", "N": "indeterminate"}
_RAS_MISSING: Final = {"U": "not_recorded", "N": "not_done"}
_INTENTS: Final = {"KA": "adjuvant", "KN": "perioperative", "KO": "curative", "KI": "curative", "KS": "curative"}
_OUTCOMES: Final = {
    "V": "complete_response", "R": "complete_response", "T": "partial_response", "K": "stable_disease",
    "B": "stable_disease", "P": "progression", "Y": "progression",
}  # fmt: skip


def recognises(group: Group) -> bool:
    """Whether a file's root element is that of oBDS-RKI."""
    return any(_is_obds(sheet) for sheet in group.sheets)


def read(group: Group) -> Reading:
    """Make the tables of every oBDS-RKI file of the group."""
    mapped: list[Mapped] = []
    notices: list[Notice] = []
    sources = tuple(sheet for sheet in group.sheets if _is_obds(sheet))
    for source in sources:
        lists = obds.read_lists(source)
        colorectal = _colorectal(lists)
        mapped += [Mapped(lists["Patient"], {"patient": _patients(lists["Patient"].records)})]
        mapped += _of_tumours(lists, colorectal)
        notices += of_delivery(lists, colorectal)
    return Reading("real", tuple(mapped), sources, tuple(notices))


def _is_obds(sheet: Sheet) -> bool:
    return sheet.kind == "xml" and any(sheet.has(root) for root in obds.ROOTS)


def _colorectal(lists: dict[str, Sheet]) -> dict[str, pl.DataFrame]:
    """Return the records of colorectal tumours by list; the diagnosis (ICD-10) decides, where there is one.

    Tumours have `topography`: that of ICD-O-3, unless it contradicts the diagnosis or is not given.
    """
    diagnosis, site = dotted("ICD"), dotted("Topographie")
    decisive = lists["Tumor"].records.filter(pl.coalesce(diagnosis, site).str.contains(COLORECTAL))
    tumours = decisive.with_columns(
        topography=pl.when(site.str.contains(COLORECTAL)).then(site).otherwise(diagnosis),
    )
    below = {
        name: sheet.records.join(tumours, on=["Patient_ID", "Tumor_ID"], how="semi", maintain_order="left")
        for name, sheet in lists.items()
        if name not in {"Patient", "Tumor"}
    }
    return {"Tumor": tumours, **below}


def _of_tumours(lists: dict[str, Sheet], colorectal: dict[str, pl.DataFrame]) -> list[Mapped]:
    tumours, follow_ups = colorectal["Tumor"], colorectal["Folgeereignis"]
    work_ups = _assessments(tumours, follow_ups)
    own = {name: work_ups.filter(pl.col("list") == name).drop("list") for name in ("Tumor", "Folgeereignis")}
    of_tumour = {"tumour": _tumours(tumours), "assessment": own["Tumor"], "biomarker": _biomarkers(tumours)}
    of_follow_up = {"assessment": own["Folgeereignis"], "outcome": _outcomes(follow_ups)}
    told = follow_ups.filter(pl.col("Lokalisation").is_not_null(), obds.day("Datum_Folgeereignis").is_not_null())
    return [
        Mapped(lists["Tumor"], of_tumour),
        Mapped(lists["SYST"], {"drug_exposure": _exposures(colorectal["SYST"])}),
        Mapped(lists["Bestrahlung"], {"procedure": _procedures(colorectal["Bestrahlung"])}),
        Mapped(lists["OP"]),
        Mapped(lists["Folgeereignis"], of_follow_up, told[SOURCE_ROW]),
    ]


def _patients(records: pl.DataFrame) -> pl.DataFrame:
    status, last_day = _recode("Verstorben", _VITAL_STATUS), obds.day("Datum_Vitalstatus")
    return records.select(
        SOURCE_ROW,
        patient_id="Patient_ID",
        centre_id=pl.col("Register_ID").fill_null(_UNKNOWN_CENTRE),
        country=pl.lit(_COUNTRY),
        birth_year=obds.day("Geburtsdatum").str.slice(0, 4),
        sex=_recode("Geschlecht", _SEX),
        vital_status=status,
        last_contact_date=last_day,
        death_date=pl.when(status == "dead").then(last_day),
    )


def _tumours(records: pl.DataFrame) -> pl.DataFrame:
    return records.select(
        SOURCE_ROW,
        "topography",
        patient_id="Patient_ID",
        tumour_id="Tumor_ID",
        diagnosis_date=obds.day("Diagnosedatum"),
        morphology="Morphologie",
        t_category=_category("T", r"^(is|[0-4][a-d]?)"),
        n_category=_category("N", r"^([0-3][a-c]?)"),
        m_category=_category("M", r"^([01][a-c]?)"),
        nodes_positive="LK_befallen",
    )


def _category(letter: str, pattern: str) -> pl.Expr:
    """Return a TNM category: after the operation, else before treatment; what cannot be assessed is unknown."""
    return pl.lit(letter) + pl.coalesce(pl.col(f"{kind}{letter}").str.extract(pattern) for kind in "pc")


def _biomarkers(records: pl.DataFrame) -> pl.DataFrame:
    """Return KRAS and NRAS of each RAS entry: which of the two is mutated, and which codons were seen, is not told."""
    entries = records.filter(pl.col("RASMutation").is_not_null())
    return pl.concat(
        entries.select(
            SOURCE_ROW,
            patient_id="Patient_ID",
            specimen_id="Tumor_ID",
            analyte=pl.lit(analyte),
            result=pl.col("RASMutation").replace(_RAS),
            missing_reason=_recode("RASMutation", _RAS_MISSING),
            registry_code="RASMutation",
        )
        for analyte in ("kras", "nras")
    )


def _assessments(tumours: pl.DataFrame, follow_ups: pl.DataFrame) -> pl.DataFrame:
    """Return one work-up per patient and day with metastases named; its organs are those named up to that day.

    A follow-up names new metastases, and nothing says that earlier ones have gone. `list` = list of the source row.
    """
    parts = [
        records.select(SOURCE_ROW, "Patient_ID", "Lokalisation", pl.lit(name).alias("list"), obds.day(day).alias("day"))
        for name, records, day in (
            ("Tumor", tumours, "Diagnosedatum"),
            ("Folgeereignis", follow_ups, "Datum_Folgeereignis"),
        )
    ]
    named = pl.concat(parts).drop_nulls(["Lokalisation", "day"])
    places = named.select("Patient_ID", pl.col("day").alias("day_named"), pl.col("Lokalisation").str.split(";"))
    places = places.explode("Lokalisation").with_columns(site=_recode("Lokalisation", _SITES))
    days = named.unique(["Patient_ID", "day"], keep="first", maintain_order=True)
    until = days.join(places, on="Patient_ID", maintain_order="left").filter(pl.col("day_named") <= pl.col("day"))
    work_ups = until.group_by("list", SOURCE_ROW, "Patient_ID", "day", maintain_order=True)
    rows = work_ups.agg(**named_by_then("day_named", "site"))
    return rows.rename({"Patient_ID": "patient_id", "day": "assessment_date"})


def _exposures(records: pl.DataFrame) -> pl.DataFrame:
    """Return one row per substance and course; a protocol of known regimens stands for its substances."""
    protocol = pl.coalesce("Protokoll", "Protokollschluessel").str.split("+")
    substance = pl.coalesce("Substanz", "ATC")
    named = records.with_columns(drug=pl.when(substance.is_null()).then(protocol).otherwise(pl.concat_list(substance)))
    named = named.explode("drug").with_columns(pl.col("drug").str.strip_chars())
    named = named.with_columns(regimen_names.taken_apart("drug")).explode("drug")
    rows = named.select(
        SOURCE_ROW,
        patient_id="Patient_ID",
        drug="drug",
        atc="ATC",
        start_date=obds.day("Datum_Beginn_SYST"),
        end_date=obds.day("Datum_Beginn_SYST", "Anzahl_Tage_SYST_Dauer"),
        intent=_intent(),
    )
    return rows.filter(pl.col("drug") != "", pl.col("start_date").is_not_null())


def _intent() -> pl.Expr:
    """Return palliative, or the place of a curative course beside the operation."""
    both = (pl.col("Intention") + pl.col("Stellung_OP").fill_null("S")).replace_strict(
        _INTENTS, default=None, return_dtype=pl.String
    )
    return pl.when(pl.col("Intention") == "P").then(pl.lit("palliative")).otherwise(both)


def _procedures(records: pl.DataFrame) -> pl.DataFrame:
    """Return radioembolisations; of other radiation the format does not tell the organ in terms of the contract."""
    rows = records.filter(pl.col("Metabolisch_Typ") == "SIRT").select(
        SOURCE_ROW,
        patient_id="Patient_ID",
        procedure_date=obds.day("Datum_Beginn_Bestrahlung"),
        procedure=pl.lit("sirt"),
    )
    return rows.drop_nulls("procedure_date")


def _outcomes(records: pl.DataFrame) -> pl.DataFrame:
    rows = records.select(
        SOURCE_ROW,
        patient_id="Patient_ID",
        outcome_date=obds.day("Datum_Folgeereignis"),
        outcome=_recode("Gesamtbeurteilung_Tumorstatus", _OUTCOMES),
    )
    return rows.drop_nulls()


def _recode(column: str, values: dict[str, str]) -> pl.Expr:
    return pl.col(column).replace_strict(values, default=None, return_dtype=pl.String)
