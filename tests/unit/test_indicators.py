"""The indicators: their heads, who is in which set, rates, bounds and limits.

Every case is one patient in a centre of the case's own name; all of them stand in one warehouse that is measured once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from crlm_pipeline import indicators
from crlm_pipeline import warehouse as warehouses
from crlm_pipeline.errors import KnowledgeError
from crlm_pipeline.indicators import counted, definitions
from crlm_pipeline.resources import reference, sql, sql_names
from crlm_pipeline.settings import Overdispersion
from crlm_pipeline.warehouse import Warehouse
from schemas import cohort, extract, mart
from schemas.column import Table
from tests.registry_of_chance import frame

AS_OF = date(2024, 6, 30)
START = date(2024, 1, 10)
DAY = timedelta(days=1)

Rows = Sequence[Mapping[str, Any]]

# numerator, denominator, not evaluable, excluded, excepted
MET = (1, 1, 0, 0, 0)
UNMET = (0, 1, 0, 0, 0)
UNKNOWN = (0, 0, 1, 0, 0)
EXCLUDED = (0, 0, 0, 1, 0)
EXCEPTED = (0, 0, 0, 0, 1)
OUT = (0, 0, 0, 0, 0)

CLASSES = {row["inn"]: row["drug_class"] for row in reference("drugs")}


@dataclass(frozen=True)
class Case:
    """One patient: what is on record and in which set of which indicator it puts the patient.

    `known`: analyte to the day of its result. `facts`: `cohort.patient_facts`. Rows of the other tables need only what
    matters.
    """

    indicator: str
    name: str
    expected: tuple[int, int, int, int, int]
    person: Mapping[str, Any] = field(default_factory=dict)
    lines: Rows = ()
    known: Mapping[str, date] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    tumours: Rows = ()
    assessments: Rows = ()
    procedures: Rows = ()
    meetings: Rows = ()
    assays: Rows = ()

    @property
    def patient_id(self) -> str:
        return f"{self.indicator}: {self.name}"


def line(number: int = 1, drugs: str = "fluorouracil oxaliplatin", **facts: Any) -> dict[str, Any]:
    """Return a line of therapy that starts on START unless told otherwise."""
    return {"line": number, "drugs": drugs.split(), "decision_date": START, **facts}


ANTIBODY = "cetuximab fluorouracil irinotecan"
CRLM = {"mets_sites": ["liver"], "mets_diagnosis_date": START - 30 * DAY, "assessment_date": START - 30 * DAY}


def meeting(days: int = 0, kind: str | None = "liver") -> tuple[dict[str, Any]]:
    return ({"mdt_date": START + days * DAY, "mdt_type": kind},)


def operation(**of: Any) -> tuple[dict[str, Any]]:
    return ({"procedure": "resection", "procedure_date": START, **of},)


def assay(analyte: str, day: date | None, result: str = "not_detected", **of: Any) -> dict[str, Any]:
    return {"analyte": analyte, "report_date": day, "sample_date": day, "result": result, **of}


def unsure(analyte: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return the two ways in which it is uncertain whether or when a test was done."""
    return (
        ("undated", assay(analyte, None)),
        ("not recorded", assay(analyte, None, "indeterminate", missing_reason="not_recorded")),
    )


def mdt() -> Iterator[Case]:
    told: dict[str, Any] = {"lines": [line()], "assessments": [CRLM]}
    yield Case("P1", "on the first day", MET, **told, meetings=meeting(0))
    yield Case("P1", "on the first day, of both kinds", MET, **told, meetings=meeting(0, "both"))
    yield Case("P1", "a day later", UNMET, **told, meetings=meeting(1))
    yield Case("P1", "none", UNMET, **told)
    yield Case("P1", "colorectal only", UNMET, **told, meetings=meeting(0, "colorectal"))
    yield Case("P1", "kind unknown", UNKNOWN, **told, meetings=meeting(0, None))
    yield Case("P1", "kind unknown, too late", UNMET, **told, meetings=meeting(1, None))
    yield Case("P1", "untreated", OUT, assessments=[CRLM], meetings=meeting(0))
    yield Case("P1", "no liver metastases", OUT, person={"is_crlm": False}, lines=[line()], meetings=meeting(0))
    yield Case(
        "P1", "procedure first", UNMET, **told, procedures=operation(procedure_date=START - DAY), meetings=meeting()
    )
    earlier = [line(0, decision_date=START - 31 * DAY), line()]
    yield Case("P1", "adjuvant course before the liver", MET, lines=earlier, assessments=[CRLM], meetings=meeting())
    later = [line(0, decision_date=START - 30 * DAY), line()]
    yield Case("P1", "course from the day of the liver", UNMET, lines=later, assessments=[CRLM], meetings=meeting())
    yield Case("P1", "course, day of the liver unknown", UNKNOWN, lines=later, meetings=meeting())
    yield Case("P1", "met before such a course", MET, lines=later, meetings=meeting(-30))
    yield Case("P1", "only such a course", UNKNOWN, lines=later[:1])
    for least, most, low, high in ((0, 2, MET, OUT), (2, 3, UNKNOWN, UNKNOWN), (3, 5, OUT, MET)):
        scored: dict[str, Any] = {"lines": [line(fong_score_min=least, fong_score_max=most)], "meetings": meeting()}
        yield Case("P1a", f"score {least} to {most}", low, **scored, assessments=[CRLM])
        yield Case("P1b", f"score {least} to {most}", high, **scored, assessments=[CRLM])
    yield Case("P1a", "late", UNMET, lines=[line(fong_score_min=0, fong_score_max=0)], meetings=meeting(1))
    yield Case("P1b", "late", UNMET, lines=[line(fong_score_min=5, fong_score_max=5)], meetings=meeting(1))


