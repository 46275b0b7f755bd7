"""Rows of the treatment that invented patients had: drugs, local treatments, meetings, responses."""

from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.synthetic.chance import NEVER, Bools, Days, Texts, day
from crlm_pipeline.synthetic.course import Batch, Course, Line
from crlm_pipeline.synthetic.people import CLOSE
from crlm_pipeline.synthetic.regimens import ANTI_EGFR, substances
from crlm_pipeline.synthetic.rows import answer, joined, number, rows

TRIAL: Final = "SYNTHETIC-TRIAL-1"
NEW_CODES_SINCE: Final = day(2022)
BIOSIMILARS: Final = {"bevacizumab": "bevacizumab-awwb", "trastuzumab": "trastuzumab-anns"}


def drug_rows(batch: Batch, course: Course) -> list[pl.DataFrame]:
    """Return the rows of `drug_exposure`: adjuvant and perioperative courses and the lines."""
    parts = [*_adjuvant(batch, course), *_perioperative(batch, course)]
    for line in course.lines:
        for inn in substances():
            parts.append(_line_drug(batch, course, line, inn))
        parts.append(_folinate(batch, course, line))
    return parts


def _line_drug(batch: Batch, course: Course, line: Line, inn: str) -> pl.DataFrame:
    chance = batch.chance
    start = line.antibody_start if inn in ANTI_EGFR else line.start
    # Oxaliplatin is often dropped for neuropathy; ipilimumab is given four times.
    limit = {"oxaliplatin": chance.between(84, 140), "ipilimumab": np.full(chance.size, 63)}.get(inn)
    end = line.end if limit is None else np.minimum(line.end, line.start + limit)
    stop = np.where(end < line.end, "toxicity" if inn == "oxaliplatin" else "completed", line.stop_reason)
    mask = line.mask & line.regimen.has(inn) & (start < end)
    is_backward = (line.number == 3) & chance.happens(0.02)
    registered = np.where(batch.centres.has_lines[batch.people.centre], np.where(is_backward, 1, line.number), np.nan)
    return _exposure(
        batch,
        course,
        mask,
        inn,
        start_date=start,
        end_date=end,
        intent=np.where(chance.happens(0.97), line.intent, ""),
        line_registered=registered,
        stop_reason=stop,
        trial_id=np.where(line.is_trial, TRIAL, ""),
    )


def _exposure(batch: Batch, course: Course, mask: Bools, inn: str, **columns: object) -> pl.DataFrame:
    """Return rows of a drug, censored at death and at the close, named and coded as the centre does."""
    start, end = np.asarray(columns["start_date"]), np.asarray(columns["end_date"])
    is_ongoing = end > CLOSE
    stopped = np.where(end > course.death, course.death, end)
    reason = np.where(end > course.death, "death", np.asarray(columns["stop_reason"]))
    columns = {
        **columns,
        "end_date": np.where(is_ongoing & (course.death > CLOSE), NEVER, stopped),
        "stop_reason": np.where(is_ongoing & (course.death > CLOSE), "", reason),
    }
    return rows(
        "drug_exposure",
        mask & (start <= course.until),
        patient_id=batch.people.patient_id,
        drug=_name(batch, inn),
        atc=np.where(batch.centres.has_atc[batch.people.centre], _code(inn, start), ""),
        **columns,
    )


def _name(batch: Batch, inn: str) -> Texts:
    drug = _drugs()[inn]
    brand = drug["brands"].split(";")[0] or inn
    spelled = np.where(batch.centres.has_brands[batch.people.centre] & batch.chance.happens(0.6), brand, inn)
    return np.where(batch.chance.happens(0.08), BIOSIMILARS.get(inn, inn), spelled)


def _code(inn: str, start: Days) -> Texts:
    drug = _drugs()[inn]
    newest = drug["atc"].split(";")[0]
    return np.where(start < NEW_CODES_SINCE, drug["atc_old"].split(";")[0] or newest, newest)


def _drugs() -> dict[str, dict[str, str]]:
    return {row["inn"]: row for row in resources.reference("drugs")}


def _folinate(batch: Batch, course: Course, line: Line) -> pl.DataFrame:
    mask = line.mask & line.regimen.has("fluorouracil") & batch.centres.has_folinate[batch.people.centre]
    return _exposure(
        batch,
        course,
        mask,
        "folinic acid",
        start_date=line.start,
        end_date=line.end,
        intent=line.intent,
        line_registered=np.where(batch.centres.has_lines[batch.people.centre], line.number, np.nan),
        stop_reason=line.stop_reason,
    )


