"""Writes a synthetic registry, batch by batch, so that memory stays the same at any size."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.synthetic.assays import assay_rows, draw_assays
from crlm_pipeline.synthetic.centres import Centres, found_centres
from crlm_pipeline.synthetic.chance import Chance
from crlm_pipeline.synthetic.course import Batch, Course, draw_course
from crlm_pipeline.synthetic.layouts import LAYOUTS
from crlm_pipeline.synthetic.liver import WorkUp, assessment_rows, draw_liver
from crlm_pipeline.synthetic.people import draw_people, draw_spread, draw_tumours, patient_rows, tumour_rows
from crlm_pipeline.synthetic.treatment import drug_rows, meeting_rows, outcome_rows, procedure_rows

BATCH: Final = 20_000

Tables = dict[str, pl.DataFrame]


def _tell_nobody(_: str) -> None:
    pass


def write_registry(
    folder: Path,
    patients: int,
    seed: int,
    centres: Centres | None = None,
    tell: Callable[[str], None] = _tell_nobody,
) -> None:
    """Write a canonical extract of so many invented patients: eight CSV files that keep the extract contract.

    The same numbers give the same bytes. Existing files of these names are replaced. `centres`: else those found for
    this size and seed. `tell` is told each of the `batch_count` batches as it begins.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, tables in enumerate(_batches(patients, seed, centres, tell)):
        _append(folder, tables, is_first=number == 0)


def batch_count(patients: int) -> int:
    """Return in how many batches so many patients are written."""
    return -(-max(patients, 1) // BATCH)


def write_sample(folder: Path, patients: int, seed: int, layout: str, centres: Centres | None = None) -> None:
    """Write the same registry in another source format (`LAYOUTS`), as far as that can carry it; held in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    batches = list(_batches(patients, seed, centres))
    LAYOUTS[layout](folder, {name: pl.concat([tables[name] for tables in batches]) for name in batches[0]})


def _batches(
    patients: int, seed: int, centres: Centres | None, tell: Callable[[str], None] = _tell_nobody
) -> Iterator[Tables]:
    centres = centres or found_centres(patients, seed)
    for number in range(batch_count(patients)):
        first = number * BATCH
        size = min(BATCH, patients - first)
        tell(f"{first:,} of {patients:,} patients")
        generator = np.random.default_rng([seed, number + 1])
        yield _batch(Chance(generator, size), centres, first + 1)


def _append(folder: Path, tables: Tables, *, is_first: bool) -> None:
    for name, frame in tables.items():
        with (folder / f"{name}.csv").open("wb" if is_first else "ab") as file:
            frame.write_csv(file, include_header=is_first)


def _batch(chance: Chance, centres: Centres, first_number: int) -> Tables:
    people = draw_people(chance, centres, first_number)
    spread = draw_spread(chance, people)
    tumours = draw_tumours(chance, spread)
    batch = Batch(
        chance=chance,
        people=people,
        centres=centres,
        tumours=tumours,
        spread=spread,
        liver=draw_liver(chance, spread),
        assays=draw_assays(chance, people, centres, tumours, spread),
    )
    course = draw_course(batch)
    tables = {
        "tumour": [tumour_rows(chance, people, tumours, spread)],
        "assessment": _assessments(batch, course),
        "biomarker": assay_rows(chance, people, tumours, batch.assays, course.until),
        "drug_exposure": drug_rows(batch, course),
        "procedure": procedure_rows(batch, course),
        "mdt": meeting_rows(batch, course),
        "outcome": outcome_rows(batch, course),
    }
    sorted_tables = {name: _together(parts) for name, parts in tables.items()}
    return {"patient": patient_rows(chance, people, course.death, course.until), **sorted_tables}


def _together(parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).sort("patient_id", maintain_order=True)


def _assessments(batch: Batch, course: Course) -> list[pl.DataFrame]:
    plan, liver = course.plan, batch.liver
    work_ups = [
        WorkUp(plan.assessed <= course.until, plan.assessed, liver.resectability, liver.flr),
        WorkUp(plan.second_assessment <= course.until, plan.second_assessment, liver.resectability, liver.flr + 13.0),
        *course.work_ups,
    ]
    completeness = batch.rate("completeness")
    return [
        assessment_rows(
            batch.chance,
            batch.people,
            batch.spread,
            liver,
            completeness,
            WorkUp(
                work_up.mask & (work_up.day <= course.until),
                work_up.day,
                work_up.resectability,
                work_up.flr,
                work_up.growth,
            ),
        )
        for work_up in work_ups
    ]