def timely_tests() -> Iterator[Case]:
    """P2 to P7 and P10: the result came in time, late, never, or nobody knows when."""
    yield Case("P2", "first day", MET, lines=[line()], known={"msi": START})
    yield Case("P2", "a day late", UNMET, lines=[line()], known={"msi": START + DAY})
    yield Case("P2", "never", UNMET, lines=[line()])
    yield Case("P2", "not metastatic", MET, {"is_metastatic": False, "is_crlm": False}, known={"msi": AS_OF})
    yield Case("P2", "no line", MET, known={"msi": AS_OF})
    for why, row in unsure("msh6"):
        yield Case("P2", why, UNKNOWN, lines=[line()], assays=[row])
        yield Case("P2", f"{why}, but another in time", MET, lines=[line()], assays=[row], known={"msi": START})
    yield Case("P2", "failed, undated", UNMET, lines=[line()], assays=[assay("msi", None, "failed")])
    for indicator, analyte, gene in (("P3", "extended_ras", "nras"), ("P4", "braf", "braf"), ("P5", "her2", "erbb2")):
        facts = {"ras": "wild_type", "braf": "wild_type"}
        told: dict[str, Any] = {"lines": [line()], "facts": facts}
        yield Case(indicator, "day 42", MET, **told, known={analyte: START + 42 * DAY})
        yield Case(indicator, "day 43", UNMET, **told, known={analyte: START + 43 * DAY})
        yield Case(indicator, "never", UNMET, **told)
        antibody = {"facts": facts, "lines": [line(drugs=ANTIBODY, antibody_start_date=START + 14 * DAY)]}
        yield Case(indicator, "day of the antibody", MET, **antibody, known={analyte: START + 14 * DAY})
        yield Case(indicator, "day after the antibody", UNMET, **antibody, known={analyte: START + 15 * DAY})
        running = {"facts": facts, "lines": [line(decision_date=AS_OF - 41 * DAY)]}
        yield Case(indicator, "days still run", UNKNOWN, **running)
        yield Case(indicator, "days have run", UNMET, facts=facts, lines=[line(decision_date=AS_OF - 42 * DAY)])
        result = "ihc_0" if gene == "erbb2" else "not_detected"
        for why, row in unsure(gene):
            yield Case(indicator, why, UNKNOWN, **told, assays=[row | {"result": result}])
        yield Case(indicator, "adjuvant only", OUT, lines=[line(0)], facts=facts)
    late = {"her2": START + 43 * DAY}
    for ras, braf, expected in (
        ("mutant", None, OUT),
        (None, "v600e", OUT),
        ("wild_type", None, UNKNOWN),
        (None, "wild_type", UNKNOWN),
        ("partial_wild_type", "wild_type", UNKNOWN),
    ):
        yield Case("P5", f"{ras}, {braf}", expected, lines=[line()], facts={"ras": ras, "braf": braf}, known=late)
    yield Case("P5", "mutation of ERBB2 undated", UNMET, assays=[assay("erbb2", None, "mutated")], **told)
    yield Case("P6", "first day", MET, lines=[line()], known={"dpyd": START})
    yield Case("P6", "a day late", UNMET, lines=[line(drugs="capecitabine")], known={"dpyd": START + DAY})
    yield Case("P6", "adjuvant course counts", UNMET, lines=[line(0), line()])
    yield Case("P6", "raltitrexed only", OUT, lines=[line(drugs="raltitrexed")])
    for why, row in unsure("dpyd"):
        yield Case("P6", why, UNKNOWN, lines=[line()], assays=[row | {"result": "dpd_normal"}])
    three = dict.fromkeys(("msi", "extended_ras", "braf"), START + 42 * DAY)
    for ras, known, expected in (
        ("mutant", three, MET),
        ("wild_type", three | {"her2": START}, MET),
        ("wild_type", three, UNMET),
        ("mutant", three | {"braf": START + 43 * DAY}, UNMET),
    ):
        name = f"{ras}, {len(known)} known, {expected[0]} met"
        yield Case("P7", name, expected, lines=[line()], facts={"ras": ras}, known=known)
    open_question = {"assays": [assay("msi", None, "mss")], "lines": [line()], "facts": {"ras": "mutant"}}
    yield Case("P7", "one undated", UNKNOWN, **open_question, known={"extended_ras": START, "braf": START})
    yield Case("P7", "one undated, one late", UNMET, **open_question, known={"extended_ras": START})
    yield Case("P7", "adjuvant only", OUT, lines=[line(0)])
    given = [line(2, ANTIBODY, antibody_start_date=START + 3 * DAY)]
    yield Case("P10", "day of the antibody", MET, lines=given, known={"extended_ras": START + 3 * DAY})
    yield Case("P10", "day after the antibody", UNMET, lines=given, known={"extended_ras": START + 4 * DAY})
    yield Case("P10", "never", UNMET, lines=given)
    yield Case("P10", "no antibody", OUT, lines=[line()])
    for why, row in unsure("kras"):
        yield Case("P10", why, UNKNOWN, lines=given, assays=[row])


def choices() -> Iterator[Case]:
    """P8, P9 and P11 to P13: what was given in the line."""
    for country, first in (("US", date(2020, 6, 29)), ("NL", date(2021, 1, 21)), ("GB", date(2022, 10, 17))):
        for days, expected in ((-1, OUT), (0, MET)):
            given = line(drugs="pembrolizumab", msi="msi_h", country=country, decision_date=first + days * DAY)
            yield Case("P8", f"{country} {days}", expected, lines=[given])
    yield Case("P8", "chemotherapy", UNMET, lines=[line(msi="msi_h")])
    yield Case("P8", "unknown", UNKNOWN, lines=[line(msi=None)])
    yield Case("P8", "conflict", UNKNOWN, lines=[line(msi="conflict")])
    yield Case("P8", "mss", OUT, lines=[line(msi="mss")])
    yield Case("P8", "second line", OUT, lines=[line(2, msi="msi_h")])
    yield Case("P8", "no calendar", UNKNOWN, {"is_relative_calendar": True}, [line(msi="msi_h")])
    yield Case("P8", "autoimmune", EXCLUDED, lines=[line(msi="msi_h", contraindications=["autoimmune"])])
    yield Case("P8", "unknown and autoimmune", OUT, lines=[line(contraindications=["transplant"])])
    for ras, drugs, expected in (
        ("mutant", "fluorouracil oxaliplatin", MET),
        ("mutant", ANTIBODY, UNMET),
        ("mutant", "adagrasib cetuximab", MET),
        ("partial_wild_type", ANTIBODY, UNKNOWN),
        (None, ANTIBODY, UNKNOWN),
        ("wild_type", ANTIBODY, OUT),
    ):
        yield Case("P9", f"{ras}, {drugs}", expected, lines=[line(3, drugs, ras=ras)])
    yield Case("P9", "perioperative", OUT, lines=[line(0, ANTIBODY, ras="mutant")])
    left = {"side": "left", "msi": "mss", "ras": "wild_type", "braf": "wild_type"}
    for drugs, egfr, vegf in (
        (ANTIBODY, MET, UNMET),
        ("bevacizumab capecitabine oxaliplatin", UNMET, MET),
        ("fluorouracil oxaliplatin", UNMET, UNMET),
        ("bevacizumab fluorouracil irinotecan oxaliplatin", UNMET, UNMET),
        ("bevacizumab capecitabine", UNMET, UNMET),
        ("cetuximab", UNMET, UNMET),
    ):
        yield Case("P11a", drugs, egfr, lines=[line(1, drugs, **left)])
        yield Case("P11b", drugs, vegf, lines=[line(1, drugs, **left)])
    for fact, value, expected in (
        ("side", "right", OUT),
        ("side", None, UNKNOWN),
        ("ras", "partial_wild_type", UNKNOWN),
        ("msi", "conflict", UNKNOWN),
        ("braf", "class_2", OUT),
        ("braf", None, UNKNOWN),
    ):
        yield Case("P11a", f"{fact} {value}", expected, lines=[line(1, ANTIBODY, **(left | {fact: value}))])
        yield Case("P11b", f"{fact} {value}", expected, lines=[line(1, ANTIBODY, **(left | {fact: value}))])
    yield Case("P11a", "one fact decides", OUT, lines=[line(1, ANTIBODY, side="right")])
    yield Case("P11b", "second line", OUT, lines=[line(2, ANTIBODY, **left)])
    yield from braf_targeted()
    for name, drugs, facts, expected in (
        ("spared", "fluorouracil", {"msi": "mss"}, UNMET),
        ("given", "nivolumab", {"msi": "mss"}, MET),
        ("trial", "nivolumab", {"msi": "mss", "trial_id": "NCT1"}, EXCLUDED),
        ("POLE", "nivolumab", {"msi": "mss", "has_pole_variant": True}, EXCEPTED),
        ("POLE, spared", "fluorouracil", {"msi": "mss", "has_pole_variant": True}, UNMET),
        ("no POLE", "nivolumab", {"msi": "mss", "has_pole_variant": False}, MET),
        ("unknown", "nivolumab", {}, UNKNOWN),
        ("conflict", "nivolumab", {"msi": "conflict"}, UNKNOWN),
        ("MSI-high", "nivolumab", {"msi": "msi_h"}, OUT),
    ):
        yield Case("P13", name, expected, lines=[line(1, drugs, **facts)])


