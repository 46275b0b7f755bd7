"""The persons of an OMOP delivery: centre, country, vital status and last contact."""

from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.extracts.omop import PLACE, Delivery
from crlm_pipeline.extracts.omop_concepts import Concepts

UNKNOWN_CENTRE: Final = "unknown"
UNKNOWN_COUNTRY: Final = "ZZ"


def patients(delivery: Delivery, concepts: Concepts) -> pl.DataFrame:
    """Return one row per record of a person, with its place.

    Centre: the person's care site, else that of the first visit with one. Country: that of the care site's location,
    else of the person's. Last contact: the latest end of observation or visit, else the death. Without a table of
    deaths nobody is known to be alive.
    """
    persons = delivery.frames["person"]
    has_deaths = "death" in delivery.kinds
    first = visit_sites(delivery).drop_nulls("centre_id").sort("visit_start_date", maintain_order=True)
    first = first.unique("person_id", keep="first").select("person_id", "visit_centre", "visit_country")
    sites = care_sites(delivery)
    homes = _countries(delivery.frames["location"]).select("location_id", home="country")
    known = (
        persons.join(sites, on="care_site_id", how="left", maintain_order="left")
        .join(first, on="person_id", how="left", maintain_order="left")
        .join(homes, on="location_id", how="left", maintain_order="left")
        .join(_last_days(delivery), on="person_id", how="left", maintain_order="left")
        .join(_deaths(delivery), on="person_id", how="left", maintain_order="left")
    )
    is_dead = pl.col("is_dead").fill_null(value=False)
    return known.select(
        *PLACE,
        patient_id="person_id",
        centre_id=pl.coalesce("centre_id", "visit_centre", pl.lit(UNKNOWN_CENTRE)),
        country=pl.coalesce("country", "visit_country", "home", pl.lit(UNKNOWN_COUNTRY)),
        birth_year="year_of_birth",
        sex=pl.coalesce(concepts.recoded("gender_concept_id", "patient.sex"), _sex()),
        vital_status=pl.when(is_dead).then(pl.lit("dead")).when(pl.lit(has_deaths)).then(pl.lit("alive")),
        last_contact_date=pl.coalesce("last_day", "death_date"),
        death_date="death_date",
    )


def _sex() -> pl.Expr:
    words = {"m": "male", "male": "male", "f": "female", "female": "female"}
    text = pl.col("gender_source_value").str.to_lowercase()
    return text.replace_strict(words, default=None, return_dtype=pl.String)


def care_sites(delivery: Delivery) -> pl.DataFrame:
    """Return each care site with its `centre_id` (source value, else name, else id) and `country`."""
    locations = _countries(delivery.frames["location"])
    sites = delivery.frames["care_site"].unique("care_site_id", keep="first", maintain_order=True)
    return sites.join(locations, on="location_id", how="left", maintain_order="left").select(
        "care_site_id",
        "country",
        centre_id=pl.coalesce("care_site_source_value", "care_site_name", "care_site_id"),
    )


def visit_sites(delivery: Delivery) -> pl.DataFrame:
    """Return each visit with the centre and country of its care site."""
    visits = delivery.frames["visit_occurrence"].unique("visit_occurrence_id", keep="first", maintain_order=True)
    sited = visits.join(care_sites(delivery), on="care_site_id", how="left", maintain_order="left")
    return sited.with_columns(visit_centre="centre_id", visit_country="country")


def _countries(locations: pl.DataFrame) -> pl.DataFrame:
    codes = [row["alpha_2"] for row in resources.reference("countries")]
    code = pl.col("country_source_value").str.to_uppercase()
    known = locations.unique("location_id", keep="first", maintain_order=True)
    return known.select("location_id", country=pl.when(code.is_in(codes)).then(code))


def _last_days(delivery: Delivery) -> pl.DataFrame:
    visits, periods = delivery.frames["visit_occurrence"], delivery.frames["observation_period"]
    days = [
        periods.select("person_id", day="observation_period_end_date"),
        visits.select("person_id", day=pl.coalesce("visit_end_date", "visit_start_date")),
    ]
    return pl.concat(days).group_by("person_id").agg(pl.col("day").max().alias("last_day"))


def _deaths(delivery: Delivery) -> pl.DataFrame:
    deaths = delivery.frames["death"].group_by("person_id").agg(pl.col("death_date").min())
    return deaths.with_columns(is_dead=pl.lit(value=True))
