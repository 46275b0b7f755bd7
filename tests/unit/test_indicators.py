"""The indicators: their heads, who is in which set, rates, bounds and limits."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from crlm_pipeline import indicators
from crlm_pipeline.errors import KnowledgeError
from crlm_pipeline.indicators import definitions, measure
from crlm_pipeline.warehouse import Warehouse
from schemas import cohort, extract
from tests.registry_of_chance import frame

AS_OF = date(2024, 6, 30)
START = date(2024, 1, 10)


def warehouse(people: list[dict[str, Any]], decisions: list[dict[str, Any]] | None = None) -> Warehouse:
    """Insert patients (with `known`: analyte to date) and systemic decisions with their lines of therapy."""
    made = Warehouse.in_memory()
    shared = {"centre_id": "a", "country": "NL", "is_metastatic": True, "is_crlm": True, "is_relative_calendar": False}
    rows = [shared | {"is_alive": True, "cohort_reason": "-", "first_event_date": START} | one for one in people]
    made.insert(cohort.CohortPatient, frame(cohort.CohortPatient, rows))
    known = [
        {"patient_id": one["patient_id"], "analyte": analyte, "known_date": day}
        for one in people
        for analyte, day in one.get("known", {}).items()
    ]
    made.insert(cohort.AnalyteKnown, frame(cohort.AnalyteKnown, known))
    steps = [_decision(one) for one in decisions or []]
    made.insert(cohort.Decision, frame(cohort.Decision, steps))
    lines = [one | {"start_date": one["decision_date"], "regimen": "x", "line_source": "derived"} for one in steps]
    made.insert(cohort.LineOfTherapy, frame(cohort.LineOfTherapy, lines))
    roles = [
        one | {"drug": drug, "drug_class": drug, "start_date": one["decision_date"], "role": "regimen", "reason": "-"}
        for one in steps
        for drug in one.get("classes", [])
    ]
    roles = [one | {"source_file_id": "f", "source_row": 1} for one in roles]
    made.insert(cohort.ExposureRole, frame(cohort.ExposureRole, roles))
    return made


def _decision(given: Mapping[str, Any]) -> dict[str, Any]:
    line = given.get("line", 1)
    return {
        "decision_id": f"{given['patient_id']}/systemic/{line}",
        "centre_id": "a",
        "home_centre_id": "a",
        "country": "NL",
        "setting": "systemic",
        "decision_date": START,
        "facts_date": START,
        "line": line,
        "course": 1,
        "is_open": False,
        "is_relative_calendar": False,
        "is_fitness_known": True,
        "has_assumed_date": False,
        "has_imputed_date": False,
        "contraindications": [],
        **given,
    }


def row(made: Warehouse, indicator: str, centre: str | None = None, period: str | None = None) -> dict[str, Any]:
    rows = measure(made, AS_OF).filter(
        pl.col("indicator_id") == indicator,
        pl.col("centre_id").eq_missing(pl.lit(centre, pl.String)),
        pl.col("period").eq_missing(pl.lit(period, pl.String)),
    )
    return rows.row(0, named=True)


def counted(made: Warehouse, indicator: str) -> tuple[int, int, int]:
    found = row(made, indicator)
    return found["numerator"], found["denominator"], found["n_not_evaluable"]


def test_the_indicators_of_the_clinical_section_are_there_in_their_order() -> None:
    assert [one.id for one in definitions()] == ["P2", "P3", "P9", "P10", "P18"]
    assert {one.display for one in definitions()} == {"funnel", "median"}


@pytest.mark.parametrize(
    ("head", "named"),
    [("-- id: P1\n", "title"), ("-- id: P1\n-- tittle: x\n", "tittle")],
)
def test_an_incomplete_head_is_refused_with_the_file_and_the_field(
    head: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indicators, "sql_names", lambda _: ["indicators/p1"])
    monkeypatch.setattr(indicators, "sql", lambda _: head)
    with pytest.raises(KnowledgeError, match=rf"indicators/p1\.sql.*{named}"):
        definitions()


def test_a_head_with_an_unknown_direction_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name in indicators.HEADER if name != "direction"]
    head = "".join(f"-- {name}: 1\n" for name in names) + "-- direction: sideways\n"
    monkeypatch.setattr(indicators, "sql_names", lambda _: ["indicators/p1"])
    monkeypatch.setattr(indicators, "sql", lambda _: head)
    with pytest.raises(KnowledgeError, match="direction"):
        definitions()


@pytest.mark.parametrize(("known", "met"), [(START, 1), (START + timedelta(days=1), 0), (None, 0)])
def test_p2_counts_a_result_known_by_the_first_day_of_the_first_line(known: date | None, met: int) -> None:
    people = [{"patient_id": "p", "known": {"msi": known} if known else {}}]
    assert counted(warehouse(people, [{"patient_id": "p"}]), "P2") == (met, 1, 0)


def test_p2_counts_any_result_where_no_systemic_line_was_given() -> None:
    people = [{"patient_id": "p", "known": {"msi": AS_OF}, "is_metastatic": False, "is_crlm": False}]
    assert counted(warehouse(people), "P2") == (1, 1, 0)


@pytest.mark.parametrize(("days", "met"), [(42, 1), (43, 0)])
def test_p3_gives_42_days_where_no_antibody_was_started(days: int, met: int) -> None:
    people = [{"patient_id": "p", "known": {"extended_ras": START + timedelta(days=days)}}]
    assert counted(warehouse(people, [{"patient_id": "p"}]), "P3") == (met, 1, 0)


@pytest.mark.parametrize(("days", "met"), [(14, 1), (15, 0)])
def test_p3_and_p10_end_on_the_day_of_the_antibody(days: int, met: int) -> None:
    people = [{"patient_id": "p", "known": {"extended_ras": START + timedelta(days=days)}}]
    made = warehouse(people, [{"patient_id": "p", "antibody_start_date": START + timedelta(days=14)}])
    assert counted(made, "P3") == counted(made, "P10") == (met, 1, 0)


@pytest.mark.parametrize(("started", "expected"), [(41, (0, 0, 1)), (42, (0, 1, 0))])
def test_p3_is_not_evaluable_while_its_days_run(started: int, expected: tuple[int, int, int]) -> None:
    decision = {"patient_id": "p", "decision_date": AS_OF - timedelta(days=started)}
    assert counted(warehouse([{"patient_id": "p"}], [decision]), "P3") == expected


@pytest.mark.parametrize(
    ("ras", "classes", "expected"),
    [
        ("mutant", ["oxaliplatin"], (1, 1, 0)),
        ("mutant", ["oxaliplatin", "anti_egfr"], (0, 1, 0)),
        ("mutant", ["kras_g12c_inhibitor", "anti_egfr"], (1, 1, 0)),
        ("mutant", [], (1, 1, 0)),
        ("partial_wild_type", ["anti_egfr"], (0, 0, 1)),
        (None, ["anti_egfr"], (0, 0, 1)),
    ],
)
def test_p9_asks_whether_the_antibody_was_spared(
    ras: str | None, classes: list[str], expected: tuple[int, int, int]
) -> None:
    made = warehouse([{"patient_id": "p"}], [{"patient_id": "p", "ras": ras, "classes": classes}])
    assert counted(made, "P9") == expected


def test_p9_leaves_out_wild_type_and_perioperative_courses() -> None:
    decisions = [{"patient_id": "p", "ras": "wild_type"}, {"patient_id": "q", "ras": "mutant", "line": 0}]
    assert counted(warehouse([{"patient_id": "p"}, {"patient_id": "q"}], decisions), "P9") == (0, 0, 0)


def assays(*rows: tuple[str, date | None, date | None, str | None]) -> Warehouse:
    made = warehouse([{"patient_id": "p"}])
    shared = {"patient_id": "p", "method": "ngs", "result": "indeterminate", "source_file_id": "f", "source_row": 1}
    tests = [
        shared
        | {"specimen_id": specimen, "analyte": gene, "sample_date": taken, "report_date": told, "missing_reason": why}
        for specimen, taken, told, why in rows
        for gene in ("kras", "nras")
    ]
    made.insert(extract.Biomarker, frame(extract.Biomarker, tests))
    return made


def test_p18_is_the_median_time_of_tests_not_of_genes_with_pending_ones_censored() -> None:
    day = timedelta(days=1)
    made = assays(
        ("one", START, START + 10 * day, None),
        ("two", START, START + 14 * day, None),
        ("pending", AS_OF - 12 * day, None, "pending"),
        ("pending too", AS_OF - 13 * day, None, "pending"),
        ("no report date", START, None, None),
        ("refused", START, None, "refused"),
    )
    found = row(made, "P18")
    assert (found["numerator"], found["denominator"], found["n_not_evaluable"]) == (2, 4, 1)
    assert found["rate"] == 14  # the two known results alone would say 10 or 12
    assert found["limit_low_95"] is None


def test_rates_carry_bounds_for_what_could_not_be_evaluated() -> None:
    people = [{"patient_id": name} for name in "abcd"]
    decisions = [
        {"patient_id": "a", "ras": "mutant", "classes": ["oxaliplatin"]},
        {"patient_id": "b", "ras": "mutant", "classes": ["anti_egfr"]},
        {"patient_id": "c", "ras": None},
        {"patient_id": "d", "ras": None},
    ]
    found = row(warehouse(people, decisions), "P9")
    assert (found["rate"], found["rate_worst"], found["rate_best"]) == (0.5, 0.25, 0.75)


def test_limits_stand_around_the_pooled_rate_at_each_centre_s_denominator() -> None:
    people = [
        {"patient_id": f"{centre}{number}", "centre_id": centre, "known": {"msi": START} if number % 2 else {}}
        for centre, size in (("a", 10), ("b", 40))
        for number in range(size)
    ]
    made = warehouse(people)
    small, large = row(made, "P2", "a"), row(made, "P2", "b")
    for found in (small, large):
        assert found["limit_low_998"] < found["limit_low_95"] < 0.5 < found["limit_high_95"] < found["limit_high_998"]
    assert large["limit_low_95"] > small["limit_low_95"]
    assert row(made, "P2", "a", "2024")["denominator"] == 10


def test_a_relative_calendar_counts_only_among_all_years() -> None:
    made = warehouse([{"patient_id": "p", "is_relative_calendar": True}])
    assert measure(made, AS_OF).filter(indicator_id="P2")["period"].to_list() == [None, None]


def test_an_indicator_whose_numerator_leaves_the_denominator_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def query(self: Warehouse, name: str, **_: Any) -> pl.DataFrame:
        sets = {"in_population": [True], "in_denominator": [False], "in_numerator": [True]}
        return pl.DataFrame({"member_id": ["m"], "centre_id": ["a"], "event_date": [START], **sets})

    monkeypatch.setattr(Warehouse, "query", query)
    with pytest.raises(AssertionError, match="P2: 1 members are in a set"):
        measure(Warehouse.in_memory(), AS_OF)
