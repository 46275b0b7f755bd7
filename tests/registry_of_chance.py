"""A small warehouse, its rows drawn by chance with a fixed seed: for tests of marts and report, not of medicine."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from crlm_pipeline.cohort.facts.sources import sources_statement
from crlm_pipeline.guidelines.states import distinct_rows
from crlm_pipeline.guidelines.what_if import WhatIfs, numbered
from crlm_pipeline.marts import build_marts
from crlm_pipeline.settings import Windows
from crlm_pipeline.warehouse import Warehouse
from schemas import audit, cohort, extract, guideline
from schemas.column import Table, describe

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
AS_OF = date(2025, 12, 31)
RUN_ID = "run-0001"
FILE_ID = "0123456789abcdef"
CHANGE = date(2022, 1, 1)


def frame(model: type[Table], rows: Sequence[Mapping[str, Any]], **constants: Any) -> pl.DataFrame:
    """Return rows in the shape of a table; columns that are not given are null."""
    schema = describe(model).polars_schema
    complete = [{name: row.get(name, constants.get(name)) for name in schema} for row in rows]
    return pl.DataFrame(complete, schema=schema, orient="row")


def registry(
    patients: int = 700, centres: int | Sequence[str] = 9, seed: int = 1, *, is_signed: bool = False, **run: Any
) -> Warehouse:
    """Return an open warehouse in memory with every table filled and the marts built.

    `centres`: their number, or their names. `run` overrides `audit.run`.
    """
    names = [f"hospital {letter}" for letter in LETTERS[:centres]] if isinstance(centres, int) else centres
    chance = Chance(seed)
    warehouse = Warehouse.in_memory()
    people = [_person(chance, number, names) for number in range(patients)]
    _insert_extract(warehouse, people, chance)
    decisions = [decision for person in people for decision in _decisions(chance, person)]
    _insert_cohort(warehouse, people, decisions)
    _insert_judgement(warehouse, people, decisions, chance)
    _insert_guideline(warehouse, is_signed)
    _insert_audit(warehouse, chance, run)
    _insert_quality(warehouse, people, chance)
    warehouse.build_view(cohort.FactSource, sources_statement(Windows()))
    build_marts(warehouse, AS_OF)
    return warehouse


class Chance:
    """Draws with a fixed seed."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def one(self, choices: Mapping[Any, float]) -> Any:
        """Return one of the choices by its weight."""
        weights = np.array(list(choices.values()), dtype=float)
        return list(choices)[self._generator.choice(len(choices), p=weights / weights.sum())]

    def day(self, first: date, last: date) -> date:
        """Return a day between two days."""
        return first + timedelta(days=int(self._generator.integers(0, max((last - first).days, 1))))

    def days(self, mean: float) -> timedelta:
        """Return a positive number of days around a mean."""
        return timedelta(days=int(self._generator.gamma(3.0, mean / 3.0)))

    def happens(self, probability: float) -> bool:
        """Return whether something of that probability happened."""
        return bool(self._generator.random() < probability)


def _person(chance: Chance, number: int, centres: Sequence[str]) -> dict[str, Any]:
    sizes = {name: 1.0 / (rank + 1) for rank, name in enumerate(centres)}
    is_metastatic = chance.happens(0.85)
    ras = chance.one({"mutant": 45, "wild_type": 38, None: 12, "partial_wild_type": 5})
    kras = {"mutant": chance.one({"mutant": 9, "wild_type": 1}), "wild_type": "wild_type"}.get(ras, ras)
    return {
        "patient_id": f"P{number:05d}",
        "centre_id": chance.one(sizes),
        "home_centre_id": None,
        "country": "NL",
        "is_metastatic": is_metastatic,
        "is_crlm": is_metastatic and chance.happens(0.93),
        "is_relative_calendar": False,
        "is_alive": chance.happens(0.6),
        "first_event_date": chance.day(date(2019, 1, 1), date(2024, 6, 1)),
        "cohort_reason": "an assessment names liver metastases" if is_metastatic else "no metastatic disease on record",
        "side": chance.one({"left": 65, "right": 30, None: 5}),
        "msi": chance.one({"mss": 80, "msi_h": 5, "conflict": 1, None: 14}),
        "ras": ras,
        "kras": kras,
        "nras": {"mutant": "wild_type" if kras == "mutant" else "mutant"}.get(ras, ras),
        "kras_g12c": chance.happens(0.06) if kras == "mutant" else None if kras is None else False,
        "kras_g12d": chance.happens(0.25) if kras == "mutant" else None if kras is None else False,
        "braf": chance.one({"wild_type": 75, "v600e": 8, "class_2": 1, None: 16}),
        "is_braf_tested": True,
        "her2": chance.one({"negative": 40, "positive": 2, "equivocal": 1, None: 57}),
    }