def braf_targeted() -> Iterator[Case]:
    meant = {"braf": "v600e", "msi": "mss", "prior_braf_inhibitor": False}
    for country, first in (("US", date(2020, 4, 8)), ("NL", date(2020, 6, 2)), ("GB", date(2022, 10, 17))):
        for days, expected in ((-1, OUT), (0, MET)):
            facts = meant | {"country": country, "decision_date": first + days * DAY}
            yield Case("P12", f"{country} {days}", expected, lines=[line(2, "cetuximab encorafenib", **facts)])
    yield Case("P12", "triplet", MET, lines=[line(3, "binimetinib cetuximab encorafenib", **meant)])
    for name, changed, expected in (
        ("without the antibody", {}, UNMET),
        ("an inhibitor before", {"prior_braf_inhibitor": True}, EXCLUDED),
        ("MSI-high", {"msi": "msi_h"}, EXCLUDED),
        ("MSI unknown", {"msi": None}, UNKNOWN),
        ("MSI unknown, an inhibitor before", {"msi": None, "prior_braf_inhibitor": True}, EXCLUDED),
        ("BRAF unknown", {"braf": None}, UNKNOWN),
        ("wild type", {"braf": "wild_type"}, OUT),
        ("wild type, MSI unknown", {"braf": "wild_type", "msi": None}, OUT),
    ):
        yield Case("P12", name, expected, lines=[line(2, "encorafenib", **(meant | changed))])
    yield Case("P12", "first line", OUT, lines=[line(1, "cetuximab encorafenib", **meant)])


def local_treatments() -> Iterator[Case]:
    """P14, P16b and NCIN-resection: treated by the last day, after it, or not seen until it."""
    found = date(2023, 1, 10)
    only = {"mets_sites": ["liver"], "mets_diagnosis_date": found, "assessment_date": found}
    conversion = line(decision_date=found, treatment_setting="conversion")
    operated = {"resection_date": date(2021, 1, 10)}
    for indicator, told in (
        ("P14", {"assessments": [only]}),
        ("P16b", {"lines": [conversion]}),
        ("NCIN-resection", {"tumours": [operated]}),
    ):
        for name, more, expected in (
            ("last day", {"procedures": operation(procedure_date=START)}, MET),
            ("a day late", {"procedures": operation(procedure_date=START + DAY)}, UNMET),
            ("never", {}, UNMET),
            ("seen to the last day", {"person": {"last_contact_date": START}}, UNMET),
            ("not seen", {"person": {"last_contact_date": START - DAY}}, UNKNOWN),
            ("last contact unknown", {"person": {"last_contact_date": None}}, UNMET),
            ("died", {"person": {"vital_status": "dead", "death_date": START - 50 * DAY}}, UNMET),
            ("radiotherapy", {"procedures": operation(procedure="sbrt", procedure_date=START)}, UNMET),
        ):
            yield Case(indicator, name, expected, **told, **more)
    ablated = operation(procedure="mwa", procedure_date=START)
    yield Case("P14", "ablation", MET, assessments=[only], procedures=ablated)
    yield Case("P14", "lung too", OUT, assessments=[only | {"mets_sites": ["liver", "lung"]}], procedures=ablated)
    yield Case("P14", "sites unknown", UNKNOWN, assessments=[only | {"mets_sites": None}], procedures=ablated)
    undated = only | {"mets_diagnosis_date": None}
    yield Case("P14", "day unknown", UNKNOWN, assessments=[undated], procedures=ablated)
    recent = only | {"mets_diagnosis_date": AS_OF - 364 * DAY}
    yield Case("P14", "months still run", UNKNOWN, assessments=[recent])
    yield Case("P14", "no liver metastases", OUT, {"is_crlm": False}, assessments=[only])
    yield Case("P16b", "ablation", MET, lines=[conversion], procedures=ablated)
    before = operation(procedure_date=found)
    yield Case("P16b", "before the second day", UNMET, lines=[conversion], procedures=before)
    yield Case("P16b", "aim unknown", UNKNOWN, lines=[conversion | {"treatment_setting": None}], procedures=ablated)
    yield Case("P16b", "never resectable", OUT, lines=[conversion | {"treatment_setting": "unresectable"}])
    yield Case("P16b", "months still run", UNKNOWN, lines=[conversion | {"decision_date": AS_OF - 364 * DAY}])
    yield Case("NCIN-resection", "ablation", UNMET, tumours=[operated], procedures=ablated)
    yield Case("NCIN-resection", "operation unknown", UNKNOWN, tumours=[{}], procedures=operation())
    yield Case("NCIN-resection", "years still run", UNKNOWN, tumours=[{"resection_date": AS_OF - 1094 * DAY}])


