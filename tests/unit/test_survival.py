"""Survival: estimates and counts at fixed times, who is in a curve, and from when on."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from crlm_pipeline.survival import MONTHS, day_of, life_table, measure
from crlm_pipeline.warehouse import Warehouse
from schemas import cohort, extract, guideline
from tests.registry_of_chance import frame, registry

AS_OF = date(2024, 6, 30)
START = date(2019, 1, 10)
SOURCE = {"source_file_id": "f", "source_row": 1}
Z = 1.959963984540054


def after(days: int) -> date:
    return START + timedelta(days=days)


def warehouse(people: Mapping[str, Mapping[str, Any]]) -> Warehouse:
    """Insert one patient each with a first line from START on; `local`: days of resections, `verdict`, `facts_day`."""
    made = Warehouse.in_memory()
    shared: dict[str, Any] = {"centre_id": "a", "country": "NL", "is_metastatic": True, "is_crlm": True}
    shared |= {"is_relative_calendar": False, "cohort_reason": "-", "is_alive": True, "home_centre_id": "a"}
    rows = [shared | {"patient_id": name} | dict(given) for name, given in people.items()]
    made.insert(cohort.CohortPatient, frame(cohort.CohortPatient, rows))
    made.insert(extract.Patient, frame(extract.Patient, rows, **SOURCE))
    operations = [
        {"patient_id": one["patient_id"], "procedure": kind, "procedure_date": after(day)}
        for one in rows
        for kind, day in one.get("local", ())
    ]
    made.insert(extract.Procedure, frame(extract.Procedure, operations, **SOURCE))
    found = [
        one | {"assessment_date": one["found"], "mets_diagnosis_date": one["found"]} for one in rows if "found" in one
    ]
    made.insert(extract.Assessment, frame(extract.Assessment, found, **SOURCE))
    made.insert(cohort.Decision, frame(cohort.Decision, [_first_line(one) for one in rows]))
    verdicts = [
        {"decision_id": one["patient_id"]} | {name: one.get(name) for name in ("patient_id", "verdict", "edition_id")}
        for one in rows
        if "verdict" in one
    ]
    judged: dict[str, Any] = {"guideline": "esmo", "reason": "-", "missing_facts": [], "unlocking_facts": []}
    judged |= {"is_within_grace": False, "is_edition_superseded": False}
    made.insert(cohort.Verdict, frame(cohort.Verdict, verdicts, **judged))
    return made


def _first_line(one: Mapping[str, Any]) -> dict[str, Any]:
    flags = ("is_open", "is_relative_calendar", "is_fitness_known", "has_assumed_date", "has_imputed_date")
    return dict.fromkeys(flags, False) | {
        "decision_id": one["patient_id"],
        "patient_id": one["patient_id"],
        "centre_id": "a",
        "home_centre_id": "a",
        "country": "NL",
        "setting": "systemic",
        "decision_date": START,
        "facts_date": after(one.get("facts_day", 0)),
        "line": 1,
        "treatment": one.get("treatment", "x"),
    }


def died(day: int, **more: Any) -> dict[str, Any]:
    return {"vital_status": "dead", "death_date": after(day), "is_alive": False} | more


def seen(day: int, **more: Any) -> dict[str, Any]:
    return {"vital_status": "alive", "last_contact_date": after(day)} | more


def row(people: Mapping[str, Mapping[str, Any]], **values: Any) -> dict[str, Any]:
    wanted = {"population": "crlm", "centre_id": None, "time_zero": "first_line", "landmark_months": 0}
    wanted |= {"exposure": None, "stratum": None, "month": 0, **values}
    rows = measure(warehouse(people), AS_OF).filter(
        pl.col(name).eq_missing(pl.lit(value)) for name, value in wanted.items()
    )
    assert rows.height <= 1
    return rows.row(0, named=True) if rows.height else {}


def counted(people: Mapping[str, Mapping[str, Any]], **values: Any) -> tuple[int, int, int, int]:
    found = row(people, **values)
    return found["n_members"], found["n_at_risk"], found["n_deaths"], found["n_censored"]


@pytest.fixture(scope="module")
def by_chance() -> Iterator[pl.DataFrame]:
    with registry(patients=150, centres=3) as made:
        yield measure(made, date(2025, 12, 31))


def test_a_curve_worked_out_by_hand() -> None:
    days, is_dead = np.array([100.0, 200, 200, 400, 500]), np.array([True, True, False, False, True])
    table = life_table(days, is_dead, [0, 183, 365, 548])
    assert table["n_at_risk"] == [5, 4, 2, 0]
    assert table["n_deaths"] == [0, 1, 1, 1]
    assert table["n_censored"] == [0, 0, 1, 1]
    # One of five dies, then one of the four left; nobody is followed for 548 days.
    assert table["percent"] == [100, pytest.approx(100 * 4 / 5), pytest.approx(100 * 4 / 5 * 3 / 4), None]
    # Greenwood for the first: variance of log S = 1 / (5 * 4); the limits are S ** exp(+-z * sd / log S).
    spread = Z * np.sqrt(1 / 20) / np.log(0.8)
    assert table["ci_low"][1] == pytest.approx(100 * 0.8 ** np.exp(-spread))
    assert table["ci_high"][1] == pytest.approx(100 * 0.8 ** np.exp(spread))
    assert table["ci_low"][0] is table["ci_high"][0] is None


@pytest.mark.parametrize("seed", range(5))
def test_estimates_and_limits_agree_with_an_independent_library(seed: int) -> None:
    chance = np.random.default_rng(seed)
    days, is_dead = chance.integers(0, 2200, 160).astype(float), chance.random(160) < 0.6
    times = [day_of(month) for month in MONTHS]
    table = life_table(days, is_dead, times)
    oracle = SurvfuncRight(days, is_dead)
    for number, time in enumerate(times):
        last = np.searchsorted(oracle.surv_times, time, side="right") - 1
        if last < 0 or table["percent"][number] is None:
            continue
        survival, error = oracle.surv_prob[last], oracle.surv_prob_se[last]
        assert table["percent"][number] == pytest.approx(100 * survival)
        exponent = Z * error / (survival * np.log(survival))
        assert table["ci_low"][number] == pytest.approx(100 * survival ** np.exp(-exponent))
        assert table["ci_high"][number] == pytest.approx(100 * survival ** np.exp(exponent))
        assert table["n_at_risk"][number] == (days > time).sum()


def test_at_every_time_who_is_left_is_who_was_there_less_who_died_or_was_last_seen() -> None:
    chance = np.random.default_rng(7)
    table = life_table(chance.integers(0, 900, 90).astype(float), chance.random(90) < 0.5, [0, 183, 365, 548, 731])
    for before, now in zip(range(4), range(1, 5), strict=True):
        gone = table["n_deaths"][now] + table["n_censored"][now]
        assert table["n_at_risk"][before] == table["n_at_risk"][now] + gone


@pytest.mark.parametrize(("month", "day"), [(3, 91), (6, 183), (12, 365), (24, 731), (48, 1461), (60, 1826)])
def test_a_month_has_30_and_a_half_days_less_a_little(month: int, day: int) -> None:
    assert day_of(month) == day


FOLLOW_UP: dict[str, tuple[dict[str, Any], int | None, bool]] = {
    "seen": (seen(400), 400, False),
    "not known to have died": ({"last_contact_date": after(400)}, 400, False),
    "seen after the as-of date": (seen((AS_OF - START).days + 50), (AS_OF - START).days, False),
    "died after the as-of date": (
        {"vital_status": "dead", "death_date": AS_OF + timedelta(days=9)},
        (AS_OF - START).days,
        False,
    ),
    "died": (died(400, last_contact_date=after(300)), 400, True),
    "died on the day": (died(0), 0, True),
    # The first dose says that the patient was alive.
    "seen before the start only": (seen(-30), 0, False),
    "relative calendar": (seen(400, is_relative_calendar=True), 400, False),
    "last contact unknown": ({"vital_status": "alive"}, None, False),
    "day of death unknown": ({"vital_status": "dead", "is_alive": False, "last_contact_date": after(300)}, None, True),
    "died before the start": (died(-1), None, True),
}


def test_follow_up_ends_with_death_or_the_last_contact_by_the_as_of_date_or_is_unknown() -> None:
    with warehouse({name: person for name, (person, _, _) in FOLLOW_UP.items()}) as made:
        found = made.query("marts/survival_follow_up", as_of=AS_OF).select("patient_id", "days", "is_dead").rows()
    assert sorted(found) == sorted((name, days, is_dead) for name, (_, days, is_dead) in FOLLOW_UP.items())


def test_a_patient_whose_follow_up_is_unknown_is_counted_apart_and_bounds_the_estimate() -> None:
    people = {"u": {"vital_status": "alive"}, "p": died(100), "q": seen(900), "r": seen(900)}
    found = row(people, month=6)
    assert (found["n_members"], found["n_not_evaluable"]) == (3, 1)
    assert found["percent"] == pytest.approx(100 * 2 / 3)
    assert found["percent_worst"] == pytest.approx(100 * 2 / 4)
    assert found["percent_best"] == pytest.approx(100 * 3 / 4)


def test_without_unknown_follow_up_the_bounds_are_the_estimate() -> None:
    found = row({"p": died(100), "q": seen(900)}, month=6)
    assert found["percent_worst"] == found["percent"] == found["percent_best"] == pytest.approx(50)


def test_only_those_alive_and_in_follow_up_beyond_the_landmark_count() -> None:
    people = {"p": died(183), "q": died(184), "r": seen(183), "s": seen(184), "t": seen(900)}
    found = measure(warehouse(people), AS_OF).filter(pl.col("population") == "crlm", pl.col("exposure").is_null())
    columns = ("n_members", "n_at_risk", "n_deaths", "n_censored")
    whole = found.filter(pl.col("centre_id").is_null())
    assert whole.filter(pl.col("landmark_months") == 0).select(columns).rows()[:2] == [(5, 5, 0, 0), (5, 3, 1, 1)]
    assert whole.filter(pl.col("landmark_months") == 6).select(columns).rows()[:2] == [(3, 3, 0, 0), (3, 1, 1, 1)]


def test_a_local_treatment_counts_from_time_zero_to_the_landmark_and_not_otherwise() -> None:
    treated = {"on the last day": [("resection", 183)], "on the first": [("mwa", 0)]}
    others = {
        "late": [("resection", 184)],
        "before": [("resection", -1)],
        "other": [("pve", 9), ("sirt", 9), ("hai", 9)],
    }
    people = {name: seen(900, local=given) for name, given in (treated | others).items()}
    found = measure(warehouse(people), AS_OF).filter(pl.col("exposure") == "local_treatment", pl.col("month") == 6)
    crlm = found.filter(pl.col("population") == "crlm").select("stratum", "n_members")
    assert dict(crlm.iter_rows()) == {"local_treatment": 2, "no_local_treatment": 3}


def test_nothing_that_happens_after_time_zero_divides_a_curve_from_time_zero_on(by_chance: pl.DataFrame) -> None:
    found = by_chance
    assert found.filter(pl.col("landmark_months") == 0)["exposure"].null_count() == (
        found.filter(pl.col("landmark_months") == 0).height
    )
    assert set(found["exposure"].drop_nulls()) == {"local_treatment", "recommended_pathway", "verdict"}


def test_time_that_must_be_lived_to_be_treated_lends_no_survival_to_the_treatment() -> None:
    # Ten die in the second month, untreated because they died; of twenty others half are operated on in the fifth, and
    # all die in the tenth. Survival differs between the groups only by the time before the landmark.
    people: dict[str, dict[str, Any]] = {f"early {one}": died(50) for one in range(10)}
    people |= {f"operated {one}": died(300, local=[("resection", 140)]) for one in range(10)}
    people |= {f"other {one}": died(300) for one in range(10)}
    people |= {f"{name} seen": seen(900, local=local) for name, local in (("x", [("resection", 140)]), ("y", []))}
    strata = [
        row(people, landmark_months=6, exposure="local_treatment", stratum=stratum, month=12)["percent"]
        for stratum in ("local_treatment", "no_local_treatment")
    ]
    assert strata[0] == strata[1] == pytest.approx(100 / 11)


def test_a_verdict_divides_the_curves_of_a_landmark_by_which_it_was_settled() -> None:
    people = {
        "settled": seen(900, verdict="concordant_preferred", facts_day=91),
        "open at three months": seen(900, verdict="discordant_not_given", facts_day=92),
    }
    found = measure(warehouse(people), AS_OF).filter(pl.col("exposure") == "verdict")
    strata = found.select("landmark_months", "stratum").unique().sort("landmark_months", "stratum").rows()
    assert strata == [(3, "concordant"), (6, "concordant"), (6, "discordant")]


def test_a_first_line_that_was_never_given_starts_no_clock() -> None:
    assert measure(warehouse({"p": seen(900, treatment=None)}), AS_OF).is_empty()


def test_the_clock_also_starts_with_the_first_liver_metastasis_on_record() -> None:
    people = {"p": died(100, found=after(-265)), "q": seen(900, found=after(0)), "r": seen(900)}
    assert counted(people, time_zero="crlm_diagnosis", month=6) == (2, 2, 0, 0)
    assert counted(people, time_zero="crlm_diagnosis", month=12) == (2, 1, 1, 0)


def test_strata_and_centres_add_up_to_the_whole_at_every_time(by_chance: pl.DataFrame) -> None:
    counts = ("n_members", "n_at_risk", "n_deaths", "n_censored", "n_not_evaluable")
    axes = ["population", "time_zero", "landmark_months", "month"]
    whole = by_chance.filter(pl.col("exposure").is_null() & pl.col("centre_id").is_null()).select(*axes, *counts)
    by_exposure = by_chance.drop_nulls("exposure").group_by(*axes, "guideline", "exposure").agg(pl.col(counts).sum())
    by_centre = by_chance.drop_nulls("centre_id").group_by(axes).agg(pl.col(counts).sum())
    for parts in (by_exposure, by_centre):
        assert parts.height
        both = parts.join(whole, on=axes, how="left", suffix="_whole")
        for name in counts:
            assert (both[name] == both[f"{name}_whole"]).all(), name


HELD_OUT: dict[str, tuple[list[tuple[str, str]] | None, str]] = {
    "one": ([("r1", "definite")], "immunotherapy"),
    "one, an option open": ([("r1", "definite"), ("r1", "provisional")], "immunotherapy"),
    "two candidates": ([("r1", "provisional"), ("r2", "provisional")], "test_first"),
    "one candidate or none": ([("r1", "provisional")], "test_first"),
    "no rule": ([], "no_rule"),
    "no edition": (None, "not_in_force"),
}


def test_a_pathway_is_the_one_recommended_for_the_first_line_or_open_where_facts_are_missing() -> None:
    people = {
        name: seen(900, verdict="no_rule", edition_id=None if held_out is None else "e1")
        for name, (held_out, _) in HELD_OUT.items()
    }
    with warehouse(people) as made:
        _insert_editions(made)
        found: dict[str, Any] = {"guideline": "esmo", "edition_id": "e1", "is_older": False}
        found |= {"tests_required": 0, "tests_unknown": 0}
        states = [
            found | {"decision_id": name, "state_no": number}
            for number, (name, (held_out, _)) in enumerate(HELD_OUT.items())
            if held_out is not None
        ]
        made.insert(cohort.EditionState, frame(cohort.EditionState, states))
        options = [
            {"state_no": state, "edition_id": "e1", "rule_id": rule, "option_no": number, "certainty": certainty}
            for state, (held_out, _) in enumerate(HELD_OUT.values())
            for number, (rule, certainty) in enumerate(held_out or [], start=1)
        ]
        made.insert(cohort.StateOption, frame(cohort.StateOption, options))
        strata = made.query("marts/survival_strata").filter(pl.col("exposure") == "recommended_pathway")
    assert dict(strata.select("decision_id", "stratum").iter_rows()) == {
        name: stratum for name, (_, stratum) in HELD_OUT.items()
    }


def _insert_editions(made: Warehouse) -> None:
    edition: dict[str, Any] = {"edition_id": "e1", "guideline": "esmo", "kind": "recommendation", "is_rolling": False}
    edition |= {"applies_in": [], "title": "-", "citation": "-", "state": "verified", "is_signed": False, "sha256": "-"}
    made.insert(guideline.Edition, frame(guideline.Edition, [edition]))
    rules = [
        {"rule_id": name, "pathway": pathway, "position": number, "section": "ladder"}
        for number, (name, pathway) in enumerate((("r1", "immunotherapy"), ("r2", "braf_targeted")), start=1)
    ]
    shared: dict[str, Any] = {"edition_id": "e1", "title": "-", "condition": "-", "not_recommended": []}
    made.insert(guideline.Rule, frame(guideline.Rule, rules, **shared, state="verified", source="-"))
