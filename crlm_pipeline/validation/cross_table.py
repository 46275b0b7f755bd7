"""The checks that look at more than one cell: each a named rule with what it expects and what a row comes to.

What cannot have happened is set aside: a report before its sample, an end before its start, a treatment after death, a
child without its patient. What is only odd is kept with a warning, because a registry may well be right about it.
A comparison with something unknown never fails. A partial date fails only if no day of its period would do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import polars as pl

from crlm_pipeline.resources import reference
from crlm_pipeline.validation.casts import earliest, latest
from crlm_pipeline.validation.faults import Check, Place, faults

Tables = Mapping[str, pl.DataFrame]

_SYNCHRONOUS: Final = timedelta(days=31)
_ADULT_AGE: Final = 18
_MMR_PROTEINS: Final = ("mlh1", "pms2", "msh2", "msh6")
_CODON_12: Final = r"^(?:p\.)?\(?(?:G|Gly)12(?:[^0-9]|$)"


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """A check of the rows of `table`; `failing` returns those of its rows that fail, given every table.

    `reads`: the columns without which nothing can fail it, those of other tables as `table.column`.
    """

    table: str
    check: Check
    failing: Callable[[Tables], pl.DataFrame]
    reads: tuple[str, ...]

    @property
    def place(self) -> Place:
        """Check, table and column."""
        return self.check.name, self.table, self.check.column

    def faults(self, tables: Tables) -> pl.DataFrame:
        """Return the faults of this check."""
        return faults(self.check, self.failing(tables))


def _end_before_start(tables: Tables) -> pl.DataFrame:
    return tables["drug_exposure"].filter(latest("end_date") < earliest("start_date"))


def _report_before_sample(tables: Tables) -> pl.DataFrame:
    return tables["biomarker"].filter(latest("report_date") < earliest("sample_date"))


def _after_death(table: str, day: str) -> Callable[[Tables], pl.DataFrame]:
    def failing(tables: Tables) -> pl.DataFrame:
        deaths = tables["patient"].select("patient_id", latest("death_date").alias("last_day"))
        return tables[table].join(deaths, on="patient_id", how="left").filter(earliest(day) > pl.col("last_day"))

    return failing


def _flr_volumes_impossible(tables: Tables) -> pl.DataFrame:
    share = 100 * pl.col("flr_ml") / pl.col("tlv_ml")
    return tables["assessment"].filter(~share.is_between(5, 100))


def _metastasis_before_primary(tables: Tables) -> pl.DataFrame:
    first_primary = tables["tumour"].group_by("patient_id").agg(earliest("diagnosis_date").min().alias("first_primary"))
    joined = tables["assessment"].join(first_primary, on="patient_id", how="left")
    return joined.filter(latest("mets_diagnosis_date") < pl.col("first_primary") - _SYNCHRONOUS)


def _under_age(tables: Tables) -> pl.DataFrame:
    births = tables["patient"].select("patient_id", "birth_year")
    joined = tables["tumour"].join(births, on="patient_id", how="left")
    return joined.filter(pl.col("diagnosis_date").dt.year() - pl.col("birth_year") < _ADULT_AGE)


def _topography_outside(tables: Tables) -> pl.DataFrame:
    return tables["tumour"].filter(~pl.col("topography").str.contains("^C(18|19|20)"))


def _morphology_outside(tables: Tables) -> pl.DataFrame:
    """A code between `first` and `last` of a row of `data/reference/morphology_outside_crc.csv`."""
    code = pl.col("morphology").str.extract("^([0-9]{4})").cast(pl.Int32)
    outside = [code.is_between(int(row["first"]), int(row["last"])) for row in reference("morphology_outside_crc")]
    return tables["tumour"].filter(pl.any_horizontal(outside))


def _codon_12_not_mutated(tables: Tables) -> pl.DataFrame:
    is_ras = pl.col("analyte").is_in(["kras", "nras", "hras"])
    is_codon_12 = pl.col("hgvs_p").str.contains(_CODON_12)
    return tables["biomarker"].filter(is_ras & is_codon_12 & (pl.col("result") != "mutated"))


def _msi_conflict(tables: Tables) -> pl.DataFrame:
    rows = tables["biomarker"]
    retained = (
        rows.filter(pl.col("analyte").is_in(_MMR_PROTEINS), pl.col("result") == "retained")
        .group_by("patient_id")
        .agg(pl.col("analyte").n_unique())
        .filter(pl.col("analyte") == len(_MMR_PROTEINS))
    )
    return rows.filter(pl.col("result") == "msi_h").join(retained, on="patient_id", how="semi")


def _line_backwards(tables: Tables) -> pl.DataFrame:
    rows = tables["drug_exposure"].filter(pl.col("line_registered").is_not_null())
    highest_before = (
        rows.group_by("patient_id", "start_date")
        .agg(pl.col("line_registered").max().alias("highest"))
        .sort("patient_id", "start_date")
        .with_columns(pl.col("highest").cum_max().shift(1).over("patient_id").alias("highest"))
    )
    joined = rows.join(highest_before, on=["patient_id", "start_date"], how="left")
    return joined.filter(pl.col("line_registered") < pl.col("highest"))


def patient_missing(child: str) -> CrossCheck:
    """Return the check that a row belongs to an accepted patient."""

    def failing(tables: Tables) -> pl.DataFrame:
        return tables[child].join(tables["patient"], on="patient_id", how="anti")

    expected = "patient_id: expected a patient of the patient table that was not itself set aside."
    return CrossCheck(child, Check("patient_missing", expected, "row", "patient_id"), failing, ("patient_id",))


IMPOSSIBLE: Final = (
    CrossCheck(
        "drug_exposure",
        Check("end_before_start", "end_date: expected a day on or after start_date.", "row", "end_date"),
        _end_before_start,
        ("start_date", "end_date"),
    ),
    CrossCheck(
        "biomarker",
        Check("report_before_sample", "report_date: expected a day on or after sample_date.", "row", "report_date"),
        _report_before_sample,
        ("sample_date", "report_date"),
    ),
    CrossCheck(
        "drug_exposure",
        Check("treatment_after_death", "start_date: expected a day on or before the death_date.", "row", "start_date"),
        _after_death("drug_exposure", "start_date"),
        ("start_date", "patient.death_date"),
    ),
    CrossCheck(
        "procedure",
        Check(
            "treatment_after_death",
            "procedure_date: expected a day on or before the death_date.",
            "row",
            "procedure_date",
        ),
        _after_death("procedure", "procedure_date"),
        ("procedure_date", "patient.death_date"),
    ),
    CrossCheck(
        "assessment",
        Check("flr_volumes_impossible", "flr_ml: expected 5 to 100 % of tlv_ml.", "cell", "flr_ml"),
        _flr_volumes_impossible,
        ("flr_ml", "tlv_ml"),
    ),
)

ODD: Final = (
    CrossCheck(
        "assessment",
        Check(
            "metastasis_before_primary",
            "mets_diagnosis_date: expected at most 31 days before the first diagnosis_date of a primary.",
            "keep",
            "mets_diagnosis_date",
        ),
        _metastasis_before_primary,
        ("mets_diagnosis_date", "tumour.diagnosis_date"),
    ),
    CrossCheck(
        "tumour",
        Check(
            "under_18_at_diagnosis",
            "diagnosis_date: expected an age of 18 or more; younger is out of scope.",
            "keep",
            "diagnosis_date",
        ),
        _under_age,
        ("diagnosis_date", "patient.birth_year"),
    ),
    CrossCheck(
        "tumour",
        Check(
            "topography_out_of_scope", "topography: expected C18 to C20; others are out of scope.", "keep", "topography"
        ),
        _topography_outside,
        ("topography",),
    ),
    CrossCheck(
        "tumour",
        Check(
            "morphology_out_of_scope",
            "morphology: expected a colorectal carcinoma; a neuroendocrine or other tumour is out of scope.",
            "keep",
            "morphology",
        ),
        _morphology_outside,
        ("morphology",),
    ),
    CrossCheck(
        "biomarker",
        Check("codon_12_not_mutated", "result: expected mutated beside a change of codon 12.", "keep", "result"),
        _codon_12_not_mutated,
        ("hgvs_p", "analyte", "result"),
    ),
    CrossCheck(
        "biomarker",
        Check(
            "msi_conflict", "result: msi_h was not expected where all four MMR proteins are retained.", "keep", "result"
        ),
        _msi_conflict,
        ("analyte", "result"),
    ),
    CrossCheck(
        "drug_exposure",
        Check(
            "line_backwards",
            "line_registered: expected no lower line than on an earlier start_date.",
            "keep",
            "line_registered",
        ),
        _line_backwards,
        ("line_registered", "start_date"),
    ),
)