def _insert_extract(warehouse: Warehouse, people: list[dict[str, Any]], chance: Chance) -> None:
    source: dict[str, Any] = {"source_file_id": FILE_ID, "source_row": 1}
    warehouse.insert(extract.Patient, frame(extract.Patient, people, vital_status="alive", **source))
    tumours = [{"patient_id": one["patient_id"], "diagnosis_date": one["first_event_date"]} for one in people]
    warehouse.insert(extract.Tumour, frame(extract.Tumour, tumours, tumour_id="1", topography="C18.7", **source))
    tests = []
    for one in people:
        taken = one["first_event_date"] - timedelta(days=20)
        reported = taken + chance.days(16) if chance.happens(0.9) else None
        pending = "pending" if reported is None and chance.happens(0.5) else None
        row = {"patient_id": one["patient_id"], "sample_date": taken, "report_date": reported}
        tests += [row | {"analyte": gene, "missing_reason": pending} for gene in ("kras", "nras", "braf")]
    known: dict[str, Any] = {"specimen_id": "S1", "specimen_site": "liver", "method": "ngs", "result": "not_detected"}
    warehouse.insert(extract.Biomarker, frame(extract.Biomarker, tests, **known, **source))


def _decisions(chance: Chance, person: dict[str, Any]) -> list[dict[str, Any]]:
    if not person["is_metastatic"]:
        return []
    facts = {name: person[name] for name in ("side", "msi", "ras", "kras_g12c", "kras_g12d", "braf", "her2")}
    known = {"fitness": chance.one({"fit": 7, "vulnerable": 2, None: 2})}
    shared = {
        **facts,
        **known,
        "patient_id": person["patient_id"],
        "centre_id": person["centre_id"],
        "home_centre_id": person["centre_id"],
        "country": "NL",
        "is_relative_calendar": False,
        "is_fitness_known": known["fitness"] is not None,
        "has_assumed_date": False,
        "has_imputed_date": False,
        "is_open": False,
        "contraindications": [],
        "course": 1,
    }
    rows = []
    started = person["first_event_date"]
    for line in range(1, chance.one({1: 5, 2: 3, 3: 2}) + 1):
        antibody = started if chance.happens(0.3 if person["ras"] == "wild_type" else 0.02) else None
        rows.append(
            shared
            | {
                "decision_id": f"{person['patient_id']}/systemic/{line}",
                "setting": "systemic",
                "decision_date": started,
                "facts_date": started,
                "line": line,
                "treatment": "cetuximab+fluorouracil+oxaliplatin" if antibody else "fluorouracil+oxaliplatin",
                "antibody_start_date": antibody,
            }
        )
        started += timedelta(days=150)
    local = {"decision_id": f"{person['patient_id']}/local/1", "setting": "local", "treatment": "resection"}
    when = person["first_event_date"] + timedelta(days=30)
    return [*rows, shared | local | {"decision_date": when, "facts_date": when}] if chance.happens(0.4) else rows


def _insert_cohort(warehouse: Warehouse, people: list[dict[str, Any]], decisions: list[dict[str, Any]]) -> None:
    warehouse.insert(cohort.CohortPatient, frame(cohort.CohortPatient, people))
    warehouse.insert(cohort.PatientFacts, frame(cohort.PatientFacts, people))
    warehouse.insert(cohort.Decision, frame(cohort.Decision, decisions))
    systemic = [one for one in decisions if one["setting"] == "systemic"]
    lines = [
        one | {"start_date": one["decision_date"], "regimen": one["treatment"], "line_source": "derived"}
        for one in systemic
    ]
    warehouse.insert(cohort.LineOfTherapy, frame(cohort.LineOfTherapy, lines))
    roles = [
        one | {"drug": drug, "inn": drug, "drug_class": kind, "start_date": one["decision_date"]}
        for one in systemic
        for drug, kind in (("oxaliplatin", "oxaliplatin"), ("cetuximab", "anti_egfr"))
        if drug in one["treatment"]
    ]
    source: dict[str, Any] = {"source_file_id": FILE_ID, "source_row": 1}
    warehouse.insert(
        cohort.ExposureRole,
        frame(cohort.ExposureRole, roles, role="regimen", reason="first drug of the line", **source),
    )
    known = [
        {
            "patient_id": one["patient_id"],
            "analyte": analyte,
            "known_date": one["first_event_date"] + timedelta(days=late),
        }
        for one in people
        for analyte, fact, late in (("msi", "msi", -5), ("extended_ras", "ras", 10), ("braf", "braf", -2))
        if one[fact] is not None
    ]
    warehouse.insert(cohort.AnalyteKnown, frame(cohort.AnalyteKnown, known))


