"""NAACCR XML, versions 21 to 25: patients, colorectal tumours with their biomarkers, and metastases.

Every patient makes a row; a tumour outside colon, rectum and intestine NOS makes none and is noticed. Centre = the
reporting facility, else the registry of the file, else `unknown`. Metastases are those at diagnosis and of the first
recurrence. Country = that of the address at diagnosis when it is the US or Canada, else `ZZ`. Results of biomarkers
bear no date: decisions do not see them. Drugs, their dates and the organ of distant surgery are not in the format
(docs/formats/naaccr.md).
"""

from typing import Final

import polars as pl

from crlm_pipeline.extracts import naaccr
from crlm_pipeline.extracts.format import Mapped, Reading
from crlm_pipeline.extracts.naaccr_metastases import assessments
from crlm_pipeline.extracts.naaccr_notices import of_patients, of_tumours
from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import COLORECTAL, dotted

NAME: Final = "naaccr"
_COUNTRIES: Final = {"USA": "US", "CAN": "CA"}
_UNKNOWN_COUNTRY: Final = "ZZ"
_SEX: Final = {"1": "male", "2": "female", "3": "other", "4": "other", "5": "other", "6": "other"}
_VITAL_STATUS: Final = {"0": "dead", "1": "alive"}
_MARGINS: Final = {"0": "r0", "2": "r1", "3": "r2"}
_MOST_NODES: Final = 90  # 90 or more; 95 to 99 are no counts


def recognises(group: Group) -> bool:
    """Whether a file's root element is that of NAACCR XML."""
    return any(_is_naaccr(sheet) for sheet in group.sheets)


def read(group: Group) -> Reading:
    """Make patients, tumours, assessments and biomarkers of every NAACCR XML file of the group."""
    mapped: list[Mapped] = []
    notices: list[Notice] = []
    sources = tuple(sheet for sheet in group.sheets if _is_naaccr(sheet))
    for source in sources:
        patients, tumours = naaccr.read_lists(source)
        colorectal = _colorectal(tumours.records)
        people = _patients(patients.records, tumours.records)
        mapped += [Mapped(patients, {"patient": people}), Mapped(tumours, _tumour_tables(colorectal))]
        notices += [*of_patients(patients, people, colorectal), *of_tumours(tumours, colorectal)]
    return Reading("real", tuple(mapped), sources, tuple(notices))


def _is_naaccr(sheet: Sheet) -> bool:
    return sheet.kind == "xml" and sheet.has(naaccr.ROOT)


def _patients(patients: pl.DataFrame, tumours: pl.DataFrame) -> pl.DataFrame:
    """Return every patient; centre and country are those of the first tumour that names them."""
    named = tumours.group_by("patientIdNumber").agg(
        naaccr.facility().drop_nulls().first().alias("facility"),
        _recode("addrAtDxCountry", _COUNTRIES).drop_nulls().first().alias("home"),
        naaccr.year_of_birth().drop_nulls().first().alias("year"),
    )
    status = _recode("vitalStatus", _VITAL_STATUS)
    last_day = naaccr.day("dateOfLastContact")
    return patients.join(named, on="patientIdNumber", how="left", maintain_order="left").select(
        SOURCE_ROW,
        patient_id="patientIdNumber",
        centre_id=pl.coalesce("facility", naaccr.facility("registryId"), pl.lit(naaccr.UNKNOWN_CENTRE)),
        country=pl.coalesce("home", pl.lit(_UNKNOWN_COUNTRY)),
        birth_year=pl.coalesce(pl.col("dateOfBirth").str.slice(0, 4), "year"),
        sex=pl.coalesce(_recode(name, _SEX) for name in ("sexAssignedAtBirth", "sex")),
        vital_status=status,
        last_contact_date=last_day,
        death_date=pl.when(status == "dead").then(last_day),
    )


def _colorectal(tumours: pl.DataFrame) -> pl.DataFrame:
    """Return the colorectal tumours with `tumour_id`, `topography`, `diagnosis_date`, `year`, `m_category`."""
    number = pl.col(SOURCE_ROW).rank("ordinal").over("patientIdNumber").cast(pl.String)
    known = tumours.with_columns(
        tumour_id=pl.coalesce("tumorRecordNumber", "sequenceNumberCentral", number),
        topography=dotted("primarySite"),
        diagnosis_date=naaccr.day("dateOfDiagnosis"),
        year=pl.col("dateOfDiagnosis").str.slice(0, 4).cast(pl.Int32, strict=False),
        m_category=_m_category(),
    )
    return known.filter(pl.col("topography").str.contains(COLORECTAL))


def _tumour_tables(tumours: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {"tumour": _tumours(tumours), "assessment": assessments(tumours), "biomarker": _biomarkers(tumours)}


def _tumours(tumours: pl.DataFrame) -> pl.DataFrame:
    nodes = pl.col("regionalNodesPositive").cast(pl.Int32, strict=False)
    return tumours.select(
        SOURCE_ROW,
        "tumour_id",
        "diagnosis_date",
        "topography",
        "m_category",
        patient_id="patientIdNumber",
        morphology=pl.concat_str("histologicTypeIcdO3", "behaviorCodeIcdO3", separator="/"),
        t_category=pl.coalesce(_category(f"ajccTnm{kind}T", r"(T(?:is|[0-4][a-d]?))") for kind in ("Path", "Clin")),
        n_category=pl.coalesce(_category(f"ajccTnm{kind}N", r"(N[0-3][a-c]?)") for kind in ("Path", "Clin")),
        nodes_positive=pl.when(nodes <= _MOST_NODES).then(nodes.cast(pl.String)),
        resection_date=naaccr.day("rxDateMostDefinSurg"),
        resection_margin=_recode("rxSummSurgicalMargins", _MARGINS),
    )


def _m_category() -> pl.Expr:
    """Return M1 of either staging before M0; pathology may report a clinical M0 where imaging shows metastases."""
    both = [_category(f"ajccTnm{kind}M", r"(M[01][a-c]?)") for kind in ("Path", "Clin")]
    return pl.coalesce(*(pl.when(m.str.starts_with("M1")).then(m) for m in both), *both)


def _biomarkers(tumours: pl.DataFrame) -> pl.DataFrame:
    """Return one row per answered item; an answer of unknown meaning stays as it is, and validation rejects the row."""
    return pl.concat([_answers(tumours, analyte, item) for analyte, item in naaccr.GENE_ITEMS.items()])


def _answers(tumours: pl.DataFrame, analyte: str, item: str) -> pl.DataFrame:
    changes = naaccr.PROTEIN_CHANGES.get(analyte, {})
    rows = tumours.filter(pl.col(item).is_not_null()).select(
        SOURCE_ROW,
        naaccr.facility().alias("centre_id"),
        patient_id="patientIdNumber",
        specimen_id="tumour_id",
        analyte=pl.lit(analyte),
        result=pl.col(item).replace(naaccr.RESULTS[analyte]),
        hgvs_p=_recode(item, changes),
        registry_code=item,
    )
    return rows.with_columns(missing_reason=pl.when(pl.col("result") == "indeterminate").then(pl.lit("not_recorded")))


def _category(column: str, pattern: str) -> pl.Expr:
    return pl.col(column).str.extract(pattern)


def _recode(column: str, values: dict[str, str]) -> pl.Expr:
    return pl.col(column).replace_strict(values, default=None, return_dtype=pl.String)