def reviews() -> Iterator[Case]:
    told = {"lines": [line(treatment_setting="conversion")]}
    yield Case("P16a", "day 75", MET, **told, meetings=meeting(75))
    yield Case("P16a", "day 76", UNMET, **told, meetings=meeting(76))
    yield Case("P16a", "first day only", UNMET, **told, meetings=meeting(0))
    yield Case("P16a", "first day and again", MET, **told, meetings=(*meeting(0), *meeting(1, "both")))
    yield Case("P16a", "kind unknown", UNKNOWN, **told, meetings=meeting(75, None))
    yield Case("P16a", "lost", UNKNOWN, {"last_contact_date": START + 74 * DAY}, **told)
    yield Case("P16a", "seen", UNMET, {"last_contact_date": START + 75 * DAY}, **told)
    yield Case("P16a", "died", UNMET, {"vital_status": "dead", "death_date": START + 5 * DAY}, **told)
    running = [line(treatment_setting="conversion", decision_date=AS_OF - 74 * DAY)]
    yield Case("P16a", "days still run", UNKNOWN, lines=running)
    yield Case("P16a", "aim unknown", UNKNOWN, lines=[line()], meetings=meeting(75))
    yield Case("P16a", "resectable", OUT, lines=[line(treatment_setting="resectable")], meetings=meeting(75))


def resections() -> Iterator[Case]:
    major = operation(is_major=True)
    for days, expected in ((183, MET), (184, UNMET)):
        row = {"assessment_date": START - days * DAY, "flr_percent": 30.0, "liver_background": "normal"}
        yield Case("P15a", f"{days} days before", expected, procedures=major, assessments=[row])
    work_up = {"assessment_date": START, "flr_percent": 30.0, "liver_background": "normal"}
    volumes = work_up | {"flr_percent": None, "flr_ml": 300.0, "tlv_ml": 1000.0}
    yield Case("P15a", "volumes", MET, procedures=major, assessments=[volumes])
    yield Case("P15a", "no remnant", UNMET, procedures=major, assessments=[work_up | {"flr_percent": None}])
    yield Case("P15a", "no background", UNMET, procedures=major, assessments=[work_up | {"liver_background": None}])
    yield Case("P15a", "extent unknown", UNKNOWN, procedures=operation(), assessments=[work_up])
    yield Case("P15a", "minor", OUT, procedures=operation(is_major=False), assessments=[work_up])
    yield Case("P15a", "no resection", OUT, procedures=operation(procedure="mwa", is_major=True))
    for liver, remnant, expected in (
        ("normal", 25.0, UNMET),
        ("normal", 25.1, MET),
        ("cirrhosis", 40.0, UNMET),
        ("cirrhosis", 40.1, MET),
        ("normal", None, UNKNOWN),
        (None, 60.0, UNKNOWN),
        ("fibrosis", 60.0, OUT),
    ):
        row = work_up | {"flr_percent": remnant, "liver_background": liver}
        yield Case("P15b", f"{liver} {remnant}", expected, procedures=major, assessments=[row])
    yield Case("P15b", "extent unknown", UNKNOWN, procedures=operation(), assessments=[work_up])
    yield Case("P15b", "minor", OUT, procedures=operation(is_major=False), assessments=[work_up])
    yield from deaths()
    yield from courses()


def deaths() -> Iterator[Case]:
    def dead(days: int) -> dict[str, Any]:
        return {"vital_status": "dead", "death_date": START + days * DAY, "last_contact_date": None}

    for name, person, expected in (
        ("day 90", dead(90), MET),
        ("day 91", dead(91), UNMET),
        ("seen on day 90", {"last_contact_date": START + 90 * DAY}, UNMET),
        ("seen until day 89", {"last_contact_date": START + 89 * DAY}, UNKNOWN),
        ("last contact unknown", {"last_contact_date": None}, UNKNOWN),
        ("died, day unknown", {"vital_status": "dead", "last_contact_date": None}, UNKNOWN),
    ):
        yield Case("P17a", name, expected, person, procedures=operation())
    late = operation(procedure_date=AS_OF - 89 * DAY)
    yield Case("P17a", "days still run", UNKNOWN, {"last_contact_date": AS_OF + 30 * DAY}, procedures=late)
    yield Case("P17a", "ablation", OUT, dead(1), procedures=operation(procedure="rfa"))
    for extent, other in ((False, "minor"), (True, "major")):
        indicator = f"DHBA-mortality-{other}"
        for name, days, stay, expected in (
            ("day 30", 30, 5, MET),
            ("day 31, at home", 31, 30, UNMET),
            ("day 31, in hospital", 31, 31, MET),
            ("day 31, stay unknown", 31, None, UNKNOWN),
        ):
            cut = operation(is_major=extent, length_of_stay_days=stay)
            yield Case(indicator, name, expected, dead(days), procedures=cut)
        cut = operation(is_major=extent, length_of_stay_days=5)
        yield Case(indicator, "lost", UNKNOWN, {"last_contact_date": START + 29 * DAY}, procedures=cut)
        yield Case(indicator, "alive, stay unknown", UNMET, procedures=operation(is_major=extent))
        yield Case(indicator, "extent unknown", UNKNOWN, dead(3), procedures=operation())
        yield Case(indicator, "other extent", OUT, dead(3), procedures=operation(is_major=not extent))


def courses() -> Iterator[Case]:
    good = {"clavien_dindo": "2", "length_of_stay_days": 14, "is_readmitted_30d": False, "is_major": True}
    for name, changed, expected in (
        ("all good", {}, MET),
        ("grade 3a", {"clavien_dindo": "3a"}, UNMET),
        ("15 days", {"length_of_stay_days": 15}, UNMET),
        ("readmitted", {"is_readmitted_30d": True}, UNMET),
        ("readmission unknown", {"is_readmitted_30d": None}, UNKNOWN),
        ("readmission unknown, 15 days", {"is_readmitted_30d": None, "length_of_stay_days": 15}, UNMET),
        ("grade unknown", {"clavien_dindo": None}, UNKNOWN),
    ):
        yield Case("P17b", name, expected, procedures=operation(**(good | changed)))
    for days, expected in ((30, UNMET), (31, MET)):
        dead = {"vital_status": "dead", "death_date": START + days * DAY}
        yield Case("P17b", f"died on day {days}", expected, dead, procedures=operation(**good))
    yield Case("P17b", "ablation", OUT, procedures=operation(**good | {"procedure": "rfa"}))
    for extent, word in ((False, "minor"), (True, "major")):
        for grade, expected in (("3a", MET), ("2", UNMET), (None, UNKNOWN)):
            cut = operation(is_major=extent, clavien_dindo=grade)
            yield Case(f"DHBA-morbidity-{word}", f"grade {grade}", expected, procedures=cut)
        yield Case(f"DHBA-morbidity-{word}", "extent unknown", UNKNOWN, procedures=operation(clavien_dindo="3a"))
        other = operation(is_major=not extent, clavien_dindo="3a")
        yield Case(f"DHBA-morbidity-{word}", "other extent", OUT, procedures=other)
    for grade, days, expected in (("3a", 30, MET), ("3a", 31, UNMET), ("2", 30, OUT), (None, 30, UNKNOWN)):
        person = {"vital_status": "dead", "death_date": START + days * DAY}
        cut = operation(clavien_dindo=grade, length_of_stay_days=9)
        yield Case("DHBA-rescue", f"grade {grade}, day {days}", expected, person, procedures=cut)
    mwa = {"procedure": "mwa", "procedure_date": START}
    yield Case("DHBA-combined", "same day", MET, procedures=(*operation(), mwa))
    yield Case("DHBA-combined", "next day", UNMET, procedures=(*operation(), mwa | {"procedure_date": START + DAY}))
    yield Case("DHBA-combined", "ablation alone", OUT, procedures=[mwa])
    metastases = {"mets_diagnosis_date": START, "assessment_date": START}
    for name, found, cut_on, expected in (
        ("same day, 31 days after", START - 31 * DAY, START, MET),
        ("another day", START - 31 * DAY, START + DAY, UNMET),
        ("day unknown", START - 31 * DAY, None, UNKNOWN),
        ("32 days after", START - 32 * DAY, START, OUT),
        ("diagnosis unknown", None, START, UNKNOWN),
    ):
        tumour = {"diagnosis_date": found, "resection_date": cut_on}
        told: dict[str, Any] = {"tumours": [tumour], "assessments": [metastases], "procedures": operation()}
        yield Case("DHBA-simultaneous", name, expected, **told)