SERIES: dict[str, str] = {
    "esmo": "esmo_2022_10",
    "asco": "asco_2022_10",
    "netherlands": "netherlands_2014",
    "ema": "ema_labels",
}


def _insert_judgement(
    warehouse: Warehouse, people: list[dict[str, Any]], decisions: list[dict[str, Any]], chance: Chance
) -> None:
    verdicts = [_verdict(chance, one, series) for one in decisions for series in SERIES]
    warehouse.insert(cohort.Verdict, frame(cohort.Verdict, verdicts))
    _insert_what_if(warehouse, verdicts, chance)
    pathways = [
        {"patient_id": one["patient_id"], "guideline": series, "edition_id": SERIES[series], "basis": "latest"}
        | {
            "pathway": chance.one(
                {"anti_vegf_chemotherapy": 9, "anti_egfr_chemotherapy": 5, "test_first": 4, "immunotherapy": 1, None: 2}
            ),
            "missing_facts": [],
            "reason": "the latest decision",
        }
        for one in people
        if one["is_metastatic"]
        for series in ("esmo", "asco")
    ]
    warehouse.insert(cohort.PatientPathway, frame(cohort.PatientPathway, pathways))
    findings = [
        {"decision_id": one["decision_id"], "guideline": "esmo", "edition_id": "esmo_2022_10", "rule_id": rule}
        | {"verdict": verdict, "reason": "because"}
        for one in decisions
        for rule, verdict, share in (
            ("esmo.x01", "contraindicated", 0.02),
            ("esmo.x03", "discordant_not_recommended", 0.03),
            ("esmo.x10", None, 0.05),
        )
        if chance.happens(share)
    ]
    warehouse.insert(cohort.SafetyFinding, frame(cohort.SafetyFinding, findings))
    tests = [
        {
            "decision_id": one["decision_id"],
            "guideline": "esmo",
            "edition_id": "esmo_2022_10",
            "test_id": f"esmo.{analyte}",
        }
        | {
            "analyte": analyte,
            "due_date": one["decision_date"],
            "status": chance.one({"in_time": 60, "late": 12, "missing": 14, "not_required": 10, "unknown": 4}),
        }
        for one in decisions
        if one["setting"] == "systemic"
        for analyte in ("msi", "extended_ras", "braf", "her2")
    ]
    warehouse.insert(cohort.RequiredTest, frame(cohort.RequiredTest, tests))


def _insert_what_if(warehouse: Warehouse, verdicts: list[dict[str, Any]], chance: Chance) -> None:
    """Every decision under every edition: as it was judged, or by chance where no edition was in force."""
    drawn = {"concordant_preferred": 5, "discordant_not_given": 3, "not_evaluable": 2}
    outcomes = []
    for one in verdicts:
        if one["guideline"] == "ema":
            continue
        verdict = chance.one(drawn) if one["verdict"] == "not_in_force" else one["verdict"]
        series = one["guideline"]
        due, possible = chance.one({("f06", ""): 5, ("f07", "f06"): 3, ("", "f07"): 2})
        outcomes.append(
            one
            | {"edition_id": SERIES[series], "verdict": verdict}
            | {
                "due_rules": f"{series}.{due}" if due else "",
                "possible_rules": f"{series}.{possible}" if possible else "",
            }
        )
    if not outcomes:
        return
    names = ("decision_id", "edition_id", "verdict", "rule_id", "pathway", "due_rules", "possible_rules")
    long = pl.DataFrame(
        [[one[name] for name in names] for one in outcomes], schema=dict.fromkeys(names, pl.String), orient="row"
    )
    editions = long.sort("decision_id").partition_by("edition_id", maintain_order=True, as_dict=True)
    ids = long.get_column("decision_id").unique().sort()
    what_ifs = [WhatIfs(*distinct_rows(editions[key].drop("decision_id"))) for key in sorted(editions)]
    for model, rows in zip((cohort.WhatIf, cohort.WhatIfOutcome), numbered(ids, what_ifs), strict=True):
        typed = rows.select(pl.col(name).cast(dtype) for name, dtype in describe(model).polars_schema.items())
        warehouse.insert(model, typed)


