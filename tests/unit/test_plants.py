"""Worlds in which the truth is known: what a plant changes, and what it leaves alone."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crlm_pipeline.synthetic import PLANTS, alike, found_centres, planted, write_registry
from crlm_pipeline.synthetic.centres import FEWEST_CENTRES, Centres
from crlm_pipeline.synthetic.chance import day
from crlm_pipeline.synthetic.plants import EVERYWHERE
from schemas.extract import extract_tables

PATIENTS, SEED = 900, 4
AT_ONE_CENTRE = [name for name, plant in PLANTS.items() if plant.entries]


def world(*names: str) -> tuple[Centres, dict[str, str]]:
    return planted(alike(found_centres(PATIENTS, SEED)), names)


def written(folder: Path, *names: str) -> dict[str, pl.DataFrame]:
    """Return the tables of a registry with these plants, each row with the centre of its patient as `home`."""
    write_registry(folder, PATIENTS, SEED, world(*names)[0])
    tables = {name: pl.read_csv(folder / f"{name}.csv", infer_schema_length=0) for name in extract_tables()}
    homes = tables["patient"].select("patient_id", home="centre_id")
    return {name: table.join(homes, on="patient_id", maintain_order="left") for name, table in tables.items()}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    return written(tmp_path_factory.mktemp("bare"))


@pytest.mark.parametrize("plant", AT_ONE_CENTRE)
def test_a_plant_changes_the_rows_of_its_centre_and_of_no_other(
    plant: str, bare: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    carrier = world(plant)[1][plant]
    found = written(tmp_path, plant)
    is_own = pl.col("home") == carrier
    for name, table in found.items():
        assert table.filter(~is_own).equals(bare[name].filter(~is_own)), name
    assert any(not table.filter(is_own).equals(bare[name].filter(is_own)) for name, table in found.items())


def test_centres_that_are_alike_differ_in_name_and_size_alone() -> None:
    centres = alike(found_centres(PATIENTS, SEED))
    differing = {
        one.name for one in fields(Centres) if one.name != "practice" and len(np.unique(getattr(centres, one.name))) > 1
    }
    assert differing == {"name", "weight"}


def test_a_plant_stands_at_the_same_centre_whatever_else_is_planted() -> None:
    together = world(*PLANTS)[1]
    assert together.pop("practice_change_2023") == EVERYWHERE
    assert together == {name: world(name)[1][name] for name in AT_ONE_CENTRE}


def test_the_smallest_registry_has_a_centre_for_each_plant_and_the_largest_centre_has_none() -> None:
    centres, carriers = planted(alike(found_centres(1, SEED)), AT_ONE_CENTRE)
    assert centres.name.size == FEWEST_CENTRES
    assert len(set(carriers.values())) == len(AT_ONE_CENTRE)
    largest = centres.name[np.argmax(centres.weight)]
    assert largest not in carriers.values()


def test_practice_changes_on_the_first_of_july_2023_and_without_the_plant_never() -> None:
    days = np.array([day(2016), day(2023, 6, 30), day(2023, 7, 1), day(2026)])
    changed = world("practice_change_2023")[0].practice(days)
    assert changed[0] == changed[1] < changed[2] == changed[3]
    assert len(set(world()[0].practice(days))) == 1
    assert found_centres(PATIENTS, SEED).practice(days).tolist() == days.tolist()


def test_at_the_centre_that_treats_before_results_a_first_line_starts_the_day_after_the_work_up(tmp_path: Path) -> None:
    carrier = world("treats_before_results")[1]["treats_before_results"]
    found = written(tmp_path, "treats_before_results")
    palliative = found["drug_exposure"].filter(pl.col("intent") == "palliative", pl.col("line_registered") == "1")
    starts = palliative.group_by("patient_id", "home").agg(pl.col("start_date").str.to_date().min())
    work_ups = found["assessment"].group_by("patient_id").agg(pl.col("assessment_date").str.to_date().min())
    waits = starts.join(work_ups, on="patient_id").select(
        "home", days=(pl.col("start_date") - pl.col("assessment_date")).dt.total_days()
    )
    assert waits.filter(pl.col("home") == carrier)["days"].median() == 1
    assert waits.filter(pl.col("home") != carrier)["days"].median() > 8  # type: ignore[operator]  # never empty