M1, M0 = {"m_category": "M1a"}, {"m_category": "M0"}


def mips_451() -> Iterator[Case]:
    treated: dict[str, Any] = {"lines": [line(1, ANTIBODY, antibody_start_date=START)]}
    both = [assay("kras", START), assay("nras", START)]
    for name, tumour, assays, expected in (
        ("both genes", M1, both, MET),
        ("one gene", M1, both[:1], UNMET),
        ("one gene late", M1, [both[0], assay("nras", START + DAY)], UNMET),
        ("one gene undated", M1, [both[0], assay("nras", None)], UNKNOWN),
        ("in plasma", M1, [both[0], assay("nras", START, specimen_site="plasma")], UNMET),
        ("metachronous", M0, both, OUT),
        ("M unknown", {}, both, UNKNOWN),
        ("appendix", M1 | {"topography": "C18.1"}, both, OUT),
        ("rectum", M1 | {"topography": "C20.9"}, both, MET),
    ):
        yield Case("MIPS-451", name, expected, **treated, tumours=[tumour], assays=assays)
    for days, expected in ((31, MET), (32, OUT)):
        tumour, row = {"diagnosis_date": START}, {"assessment_date": START, "first_metastasis_date": START + days * DAY}
        told = treated | {"tumours": [tumour], "assessments": [row]}
        yield Case("MIPS-451", f"metastases on day {days}", expected, **told, assays=both)
    for age, expected in ((17, OUT), (18, MET)):
        person, tumour = {"birth_year": 2024 - age}, M1 | {"diagnosis_date": START}
        yield Case("MIPS-451", f"age {age}", expected, person, **treated, tumours=[tumour], assays=both)
    yield Case("MIPS-451", "no antibody", OUT, lines=[line()], tumours=[M1], assays=both)
    adapted = "MIPS-451-adapted"
    known = {"extended_ras": START}
    yield Case(adapted, "metachronous", MET, **treated, tumours=[M0], known=known)
    yield Case(adapted, "a day late", UNMET, **treated, tumours=[M0], known={"extended_ras": START + DAY})
    yield Case(adapted, "two genes, not every codon", UNMET, **treated, tumours=[M1], assays=both)
    yield Case(adapted, "undated", UNKNOWN, **treated, tumours=[M0], assays=[assay("kras", None)])
    g12c = [line(3, "adagrasib cetuximab", antibody_start_date=START)]
    yield Case(adapted, "with a G12C inhibitor", EXCLUDED, lines=g12c, tumours=[M0], known=known)
    yield Case(adapted, "no antibody", OUT, lines=[line()], tumours=[M0], known=known)


def mips_452() -> Iterator[Case]:
    with_antibody = [line(1, ANTIBODY, antibody_start_date=START)]
    g12c = [line(3, "adagrasib cetuximab", antibody_start_date=START)]
    mutated = assay("kras", START, "mutated", hgvs_p="p.Gly12Cys")
    mutant = {"ras": "mutant"}
    specified, adapted = "MIPS-452", "MIPS-452-adapted"
    told: dict[str, Any] = {"tumours": [M1], "assays": [mutated], "facts": mutant}
    yield Case(specified, "spared", MET, **told, lines=[line()])
    yield Case(specified, "given", UNMET, **told, lines=with_antibody)
    yield Case(specified, "given with a G12C inhibitor", UNMET, **told, lines=g12c)
    yield Case(specified, "metachronous", OUT, tumours=[M0], assays=[mutated], facts=mutant)
    yield Case(specified, "M unknown", UNKNOWN, tumours=[{}], assays=[mutated], facts=mutant)
    negative = assay("kras", START + DAY)
    yield Case(specified, "latest negative", OUT, tumours=[M1], assays=[mutated, negative], facts=mutant)
    unplaced = [mutated, assay("kras", None)]
    yield Case(specified, "another undated", UNKNOWN, tumours=[M1], assays=unplaced, facts={})
    yield Case(specified, "untested", UNKNOWN, tumours=[M1])
    partial = {"ras": "partial_wild_type"}
    yield Case(specified, "partly negative", UNKNOWN, tumours=[M1], assays=[negative], facts=partial)
    yield Case(specified, "negative", OUT, tumours=[M1], assays=[negative], facts={"ras": "wild_type"})
    yield Case(adapted, "spared", MET, tumours=[M0], facts=mutant)
    yield Case(adapted, "given", UNMET, tumours=[M0], facts=mutant, lines=with_antibody)
    yield Case(adapted, "given with a G12C inhibitor", EXCLUDED, tumours=[M0], facts=mutant, lines=g12c)
    yield Case(adapted, "latest negative", MET, tumours=[M1], assays=[mutated, negative], facts=mutant)
    yield Case(adapted, "unknown", UNKNOWN, tumours=[M0], lines=with_antibody)
    yield Case(adapted, "wild type", OUT, tumours=[M0], facts={"ras": "wild_type"}, lines=with_antibody)
    last = date(2017, 12, 31)
    for name, row, expected in (
        ("last day", assay("kras", last, "mutated", hgvs_p="p.G13D"), MET),
        ("next year", assay("kras", last + DAY, "mutated", hgvs_p="p.G13D"), OUT),
        ("codon 146", assay("kras", last, "mutated", hgvs_p="p.Ala146Thr"), OUT),
        ("codon unknown", assay("kras", last, "mutated"), UNKNOWN),
        ("change that names no codon", assay("kras", last, "mutated", hgvs_p="p.?"), UNKNOWN),
        ("insertion that touches codon 12", assay("kras", last, "mutated", hgvs_p="p.Ala11_Gly12insGlyAla"), MET),
        ("silent change of codon 12", assay("kras", last, "mutated", hgvs_p="p.Gly12="), OUT),
        ("exon 2", assay("kras", last, "mutated", region_tested=["exon2"]), MET),
        ("exons 2 and 3", assay("kras", last, "mutated", region_tested=["exon2", "exon3"]), UNKNOWN),
        ("NRAS", assay("nras", last, "mutated", hgvs_p="p.G12D"), OUT),
        ("undated", assay("kras", None, "mutated", hgvs_p="p.G12D"), UNKNOWN),
    ):
        yield Case("MIPS-452-2017", name, expected, tumours=[M1], assays=[row])
    earlier = [assay("kras", last, "mutated", hgvs_p="p.G12D")]
    yield Case("MIPS-452-2017", "given", UNMET, tumours=[M1], assays=earlier, lines=with_antibody)