def _verdict(chance: Chance, decision: dict[str, Any], series: str) -> dict[str, Any]:
    judged = {
        "concordant_preferred": 40,
        "concordant_alternative": 15,
        "discordant_not_given": 14,
        "discordant_not_recommended": 4,
        "contraindicated": 2,
        "not_evaluable": 12,
        "no_rule": 6,
        "out_of_scope": 4,
        "open": 2,
        "not_in_force": 1,
    }
    labelled = {"on_label": 30, "off_label": 5, "no_rule": 60, "not_evaluable": 5}
    verdict = chance.one(labelled if series == "ema" else judged)
    missing = chance.one({("msi",): 5, ("ras",): 3, ("msi", "ras"): 2, ("fitness",): 1})
    unknown = list(missing) if verdict == "not_evaluable" else []
    has_rule = verdict not in ("no_rule", "not_in_force", "out_of_scope", "open", "not_evaluable")
    return {
        "decision_id": decision["decision_id"],
        "patient_id": decision["patient_id"],
        "guideline": series,
        "edition_id": None if verdict == "not_in_force" else SERIES[series],
        "verdict": verdict,
        "rule_id": f"{series}.{chance.one({'f06': 5, 'f07': 3, 'x01': 1})}" if has_rule else None,
        "pathway": chance.one({"anti_vegf_chemotherapy": 6, "chemotherapy": 3, "test_first": 2, None: 2})
        if verdict != "not_in_force"
        else None,
        "reason": chance.one({"patient_choice": 1, "trial": 2}) if verdict == "out_of_scope" else "a sentence",
        "missing_facts": unknown,
        "unlocking_facts": unknown,
        "is_within_grace": chance.happens(0.03),
        "is_edition_superseded": series == "esmo" and decision["decision_date"] >= date(2023, 7, 28),
    }


def _insert_guideline(warehouse: Warehouse, is_signed: bool) -> None:
    editions = [
        {"edition_id": edition, "guideline": series, "kind": "label" if series == "ema" else "recommendation"}
        | {"title": f"{series.upper()} guideline", "is_rolling": series == "ema", "from_date": CHANGE}
        for series, edition in SERIES.items()
    ]
    shared: dict[str, Any] = {"applies_in": [], "citation": "A journal", "state": "unverified", "is_signed": is_signed}
    warehouse.insert(guideline.Edition, frame(guideline.Edition, editions, sha256="ab" * 32, **shared))
    titles = {
        "f06": "RAS wild-type, left side: doublet with an anti-EGFR antibody",
        "f07": "RAS mutated: doublet with bevacizumab",
        "x01": "No anti-EGFR antibody in RAS-mutated disease",
        "x03": "No checkpoint inhibitor in MSS disease",
        "x10": "Fluoropyrimidine without a DPD test",
    }
    rules = [
        {"edition_id": edition, "rule_id": f"{series}.{rule}", "title": title, "position": position}
        | {"section": "safety" if rule.startswith("x") else "ladder"}
        for series, edition in SERIES.items()
        for position, (rule, title) in enumerate(titles.items(), start=1)
    ]
    options = [
        {"edition_id": edition, "rule_id": f"{series}.{rule}", "option_no": 1, "preference": "preferred"}
        | {"treatment": "folfox + cetuximab", "state": "unverified"}
        for series, edition in SERIES.items()
        for rule in ("f06", "f07")
    ]
    warehouse.insert(guideline.Option, frame(guideline.Option, options))
    words: dict[str, Any] = {"condition": "always", "not_recommended": [], "state": "unverified", "source": "a source"}
    warehouse.insert(guideline.Rule, frame(guideline.Rule, rules, **words))