def _adjuvant(batch: Batch, course: Course) -> list[pl.DataFrame]:
    """A third of those whose cancer had not spread when it was found had adjuvant chemotherapy."""
    chance, people = batch.chance, batch.people
    start = people.diagnosis + chance.between(60, 85)
    end = start + chance.between(70, 170)
    mask = ~batch.spread.is_synchronous & (batch.spread.day > end + 120) & chance.happens(0.35)
    oral = chance.happens(0.6)
    given = {"oxaliplatin": mask & chance.happens(0.85), "capecitabine": mask & oral, "fluorouracil": mask & ~oral}
    return [
        _exposure(batch, course, had, inn, start_date=start, end_date=end, intent="adjuvant", stop_reason="completed")
        for inn, had in given.items()
    ]


def _perioperative(batch: Batch, course: Course) -> list[pl.DataFrame]:
    """Chemotherapy before an operation; a few add an antibody, which the guidelines advise against."""
    chance, plan = batch.chance, course.plan
    mask = plan.perioperative < NEVER
    oral = chance.happens(0.4)
    extra = chance.pick({"": 0.86, "bevacizumab": 0.1, "cetuximab": 0.04})
    given = {
        "oxaliplatin": mask,
        "capecitabine": mask & oral,
        "fluorouracil": mask & ~oral,
        "bevacizumab": mask & (extra == "bevacizumab"),
        "cetuximab": mask & (extra == "cetuximab") & ~batch.tumours.is_ras_mutant,
    }
    return [
        _exposure(
            batch,
            course,
            had,
            inn,
            start_date=plan.perioperative,
            end_date=plan.perioperative_end,
            intent="perioperative",
            stop_reason="completed",
        )
        for inn, had in given.items()
    ]


def procedure_rows(batch: Batch, course: Course) -> list[pl.DataFrame]:
    """Return the rows of `procedure`: the operation, augmentation before it, and treatment of the unresectable."""
    chance, liver = batch.chance, batch.liver
    is_due = course.operation <= course.until
    ablates = liver.is_ablatable & chance.happens(np.where(course.operation > day(2025), 0.45, 0.22))
    combines = ~ablates & (liver.count > 2) & chance.happens(0.2)
    is_major = (liver.count >= 4) | chance.happens(0.25)
    is_staged = is_due & ~ablates & (liver.count >= 6) & chance.happens(0.1)
    technique = chance.pick({"mwa": 0.6, "rfa": 0.37, "cryoablation": 0.02, "ire": 0.01})
    augmenting = chance.pick({"pve": 0.72, "lvd": 0.24, "alpps": 0.04})
    resection = _procedure(
        batch,
        is_due & ~ablates,
        course.operation,
        np.where(is_staged, "two_stage", "resection"),
        is_major=answer(is_major, chance.happens(0.95)),
        is_anatomical=answer(is_major | chance.happens(0.3), chance.happens(0.85)),
        margin=np.where(chance.happens(0.95), chance.pick({"r0": 0.84, "r1": 0.15, "r2": 0.01}), ""),
        **_aftermath(batch, course),
    )
    return [
        resection,
        _procedure(batch, is_due & (ablates | combines), course.operation, technique, **_size(batch)),
        _procedure(batch, course.plan.augmentation <= course.until, course.plan.augmentation, augmenting),
        *_unresectable(batch, course),
    ]


def _procedure(batch: Batch, mask: Bools, when: Days, kind: str | Texts, **columns: object) -> pl.DataFrame:
    """Return rows of a procedure; some patients are sent to the centre with the most patients for it."""
    hub = batch.centres.name[int(np.argmax(batch.centres.weight))]
    is_referred = batch.chance.happens(batch.rate("referral")) & (
        batch.people.country == batch.centres.country[int(np.argmax(batch.centres.weight))]
    )
    return rows(
        "procedure",
        mask,
        patient_id=batch.people.patient_id,
        centre_id=np.where(is_referred, hub, ""),
        procedure_date=when,
        procedure=kind,
        **columns,
    )


def _size(batch: Batch) -> dict[str, object]:
    known = batch.chance.happens(0.9)
    return {
        "lesions_treated": number(np.clip(batch.liver.count, 1, 6), known, 0),
        "max_lesion_mm": number(np.clip(batch.liver.size_mm, 4.0, 40.0), known, 0),
    }