def dg27() -> Iterator[Case]:
    first = date(2017, 2, 24)
    known = {"msi": START}
    yield Case("DG27-1.1", "first day", MET, tumours=[{"diagnosis_date": first}], known=known)
    yield Case("DG27-1.1", "day before", OUT, tumours=[{"diagnosis_date": first - DAY}], known=known)
    yield Case("DG27-1.1", "day unknown", UNKNOWN, tumours=[{"diagnosis_date": None}], known=known)
    told = {"tumours": [{"diagnosis_date": START}]}
    yield Case("DG27-1.1", "never", UNMET, **told)
    yield Case("DG27-1.1", "undated result", MET, **told, facts={"msi": "mss"}, assays=[assay("msi", None, "mss")])
    pending = assay("msi", START, "indeterminate", missing_reason="pending")
    yield Case("DG27-1.1", "pending", UNKNOWN, **told, assays=[pending])
    refused = assay("msi", START, "indeterminate", missing_reason="refused")
    yield Case("DG27-1.1", "refused", UNMET, **told, assays=[refused])


FAMILIES = (mdt, timely_tests, choices, local_treatments, reviews, resections, mips_451, mips_452, dg27)
CASES = [case for family in FAMILIES for case in family()]


def warehouse(cases: Sequence[Case]) -> Warehouse:
    """Return a warehouse in memory that holds what is on record of every case."""
    made = Warehouse.in_memory()

    def insert(model: type[Table], rows: Rows, **shared: Any) -> None:
        made.insert(model, frame(model, rows, source_file_id="f", source_row=1, **shared))

    people = [_person(case) | {"patient_id": case.patient_id, "centre_id": case.patient_id} for case in cases]
    insert(extract.Patient, people)
    insert(cohort.CohortPatient, people, is_alive=True, cohort_reason="-", first_event_date=START)
    insert(cohort.PatientFacts, [{"patient_id": one.patient_id, **one.facts} for one in cases], is_braf_tested=False)
    insert(
        cohort.AnalyteKnown,
        [_of(one, analyte=name, known_date=day) for one in cases for name, day in one.known.items()],
    )
    insert(extract.Tumour, [_of(one, **row) for one in cases for row in one.tumours], tumour_id="1", topography="C18.7")
    insert(extract.Assessment, [_of(one, **row) for one in cases for row in one.assessments])
    insert(extract.Procedure, [_of(one, **row) for one in cases for row in one.procedures])
    insert(extract.Mdt, [_of(one, **row) for one in cases for row in one.meetings])
    insert(extract.Biomarker, [_of(one, **row) for one in cases for row in one.assays], specimen_id="s", method="ngs")
    steps = [_decision(one, given, _person(one)) for one in cases for given in one.lines]
    insert(cohort.Decision, steps)
    insert(cohort.LineOfTherapy, steps, regimen="x", line_source="derived")
    roles = [step | {"drug": inn, "inn": inn, "drug_class": CLASSES[inn]} for step in steps for inn in step["drugs"]]
    insert(cohort.ExposureRole, roles, role="regimen", reason="-")
    return made


def _of(case: Case, **row: Any) -> dict[str, Any]:
    return {"patient_id": case.patient_id, **row}


def _person(case: Case) -> dict[str, Any]:
    usual = {"country": "NL", "vital_status": "alive", "last_contact_date": AS_OF, "birth_year": 1960}
    return usual | {"is_metastatic": True, "is_crlm": True, "is_relative_calendar": False, **case.person}


def _decision(case: Case, given: Mapping[str, Any], person: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "patient_id": case.patient_id,
        "decision_id": f"{case.patient_id}/systemic/{given['line']}",
        "centre_id": case.patient_id,
        "home_centre_id": case.patient_id,
        "country": person["country"],
        "setting": "systemic",
        "facts_date": given["decision_date"],
        "start_date": given["decision_date"],
        "course": 1,
        "treatment": "+".join(sorted(given["drugs"])),
        "is_open": False,
        "is_relative_calendar": person["is_relative_calendar"],
        "is_fitness_known": True,
        "has_assumed_date": False,
        "has_imputed_date": False,
        "contraindications": [],
        "fong_score_min": 0,
        "fong_score_max": 5,
        **given,
    }


def measure(made: Warehouse, overdispersion: Overdispersion = "none") -> pl.DataFrame:
    return indicators.measure(counted(made, AS_OF), overdispersion)


GROUP = ("indicator_id", "centre_id")
COUNTS = ("numerator", "denominator", "n_not_evaluable", "n_excluded", "n_excepted")


@pytest.fixture(scope="module")
def made() -> Iterator[Warehouse]:
    with warehouse(CASES) as made:
        made.insert(mart.Indicator, measure(made))
        yield made


@pytest.fixture(scope="module")
def rows(made: Warehouse) -> pl.DataFrame:
    return made.read(mart.Indicator)


@pytest.fixture(scope="module")
def sets(rows: pl.DataFrame) -> dict[tuple[str, str], tuple[int, ...]]:
    every_year = rows.filter(pl.col("period").is_null() & pl.col("centre_id").is_not_null())
    return {(one, centre): tuple(counts) for one, centre, *counts in every_year.select(*GROUP, *COUNTS).rows()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.patient_id)
def test_a_patient_is_in_the_set_that_the_record_says(case: Case, sets: dict[tuple[str, str], tuple[int, ...]]) -> None:
    assert sets.get((case.indicator, case.patient_id), OUT) == case.expected


