"""Drugs, procedures, responses and lines of an OMOP delivery."""

import re
from functools import cache
from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.extracts.omop import PLACE, Delivery
from crlm_pipeline.extracts.omop_concepts import TARGET, Concepts
from crlm_pipeline.extracts.omop_disease import RESECTION

PROCEDURE: Final = "procedure.procedure"
_DRUG: Final = "drug_exposure.drug"
_OUTCOME: Final = "outcome.outcome"
_REGIMEN: Final = "episode.treatment"
_SHORTEST: Final = 5  # shorter names (FU, LV) are read only where they are the whole text
# Another drug, or another use of it, though the name of the substance is in the text.
_NOT_THE_SUBSTANCE: Final = r"emtansine|vedotin|govitecan|duocarmazine|ophthalmic|intravitreal|intraocular"
_BIOSIMILAR_SUFFIX: Final = r"-[a-z]{4}$"
_ATC: Final = r"^[A-Z]\d{2}[A-Z]{2}\d{2}$"
_STOP_REASONS: Final = {
    "regimen completed": "completed", "disease progression": "progression", "progressive disease": "progression",
    "adverse event": "toxicity", "patient choice": "choice", "died": "death",
}  # fmt: skip
_LIVER: Final = r"liver|hepat|portal"
# Words of a procedure on the liver, in names of concepts and in source texts.
_TECHNIQUES: Final = {
    "radiofrequency ablation": "rfa", "microwave ablation": "mwa", "irreversible electroporation": "ire",
    "cryoablation": "cryoablation", "cryotherapy": "cryoablation", "ethanol": "ethanol",
    "radioembolization": "sirt", "radioembolisation": "sirt", "selective internal radi": "sirt",
    "embolization of portal vein": "pve", "portal vein emboli": "pve", "venous deprivation": "lvd", "alpps": "alpps",
    "high-intensity focused ultrasound": "hifu", "laser": "laser", "hepatic artery infusion": "hai",
    "two-stage hepatectomy": "two_stage", "stereotactic body radi": "sbrt", "stereotactic ablative radi": "sbrt",
    "proton": "proton",
    "transplant": "transplantation", "hepatectomy": "resection", "resection of liver": "resection",
    "liver resection": "resection", "wedge resection": "resection", "lobectomy of liver": "resection",
}  # fmt: skip


def exposures(delivery: Delivery, concepts: Concepts) -> pl.DataFrame:
    """Return one row per drug record that names its drug, with its place and line.

    The drug is the substance or brand that the source text names, else that of the source's own concept, else that of
    the standard concept, else the name as delivered. The end is `verbatim_end_date`, else `drug_exposure_end_date`.
    """
    records = delivery.frames["drug_exposure"]
    names = concepts.names()
    for name in ("drug_source_concept_id", "drug_concept_id"):
        named = names.select(pl.col("concept_id").alias(name), pl.col("concept_name").alias(f"{name}_name"))
        records = records.join(named, on=name, how="left", maintain_order="left")
    columns = ("drug_source_value", "drug_source_concept_id_name", "drug_concept_id_name")
    source, own, standard = (_substance(records[name]) for name in columns)
    ids = [concepts.recoded(name, _DRUG) for name in ("drug_source_concept_id", "drug_concept_id")]
    reason = pl.col("stop_reason").str.to_lowercase().str.strip_chars()
    rows = records.join(_lines(delivery, concepts), on="drug_exposure_id", how="left", maintain_order="left").select(
        *PLACE,
        "person_id",
        "visit_occurrence_id",
        "line_registered",
        drug=pl.coalesce(source, own, *ids, standard, *columns[::-1]),
        atc=_atc(concepts),
        start_date="drug_exposure_start_date",
        end_date=pl.coalesce("verbatim_end_date", "drug_exposure_end_date"),
        stop_reason=reason.replace(_STOP_REASONS),
    )
    return rows.drop_nulls("drug")


def _substance(texts: pl.Series) -> pl.Expr:
    """Return the listed name within each text of a column (`10 ML oxaliplatin 5 MG/ML Injection`); null without one.

    A text that is nothing but a name stays as delivered.
    """
    distinct = pl.DataFrame([texts.unique().drop_nulls().alias("text")])
    name = pl.col("text").str.to_lowercase().str.replace_all(" / ", "/", literal=True).str.strip_chars()
    within = pl.when(~name.str.contains(_NOT_THE_SUBSTANCE)).then(name.str.extract(_listed_names()))
    is_name = name.str.replace(_BIOSIMILAR_SUFFIX, "").is_in(sorted(_names()))
    known = distinct.with_columns(drug=pl.when(is_name).then("text").otherwise(within)).drop_nulls()
    return pl.col(texts.name).replace_strict(known["text"], known["drug"], default=None, return_dtype=pl.String)


