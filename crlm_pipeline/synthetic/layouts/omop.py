"""OMOP CDM 5.4: the tables that a registry's conversion would fill, as CSV, with the concepts that they use.

Ids of concepts are those of the public vocabulary where the reader lists them; other concepts have local ids (above two
billion, as the model's conventions ask). Genes without a listed concept stand unmapped (concept 0) with their source
text. Diagnoses are coded again at each work-up. Nothing of the contract that the model has no place for is written.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl
import polars.selectors as cs

from crlm_pipeline import resources

_LOCAL: Final = 2_000_000_001  # the first id that the vocabulary leaves to a site
_EHR: Final = "32817"  # type of a record
_GENDER: Final = {"male": "8507", "female": "8532"}
_LISTED: Final = {"kras": "3012200", "erbb2": "3019066"}
_METASTASES: Final = {
    "liver": "C78.7", "lung": "C78.0", "peritoneum": "C78.6", "bone": "C79.5", "brain": "C79.3", "ovary": "C79.6",
    "other": "C79.8",
}  # fmt: skip
_SPECIMEN_FIELD: Final = "2000000000"
_DISTANT_NODES: Final = "36769243"
_PRIMARY_RESECTION: Final = "43075005"
_PROCEDURES: Final = {
    "resection": "hepatectomy", "rfa": "radiofrequency ablation of liver", "mwa": "microwave ablation of liver",
    "ire": "irreversible electroporation of liver", "cryoablation": "cryoablation of liver",
    "ethanol": "ethanol injection of liver lesion", "sbrt": "stereotactic body radiotherapy of liver",
    "proton": "proton therapy of liver", "sirt": "radioembolisation of liver", "pve": "portal vein embolisation",
    "hifu": "high-intensity focused ultrasound of liver", "laser": "laser ablation of liver",
    "hai": "hepatic artery infusion", "two_stage": "two-stage hepatectomy",
    "lvd": "liver venous deprivation", "alpps": "ALPPS of liver", "transplantation": "liver transplantation",
}  # fmt: skip
_EPISODES: Final = {
    "complete_response": "32946", "partial_response": "32947", "stable_disease": "32948", "progression": "32949",
}  # fmt: skip
_RESULTS: Final = {
    "not_detected": "Not detected", "not_amplified": "Not amplified", "msi_h": "MSI-H", "msi_l": "MSI-L", "mss": "MSS",
    "ihc_0": "0", "ihc_1": "1+", "ihc_2": "2+", "ihc_3": "3+",
}  # fmt: skip
_STANDARD: Final = ("LOINC", "SNOMED", "Cancer Modifier")  # vocabularies whose concepts stand for themselves
_CONCEPT: Final = ("vocabulary_id", "concept_code", "concept_name")


def write(folder: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    """Write the tables of the model; `person_source_value` keeps the pseudonym of the registry."""
    persons = tables["patient"].with_row_index("person_id", offset=1)
    key = persons.select("patient_id", pl.col("person_id").cast(pl.String))
    rows = {name: frame.join(key, on="patient_id", maintain_order="left") for name, frame in tables.items()}
    work_ups = _with_site_rows(rows["assessment"])
    coded = {
        "condition_occurrence": _numbered(
            pl.concat([_primaries(rows["tumour"]), work_ups], how="diagonal"), "condition_occurrence_id"
        ),
        "procedure_occurrence": _procedures(rows),
        "drug_exposure": _drugs(rows["drug_exposure"]),
    }
    coded["measurement"] = _measurements(rows, coded["condition_occurrence"])
    concepts = _concepts(coded)
    written = {name: _with_ids(frame, concepts) for name, frame in coded.items()}
    written |= {**_places(rows["patient"]), **_persons(rows), "concept": _listed_concepts(concepts)}
    for name, frame in written.items():
        # A date of the model is a whole day: a month or a year becomes its first.
        whole = (cs.ends_with("_date") + "-01-01").str.slice(0, 10)
        frame.with_columns(whole).write_csv(folder / f"{name}.csv")


def _numbered(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.select(pl.int_range(1, pl.len() + 1).cast(pl.String).alias(name), pl.all())


def _places(patients: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return care sites and locations: one location per country."""
    named = patients.select("centre_id", "country").sort(pl.col("country") == "ZZ", maintain_order=True)
    sites = named.unique("centre_id", keep="first", maintain_order=True)
    countries = _numbered(sites.select("country").unique(maintain_order=True), "location_id")
    located = _numbered(sites.join(countries, on="country", maintain_order="left"), "care_site_id")
    return {
        "care_site": located.select(
            "care_site_id",
            "location_id",
            care_site_name=pl.lit("Hospital ") + pl.col("centre_id"),
            care_site_source_value="centre_id",
        ),
        "location": countries.select("location_id", country_source_value="country", location_source_value="country"),
    }