def test_every_row_fits_the_table(rows: pl.DataFrame) -> None:
    mart.Indicator.to_schema().validate(rows)


def test_every_indicator_has_a_case_of_each_state_that_it_knows() -> None:
    for definition in definitions():
        if definition.display == "median":
            continue
        found = {case.expected for case in CASES if case.indicator == definition.id}
        wanted = {MET, UNMET}
        wanted |= {EXCLUDED} if definition.exclusions != "none" else set()
        wanted |= {EXCEPTED} if definition.exceptions != "none" else set()
        assert wanted <= found, definition.id
        # Nothing can be unknown of ablation: no row means not done.
        assert UNKNOWN in found or definition.id == "DHBA-combined"
        # These two ask something of everybody.
        assert OUT in found or definition.id in ("P2", "NCIN-resection")


def test_the_indicators_of_the_clinical_section_are_there_in_their_order() -> None:
    own = "P1 P1a P1b P2 P3 P4 P5 P6 P7 P8 P9 P10 P11a P11b P12 P13 P14 P15a P15b P16a P16b P17a P17b P18"
    others = "DG27-1.1 DHBA-combined DHBA-morbidity-major DHBA-morbidity-minor DHBA-mortality-major"
    others += " DHBA-mortality-minor DHBA-rescue DHBA-simultaneous MIPS-451 MIPS-451-adapted MIPS-452 MIPS-452-2017"
    assert [one.id for one in definitions()] == f"{own} {others} MIPS-452-adapted NCIN-resection".split()
    assert {one.id for one in definitions() if one.display == "median"} == {"P18"}


def test_every_statement_about_care_says_its_grain_and_is_read() -> None:
    assert set(sql_names("care")) == {f"care/{name}" for name in indicators.CARE}
    for name in sql_names("care"):
        assert "-- Grain: " in sql(name)


def head(**changed: str) -> str:
    stated = {name: "1" for name in indicators.HEADER} | {"direction": "up", "target": "none", "display": "funnel"}
    return "".join(f"-- {name}: {text}\n" for name, text in (stated | {"state": "verified"} | changed).items())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("-- id: P1\n", "title"),
        (head() + "-- tittle: x\n", "tittle"),
        (head(direction="sideways"), "direction"),
        (head(state="sure"), "state"),
        (head(target="most"), "target"),
    ],
)
def test_a_head_that_is_not_right_is_refused_with_the_file_and_the_field(
    text: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indicators, "sql_names", lambda _: ["indicators/p1"])
    monkeypatch.setattr(indicators, "sql", lambda _: text)
    with pytest.raises(KnowledgeError, match=rf"(?s)indicators/p1\.sql.*{named}"):
        definitions()


def test_a_continued_line_of_a_head_may_hold_a_colon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicators, "sql_names", lambda _: ["indicators/p1"])
    monkeypatch.setattr(indicators, "sql", lambda _: head(numerator="first\n--   reading: second"))
    assert definitions()[0].numerator == "first reading: second"


def test_what_a_registry_does_not_collect_is_not_evaluable() -> None:
    lines = [line(1, ANTIBODY, antibody_start_date=START, treatment_setting="conversion")]
    seen = {"assessments": [CRLM], "tumours": [M1 | {"diagnosis_date": START, "resection_date": date(2020, 1, 1)}]}
    alone = Case("-", "-", OUT, lines=lines, facts={"ras": "wild_type", "braf": "wild_type"}, **seen)
    with warehouse([alone]) as made:
        rows = measure(made).filter(pl.col("period").is_null() & pl.col("centre_id").is_null())
    found = dict(rows.select("indicator_id", pl.concat_list("denominator", "n_not_evaluable")).rows())
    asked = ("P1", "P2", "P3", "P4", "P5", "P6", "P7", "P10", "P14", "P16a", "P16b")
    asked += ("DG27-1.1", "MIPS-451", "MIPS-451-adapted", "NCIN-resection")
    assert {name: found[name] for name in asked} == {name: [0, 1] for name in asked}


def test_p18_is_the_median_time_of_tests_not_of_genes_with_pending_ones_censored() -> None:
    tests = [
        ("one", START, START + 10 * DAY, None),
        ("two", START, START + 14 * DAY, None),
        ("pending", AS_OF - 12 * DAY, None, "pending"),
        ("pending too", AS_OF - 13 * DAY, None, "pending"),
        ("no report date", START, None, None),
        ("refused", START, None, "refused"),
    ]
    assays = [
        {"specimen_id": specimen, "analyte": gene, "sample_date": taken, "report_date": told, "missing_reason": why}
        for specimen, taken, told, why in tests
        for gene in ("kras", "nras")
    ]
    with warehouse([Case("P18", "-", OUT, assays=[one | {"result": "indeterminate"} for one in assays])]) as made:
        found = row(measure(made), "P18")
    assert (found["numerator"], found["denominator"], found["n_not_evaluable"]) == (2, 4, 1)
    assert found["rate"] == 14  # the two known results alone would say 10 or 12
    assert found["limit_low_95"] is found["standing"] is found["smallest_difference"] is None


def row(measured: pl.DataFrame, indicator: str, centre: str | None = None, period: str | None = None) -> dict[str, Any]:
    return measured.filter(
        pl.col("indicator_id") == indicator,
        pl.col("centre_id").eq_missing(pl.lit(centre, pl.String)),
        pl.col("period").eq_missing(pl.lit(period, pl.String)),
    ).row(0, named=True)


def members(*centres: tuple[str, int, int], unknown: int = 0, day: date | None = START) -> pl.DataFrame:
    """Return the members of an indicator: by centre how many met it and of how many, then unknown ones of the first."""
    states = [(name, number < met) for name, met, total in centres for number in range(total)]
    states += [(centres[0][0], None)] * unknown
    return pl.DataFrame(
        {
            "member_id": range(len(states)),
            "centre_id": [name for name, _ in states],
            "in_population": True,
            "in_denominator": True,
            "in_numerator": [met for _, met in states],
        },
        schema_overrides={"in_numerator": pl.Boolean},
    ).with_columns(event_date=pl.lit(day, pl.Date), days=pl.lit(1))


P2 = next(one for one in definitions() if one.id == "P2")


@cache
def empty() -> Warehouse:
    return Warehouse.in_memory()


def measure_members(
    monkeypatch: pytest.MonkeyPatch, rows: pl.DataFrame, overdispersion: Overdispersion = "none", **changed: Any
) -> pl.DataFrame:
    """Measure P2 alone with these members, its head changed."""
    definition = P2.model_copy(update=changed)
    monkeypatch.setattr(indicators, "definitions", lambda: [definition])
    monkeypatch.setattr(indicators, "CARE", {})
    monkeypatch.setattr(warehouses, "sql", lambda name: "from given" if name == P2.sql_name else sql(name))
    empty().register("given", rows)
    return measure(empty(), overdispersion)