@cache
def _names() -> frozenset[str]:
    listed = (f"{row['inn']};{row['brands']};{row['aliases']}" for row in resources.reference("drugs"))
    return frozenset(name for names in listed for name in names.lower().split(";") if name)


@cache
def _listed_names() -> str:
    """Return the pattern of any listed name as whole words, the longest first."""
    names = sorted((name for name in _names() if len(name) >= _SHORTEST), key=len, reverse=True)
    return rf"(?:^|[^a-z0-9])({'|'.join(map(re.escape, names))})(?:$|[^a-z0-9])"


def _atc(concepts: Concepts) -> pl.Expr:
    """Return the ATC code, of a concept or as the source text."""
    codes = concepts.names("ATC").filter(pl.col("concept_code").str.contains(_ATC))
    of_concept = (
        pl.col(name).replace_strict(codes["concept_id"], codes["concept_code"], default=None, return_dtype=pl.String)
        for name in ("drug_source_concept_id", "drug_concept_id")
    )
    return pl.coalesce(*of_concept, pl.col("drug_source_value").str.extract(f"({_ATC})"))


def _lines(delivery: Delivery, concepts: Concepts) -> pl.DataFrame:
    """Return the number of the treatment regimen that a drug record belongs to; a record of several has none."""
    episodes = _regimens(delivery, concepts)
    links = _drug_links(delivery, concepts).join(episodes, on="episode_id", maintain_order="left")
    lines = links.group_by("event_id", maintain_order=True).agg(
        pl.col("episode_number").n_unique().alias("count"), pl.col("episode_number").first()
    )
    return lines.filter(pl.col("count") == 1).select(drug_exposure_id="event_id", line_registered="episode_number")


def _regimens(delivery: Delivery, concepts: Concepts) -> pl.DataFrame:
    episodes = delivery.frames["episode"].filter(concepts.means("episode_concept_id", _REGIMEN))
    return episodes.drop_nulls("episode_number").select(*PLACE, "episode_id", "episode_number")


def _drug_links(delivery: Delivery, concepts: Concepts) -> pl.DataFrame:
    is_drug = concepts.means("episode_event_field_concept_id", "event.drug_exposure")
    return delivery.frames["episode_event"].filter(is_drug).select("episode_id", "event_id")


def used_regimens(delivery: Delivery, concepts: Concepts, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the episodes that gave the line of a drug record."""
    given = delivery.frames["drug_exposure"].join(rows.filter(pl.col("line_registered").is_not_null()), on=PLACE)
    links = _drug_links(delivery, concepts).join(given, left_on="event_id", right_on="drug_exposure_id", how="semi")
    return _regimens(delivery, concepts).join(links, on="episode_id", how="semi", maintain_order="left")


def procedures(delivery: Delivery, concepts: Concepts) -> pl.DataFrame:
    """Return the procedures of known meaning: place, `person_id`, `day`, `target`, `value`.

    By concept or code, else by the words of the concept's name or of the source text.
    """
    records = delivery.frames["procedure_occurrence"].rename({"procedure_date": "day"})
    columns = ("procedure_source_concept_id", "procedure_concept_id", "procedure_source_value")
    known = concepts.with_meaning(records, columns, (PROCEDURE, RESECTION))
    names = concepts.names().select(procedure_concept_id="concept_id", name="concept_name")
    named = known.join(names, on="procedure_concept_id", how="left", maintain_order="left")
    technique = pl.coalesce(_technique(named["procedure_source_value"]), _technique(named["name"]))
    is_known = pl.col(TARGET).is_not_null()
    return named.select(
        *PLACE,
        "person_id",
        "day",
        "visit_occurrence_id",
        value=pl.when(is_known).then("value").otherwise(technique),
        target=pl.when(is_known).then(TARGET).when(technique.is_not_null()).then(pl.lit(PROCEDURE)),
    ).drop_nulls(TARGET)


def _technique(texts: pl.Series) -> pl.Expr:
    """Return the procedure that each text of a column names on the liver; null for other organs and other words."""
    distinct = pl.DataFrame([texts.unique().drop_nulls().alias("text")])
    name = pl.col("text").str.to_lowercase()
    of_words = pl.coalesce(
        pl.when(name.str.contains(words, literal=True)).then(pl.lit(kind)) for words, kind in _TECHNIQUES.items()
    )
    known = distinct.with_columns(kind=pl.when(name.str.contains(_LIVER)).then(of_words)).drop_nulls()
    return pl.col(texts.name).replace_strict(known["text"], known["kind"], default=None, return_dtype=pl.String)


def outcomes(delivery: Delivery, concepts: Concepts) -> pl.DataFrame:
    """Return one row per episode that is a response or a progression, on its first day."""
    rows = delivery.frames["episode"].select(
        *PLACE,
        "person_id",
        outcome_date="episode_start_date",
        outcome=concepts.recoded("episode_concept_id", _OUTCOME),
    )
    return rows.drop_nulls("outcome")