def _aftermath(batch: Batch, course: Course) -> dict[str, object]:
    chance = batch.chance
    grade = chance.pick({"0": 0.6, "1": 0.1, "2": 0.13, "3a": 0.09, "3b": 0.05, "4a": 0.02, "4b": 0.01})
    is_fatal = course.death <= course.operation + 30
    severe = np.isin(grade, ["3b", "4a", "4b"])
    return {
        "clavien_dindo": np.where(is_fatal, "5", np.where(chance.happens(0.92), grade, "")),
        "length_of_stay_days": np.minimum(chance.waiting(6.0, least=3), course.death - course.operation),
        "is_readmitted_30d": answer(chance.happens(0.09) & ~is_fatal, chance.happens(0.9)),
        "is_reintervention": answer(severe & chance.happens(0.6), chance.happens(0.9)),
    }


def _unresectable(batch: Batch, course: Course) -> list[pl.DataFrame]:
    """Radioembolisation, stereotactic radiotherapy, arterial infusion and transplantation of the few."""
    chance, liver = batch.chance, batch.liver
    second, third = course.lines[1], course.lines[2]
    is_american = batch.people.country == "US"
    candidates = liver.is_liver_only & (course.operation >= NEVER)
    steps = {
        "sirt": (third.mask & batch.spread.has_liver & chance.happens(0.07), third.start - 10),
        "sbrt": (second.mask & (liver.count <= 3) & chance.happens(0.06), second.start - 12),
        "hai": (second.mask & is_american & candidates & chance.happens(0.05), second.start + 20),
        "transplantation": (
            second.mask & candidates & (second.start > day(2021)) & chance.happens(0.012),
            second.start + 150,
        ),
    }
    beads = np.where(chance.happens(0.9), chance.pick({"resin": 0.75, "glass": 0.25}), "")
    return [
        _procedure(batch, mask & (when <= course.until), when, kind, **({"bead_type": beads} if kind == "sirt" else {}))
        for kind, (mask, when) in steps.items()
    ]


def meeting_rows(batch: Batch, course: Course) -> list[pl.DataFrame]:
    """Return the rows of `mdt`: before the first treatment, after conversion, and before some later lines."""
    chance = batch.chance
    first = course.plan.assessed + chance.between(1, 7)
    parts = [_meeting(batch, course, first, chance.happens(batch.rate("meeting")))]
    for line in course.lines[1:3]:
        parts.append(_meeting(batch, course, line.start - chance.between(2, 12), line.mask & chance.happens(0.35)))
    converted = course.work_ups[1]
    parts.append(_meeting(batch, course, converted.day + chance.between(1, 9), converted.mask & chance.happens(0.85)))
    return parts


def _meeting(batch: Batch, course: Course, when: Days, is_held: Bools) -> pl.DataFrame:
    chance = batch.chance
    is_liver = batch.spread.has_liver & chance.happens(0.72)
    present = {
        "surgery": chance.happens(0.95),
        "liver_surgery": is_liver,
        "oncology": chance.happens(0.97),
        "pathology": chance.happens(0.75),
        "radiology": chance.happens(0.93),
        "interventional_radiology": is_liver & chance.happens(0.5),
        "radiotherapy": chance.happens(0.6),
    }
    reasons = {
        "": 0.925,
        "patient_choice": 0.022,
        "comorbidity": 0.03,
        "toxicity": 0.006,
        "trial": 0.006,
        "access": 0.008,
        "urgent": 0.003,
    }
    reason = chance.pick(reasons)
    return rows(
        "mdt",
        is_held & (when <= course.until),
        patient_id=batch.people.patient_id,
        mdt_date=when,
        mdt_type=np.where(is_liver, chance.pick({"liver": 0.6, "both": 0.4}), "colorectal"),
        disciplines=np.where(chance.happens(0.9), joined(present), ""),
        deviation_reason=reason,
        trial_id=np.where(reason == "trial", TRIAL, ""),
    )


def outcome_rows(batch: Batch, course: Course) -> list[pl.DataFrame]:
    """Return the rows of `outcome`: the best response on each line, and the progression that ended it."""
    parts = []
    for line in course.lines:
        seen = line.start + batch.chance.between(50, 75)
        is_seen = line.mask & (line.response != "") & (seen < line.end) & (seen <= course.until)
        parts.append(_outcome(batch, is_seen, seen, line.response))
        has_progressed = line.mask & (line.stop_reason == "progression") & (line.end <= course.until)
        parts.append(_outcome(batch, has_progressed, line.end, "progression"))
    return parts


def _outcome(batch: Batch, mask: Bools, when: Days, outcome: str | Texts) -> pl.DataFrame:
    return rows("outcome", mask, patient_id=batch.people.patient_id, outcome_date=when, outcome=outcome)