@pytest.mark.parametrize(
    ("direction", "worst", "best"), [("up", 0.25, 0.75), ("down", 0.75, 0.25), ("none", 0.25, 0.75)]
)
def test_rates_carry_bounds_for_what_could_not_be_evaluated(
    direction: str, worst: float, best: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = row(measure_members(monkeypatch, members(("a", 1, 2), unknown=2), direction=direction), "P2")
    assert (found["rate"], found["rate_worst"], found["rate_best"]) == (0.5, worst, best)


def test_limits_stand_around_the_pooled_rate_at_each_centre_s_denominator(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = measure_members(monkeypatch, members(("a", 5, 10), ("b", 20, 40)))
    small, large = row(measured, "P2", "a"), row(measured, "P2", "b")
    for found in (small, large):
        assert found["limit_low_998"] < found["limit_low_95"] < 0.5 < found["limit_high_95"] < found["limit_high_998"]
        assert found["standing"] == "within"
    assert large["limit_low_95"] > small["limit_low_95"]
    assert large["smallest_difference"] < small["smallest_difference"]
    assert row(measured, "P2", "a", "2024")["denominator"] == 10
    assert row(measured, "P2")["standing"] is None


# With 100 of 200 in all, chance gives a centre of 20 at most 4 cases in 0.6 %, at most 5 in 2.07 %, at most 6 in 5.8 %
# and at most 3 in 0.13 %, at most 2 in 0.02 % of samples (binomial, one half); the other side is the same.
@pytest.mark.parametrize(
    ("met", "up", "down"),
    [
        (2, "alarm", "better"),
        (3, "alert", "better"),
        (5, "alert", "better"),
        (6, "within", "within"),
        (14, "within", "within"),
        (15, "better", "alert"),
        (17, "better", "alert"),
        (18, "better", "alarm"),
    ],
)
def test_the_standing_of_a_centre_knows_the_direction_and_flags_no_more_than_chance_allows(
    met: int, up: str, down: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = members(("a", met, 20), ("b", 100 - met, 180))
    for direction, expected in (("up", up), ("down", down), ("none", None)):
        assert row(measure_members(monkeypatch, rows, direction=direction), "P2", "a")["standing"] == expected


def test_below_the_minimum_size_a_centre_has_limits_but_no_standing(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = measure_members(monkeypatch, members(("a", 0, 9), ("b", 0, 10), ("c", 90, 90)))
    assert row(measured, "P2", "a")["standing"] is None
    assert row(measured, "P2", "a")["limit_low_95"] is not None
    assert row(measured, "P2", "b")["standing"] == "alarm"


def test_over_dispersion_widens_the_limits_of_centres_that_vary_more_than_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    centres = [(f"c{number}", met, 100) for number, met in enumerate((20, 35, 50, 65, 80))]
    found: dict[Overdispersion, dict[str, Any]] = {}
    kinds: tuple[Overdispersion, ...] = ("none", "multiplicative", "additive")
    for kind in kinds:
        found[kind] = row(measure_members(monkeypatch, members(*centres), kind), "P2", "c0")
    assert found["none"]["limit_low_998"] > found["multiplicative"]["limit_low_998"]
    assert found["none"]["limit_low_998"] > found["additive"]["limit_low_998"]
    assert [one["standing"] for one in found.values()] == ["alarm", "within", "within"]
    assert [one["overdispersion"] for one in found.values()] == ["none", "multiplicative", "additive"]


def test_a_relative_calendar_counts_only_among_all_years(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = measure_members(monkeypatch, members(("a", 1, 2), day=None))
    assert measured["period"].to_list() == [None, None]


def test_an_indicator_whose_numerator_leaves_the_denominator_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = members(("a", 1, 1)).with_columns(in_denominator=False)
    with pytest.raises(AssertionError, match="P2: 1 members are in a set"):
        measure_members(monkeypatch, outside)


@pytest.mark.parametrize("counted", [True, None])
def test_an_exclusion_that_may_be_in_the_denominator_is_a_defect(
    counted: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = members(("a", 0, 1)).with_columns(
        in_denominator=pl.lit(counted, pl.Boolean), in_numerator=pl.lit(None, pl.Boolean), in_exclusion=True
    )
    with pytest.raises(AssertionError, match="P2: 1 exclusions or exceptions are not apart"):
        measure_members(monkeypatch, rows, exclusions="some")


def test_an_exclusion_that_is_an_exception_too_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = members(("a", 0, 1)).with_columns(
        in_denominator=False, in_numerator=pl.lit(None, pl.Boolean), in_exclusion=True, in_exception=True
    )
    with pytest.raises(AssertionError, match="P2: 1 exclusions or exceptions are not apart"):
        measure_members(monkeypatch, rows, exclusions="some", exceptions="some")


def test_a_head_that_names_exclusions_which_the_statement_does_not_count_is_a_defect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = "P2: 1 members, of whose exclusions or exceptions head and statement differ"
    with pytest.raises(AssertionError, match=told):
        measure_members(monkeypatch, members(("a", 1, 1)), exclusions="some")
    with pytest.raises(AssertionError, match=told):
        measure_members(monkeypatch, members(("a", 1, 1)).with_columns(in_exclusion=False))


def test_a_member_with_two_rows_is_a_defect_wherever_they_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = members(("a", 1, 1), ("b", 0, 1)).with_columns(member_id=pl.lit("p"))
    with pytest.raises(AssertionError, match="P2: a member has more than one row"):
        measure_members(monkeypatch, twice)


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 0.93, 0.99])
def test_chance_alone_puts_no_more_centres_beyond_the_limits_than_they_say(rate: float) -> None:
    """200 registries of 60 centres, all at the same true rate: at most 2.5 % and 0.1 % on either side, and sampling."""
    chance = np.random.default_rng(20261126)
    sizes = chance.integers(10, 400, size=200 * 60)
    counts = pl.DataFrame({"numerator": chance.binomial(sizes, rate), "denominator": sizes})
    stated = counts.with_columns(pooled=rate, widening=1.0, direction=pl.lit("up"), minimum_size=10)
    found = indicators.funnels(stated)["standing"]
    shares = {standing: (found == standing).mean() for standing in ("alarm", "alert", "better")}
    sampling = 3 * np.sqrt(0.025 * 0.975 / found.len())
    assert shares["alarm"] <= 0.001 + 3 * np.sqrt(0.001 / found.len())
    assert shares["alarm"] + shares["alert"] <= 0.025 + sampling
    assert shares["better"] <= 0.025 + sampling