def _insert_audit(warehouse: Warehouse, chance: Chance, run: dict[str, Any]) -> None:
    shared = {
        "run_id": RUN_ID,
        "started_at": datetime(2026, 1, 2, 3, 4, 5),
        "as_of": AS_OF,
        "package_version": "0.1.0",
        "content_hash": "c0ffee" * 10,
        "status": "complete",
        "guidelines": list(SERIES),
        "side_policy": "right",
        "grace_days": 90,
        "is_addition": False,
    }
    warehouse.insert(audit.Run, frame(audit.Run, [shared | run]))
    file = {"source_file_id": FILE_ID, "run_id": RUN_ID, "file_name": "patient.csv", "format": "canonical"}
    sizes = {"sha256": "ab" * 32, "byte_count": 1000, "calendar": "real", "row_count": 1000, "unmapped_count": 12}
    warehouse.insert(audit.SourceFile, frame(audit.SourceFile, [file | sizes]))
    ledger = [
        {"table_name": name, "rows_read": 1000, "rows_accepted": 1000 - rejected - 7, "rows_rejected": rejected}
        for name, rejected in (("patient", 3), ("biomarker", 40), ("mdt", 0))
    ]
    warehouse.insert(
        audit.RowLedger, frame(audit.RowLedger, ledger, run_id=RUN_ID, source_file_id=FILE_ID, rows_duplicate=7)
    )
    rejected = [
        {"table_name": "biomarker", "source_row": row, "check_name": chance.one({"vocabulary": 8, "bounds": 2})}
        for row in range(40)
    ]
    why: dict[str, Any] = {
        "scope": "row",
        "message": "expected another value",
        "raw_row": "{}",
        "source_file_id": FILE_ID,
    }
    warehouse.insert(audit.RejectedRow, frame(audit.RejectedRow, rejected, **why))
    findings = [
        {"finding_id": f"F{number}", "check_name": check, "row_count": rows, "state": state, "severity": "warning"}
        for number, (check, rows, state) in enumerate(
            (("report before sample", 12, "new"), ("side unknown", 3, "persisting"), ("drug unknown", 44, "resolved"))
        )
    ]
    said: dict[str, Any] = {"run_id": RUN_ID, "table_name": "biomarker", "message": "Some rows look odd."}
    warehouse.insert(audit.Finding, frame(audit.Finding, findings, **said))


def _insert_quality(warehouse: Warehouse, people: list[dict[str, Any]], chance: Chance) -> None:
    """Rows set aside or odd here and there, some of no known centre or month; two columns that no file can carry."""
    never = {("patient", "birth_year"), ("biomarker", "vaf_percent")}
    tables = [describe(extract.Patient), describe(extract.Tumour), describe(extract.Biomarker)]
    delivered = [
        {"table_name": table.name, "column_name": column.name}
        for table in tables
        for column in table.columns
        if (table.name, column.name) not in never and column.name not in ("source_file_id", "source_row")
    ]
    source = {"source_file_id": FILE_ID}
    warehouse.insert(audit.DeliveredColumn, frame(audit.DeliveredColumn, delivered, **source))
    fates = ("rows_duplicate", "rows_nonconforming", "rows_implausible", "rows_deleted", "rows_odd")
    counts = []
    for one in people:
        fate = chance.one(dict.fromkeys(fates, 1) | {None: 16})
        # Only what was accepted has a centre and a month for certain.
        is_placed = fate == "rows_odd" or chance.happens(0.8)
        place = {"centre_id": one["centre_id"], "month": one["first_event_date"].replace(day=1)} if is_placed else {}
        counts += [dict.fromkeys(fates, 0) | {"table_name": "tumour", fate: 1} | place] if fate else []
    warehouse.insert(audit.SetAsideCount, frame(audit.SetAsideCount, counts, **source))
    checks = [
        {"check_name": "not_a_date", "table_name": "tumour", "status": "pass", "kind": "conformance"},
        {"check_name": "codon_12_not_mutated", "table_name": "biomarker", "status": "fail", "kind": "plausibility"},
    ]
    said = {"run_id": RUN_ID, "severity": "error", "rows_failed": 0, "expected": "Another value was expected."}
    warehouse.insert(audit.CheckResult, frame(audit.CheckResult, checks, **said))