def _persons(rows: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    patients = rows["patient"]
    sites = _places(patients)["care_site"].select("care_site_id", centre_id="care_site_source_value")
    return {
        "person": patients.join(sites, on="centre_id", maintain_order="left").select(
            "person_id",
            "care_site_id",
            gender_concept_id=pl.col("sex").replace_strict(_GENDER, default="0"),
            year_of_birth="birth_year",
            person_source_value="patient_id",
        ),
        "observation_period": _numbered(patients, "observation_period_id").select(
            "observation_period_id", "person_id", observation_period_end_date="last_contact_date"
        ),
        "death": patients.drop_nulls("death_date").select("person_id", "death_date"),
        "episode": _numbered(rows["outcome"], "episode_id").select(
            "episode_id",
            "person_id",
            episode_concept_id=pl.col("outcome").replace_strict(_EPISODES),
            episode_start_date="outcome_date",
            episode_type_concept_id=pl.lit(_EHR),
        ),
        "specimen": _specimens(rows["biomarker"]),
    }


def _specimens(biomarkers: pl.DataFrame) -> pl.DataFrame:
    sites = {"other_metastasis": "metastasis", "primary": "primary tumour"}
    taken = biomarkers.drop_nulls("sample_date").unique(["person_id", "specimen_id"], maintain_order=True)
    return _numbered(taken.rename({"specimen_id": "name"}), "specimen_id").select(
        "specimen_id",
        "person_id",
        specimen_source_id="name",
        specimen_concept_id=pl.lit("0"),
        specimen_date="sample_date",
        anatomic_site_source_value=pl.col("specimen_site").replace(sites),
    )


def _code(vocabulary: str, code: pl.Expr, name: pl.Expr | None = None) -> dict[str, pl.Expr]:
    return {
        "vocabulary_id": pl.when(code.is_not_null()).then(pl.lit(vocabulary)),
        "concept_code": code,
        "concept_name": code if name is None else name,
    }


def _primaries(tumours: pl.DataFrame) -> pl.DataFrame:
    """Return the primaries: ICD-O-3 histology and site, or the ICD-10 code where the histology is unknown."""
    code = pl.coalesce(pl.concat_str("morphology", pl.lit("-"), "topography"), "topography")
    is_icdo = pl.col("morphology").is_not_null()
    return tumours.select(
        "person_id",
        condition_start_date="diagnosis_date",
        vocabulary_id=pl.when(is_icdo).then(pl.lit("ICDO3")).otherwise(pl.lit("ICD10")),
        concept_code=code,
        concept_name=code,
    )


def _with_site_rows(assessments: pl.DataFrame) -> pl.DataFrame:
    """Return the metastases of each work-up, on its day and on the day of the first one."""
    of_liver = pl.when(pl.col("mets_diagnosis_date").is_not_null()).then(pl.lit("liver"))
    sites = assessments.with_columns(pl.coalesce("mets_sites", of_liver).str.split(";")).explode("mets_sites")
    code = pl.col("mets_sites").replace_strict(_METASTASES, default=None, return_dtype=pl.String)
    coded = sites.select("person_id", "mets_sites", "assessment_date", "first_metastasis_date", "mets_diagnosis_date",
                         **_code("ICD10", code)).drop_nulls("concept_code")  # fmt: skip
    is_liver = pl.col("mets_sites") == "liver"
    day = pl.when(is_liver).then("mets_diagnosis_date").otherwise("first_metastasis_date")
    first = coded.select("person_id", *_CONCEPT, condition_start_date=day)
    again = coded.select("person_id", *_CONCEPT, condition_start_date="assessment_date")
    return pl.concat([first, again]).drop_nulls("condition_start_date").unique(maintain_order=True)


def _measurements(rows: Mapping[str, pl.DataFrame], conditions: pl.DataFrame) -> pl.DataFrame:
    work_ups, tumours, assays = rows["assessment"], rows["tumour"], rows["biomarker"]
    day = pl.col("assessment_date")
    liver = conditions.filter(pl.col("concept_code") == "C78.7").select(
        "person_id", assessment_date="condition_start_date", measurement_event_id="condition_occurrence_id"
    )
    sized = work_ups.join(liver, on=["person_id", "assessment_date"], how="left", maintain_order="left")
    nodes = work_ups.filter(pl.col("mets_sites").str.contains("distant_nodes"))
    parts = [
        work_ups.select("person_id", **_number("2039-6", day, "cea_ng_ml", "ng/mL")),
        work_ups.select("person_id", **_number("89247-1", day, "ecog")),
        sized.select("person_id", "measurement_event_id", **_number("21889-1", day, "crlm_max_mm", "mm"),
                     meas_event_field_concept_id=pl.lit("1147127")).drop_nulls("measurement_event_id"),
        nodes.select("person_id", measurement_date=day, measurement_concept_id=pl.lit(_DISTANT_NODES),
                     value_as_concept_id=pl.lit("9191")),
        *(_category(tumours, letter) for letter in "tnm"),
        tumours.select("person_id", **_number("21893-3", pl.col("diagnosis_date"), "nodes_positive")),
        _assays(assays, _specimens(assays)),
    ]  # fmt: skip
    known = pl.concat(parts, how="diagonal").filter(
        pl.any_horizontal(pl.col("value_as_number", "value_as_concept_id", "value_source_value").is_not_null())
        | (pl.col("vocabulary_id") == "Cancer Modifier")
    )
    return _numbered(known, "measurement_id")


def _number(code: str, day: pl.Expr, column: str, unit: str | None = None) -> dict[str, pl.Expr]:
    return {
        **_code("LOINC", pl.lit(code)),
        "measurement_date": day,
        "value_as_number": pl.col(column),
        "unit_source_value": pl.lit(unit, pl.String),
    }


def _category(tumours: pl.DataFrame, letter: str) -> pl.DataFrame:
    category = pl.col(f"{letter}_category")
    code = pl.lit("p-8th_AJCC/UICC-") + category
    known = tumours.drop_nulls(f"{letter}_category")
    day = pl.coalesce("diagnosis_date", "resection_date")
    return known.select("person_id", measurement_date=day, **_code("Cancer Modifier", code))


def _assays(biomarkers: pl.DataFrame, specimens: pl.DataFrame) -> pl.DataFrame:
    """Return the assays: the protein change or the result in words; the source text names the codons examined."""
    taken = specimens.select("person_id", specimen_id="specimen_source_id", measurement_event_id="specimen_id")
    assays = biomarkers.join(taken, on=["person_id", "specimen_id"], how="left", maintain_order="left")
    region = pl.col("region_tested").replace({"all": "12;13;59;61;117;146"})
    exons = pl.lit(" exons ") + region.str.replace_all("exon", "").str.replace_all(";", ", ")
    codons = pl.lit(" codons ") + region.str.replace_all(";", ", ")
    examined = pl.when(region.str.starts_with("exon")).then(exons).otherwise(codons).fill_null("")
    gene = pl.col("analyte").str.to_uppercase().replace({"RET": "RET gene"})
    method = pl.col("method").str.to_uppercase().replace({"ISH": "FISH"})
    stain = pl.col("method") == "ihc"
    listed = pl.col("analyte").replace_strict(_LISTED, default="0")
    result = pl.col("result").replace(_RESULTS)
    return assays.drop_nulls("sample_date").select(
        "person_id",
        "measurement_event_id",
        meas_event_field_concept_id=pl.lit(_SPECIMEN_FIELD),
        measurement_date="sample_date",
        measurement_concept_id=pl.when((pl.col("analyte") != "erbb2") | stain).then(listed).otherwise(pl.lit("0")),
        measurement_source_value=pl.concat_str(gene + examined, pl.lit(" by ") + method, ignore_nulls=True),
        value_as_number="value",
        value_source_value=pl.coalesce("hgvs_p", result),
    )


def _procedures(rows: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    bowel = rows["tumour"].drop_nulls("resection_date").select(
        "person_id", procedure_date="resection_date",
        **_code("SNOMED", pl.lit(_PRIMARY_RESECTION), pl.lit("Partial resection of colon")),
    )  # fmt: skip
    words = pl.col("procedure").replace(_PROCEDURES)
    liver = rows["procedure"].select("person_id", "procedure_date", procedure_source_value=words)
    return _numbered(pl.concat([bowel, liver], how="diagonal"), "procedure_occurrence_id")


def _drugs(exposures: pl.DataFrame) -> pl.DataFrame:
    """Return drug records; the end is required in the model, and is the start where the registry knows none."""
    listed = {row["value"]: row["concept_id"] for row in resources.reference("omop_concepts")
              if row["target"] == "drug_exposure.drug"}  # fmt: skip
    return _numbered(exposures, "drug_exposure_id").select(
        "drug_exposure_id",
        "person_id",
        "stop_reason",
        drug_concept_id=pl.col("drug").str.to_lowercase().replace_strict(listed, default="0"),
        drug_exposure_start_date="start_date",
        drug_exposure_end_date=pl.coalesce("end_date", "start_date"),
        drug_source_value="drug",
        **_code("ATC", pl.col("atc")),
    )


def _concepts(coded: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return each code that the tables use with its id: the listed one, else a local one."""
    used = pl.concat([frame.select(_CONCEPT) for frame in coded.values()]).drop_nulls("concept_code")
    distinct = used.unique(["vocabulary_id", "concept_code"], keep="first", maintain_order=True)
    listed = pl.DataFrame(resources.reference("omop_concepts")).with_columns(pl.all().replace("", None))
    ids = listed.drop_nulls(["concept_id", "concept_code"]).select("concept_id", "vocabulary_id", "concept_code")
    local = (pl.int_range(_LOCAL, _LOCAL + pl.len())).cast(pl.String)
    joined = distinct.join(ids, on=["vocabulary_id", "concept_code"], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("concept_id", local))


def _with_ids(frame: pl.DataFrame, concepts: pl.DataFrame) -> pl.DataFrame:
    """Name each record's code by the id of its source concept, which is also the standard one if it is standard."""
    name = next(column for column in frame.columns if column.endswith("_id") and column != "person_id")
    prefix = name.removesuffix("_id").removesuffix("_occurrence").removesuffix("_exposure")
    own = concepts.select("concept_id", "vocabulary_id", "concept_code")
    coded = frame.join(own, on=["vocabulary_id", "concept_code"], how="left", maintain_order="left")
    standard, text = f"{prefix}_concept_id", f"{prefix}_source_value"
    given = [column for column in (standard, text) if column in coded.columns]
    itself = pl.when(pl.col("vocabulary_id").is_in(list(_STANDARD))).then("concept_id")
    return coded.with_columns(
        pl.col("concept_id").fill_null("0").alias(f"{prefix}_source_concept_id"),
        pl.coalesce(*([standard] if standard in given else []), itself, pl.lit("0")).alias(standard),
        (pl.coalesce(text, "concept_code") if text in given else pl.col("concept_code")).alias(text),
        pl.lit(_EHR).alias(f"{prefix}_type_concept_id"),
    ).drop(_CONCEPT, "concept_id")


def _listed_concepts(concepts: pl.DataFrame) -> pl.DataFrame:
    """Return the table of concepts, with the listed ones that stand in no code column."""
    ids = [*_GENDER.values(), *_LISTED.values(), *_EPISODES.values(), _DISTANT_NODES, "9191", "1147127"]
    table = pl.DataFrame(resources.reference("omop_concepts")).filter(pl.col("concept_id").is_in(ids))
    columns = ("concept_id", "concept_name", "vocabulary_id", "concept_code")
    field = pl.DataFrame([(_SPECIMEN_FIELD, "specimen.specimen_id", "CDM", "specimen_id")], columns, orient="row")
    every = pl.concat([concepts.select(columns), table.select(columns), field])
    return every.unique("concept_id", maintain_order=True)
