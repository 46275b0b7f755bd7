"""Small cohorts of chance, counted into tables of the shape that the report publishes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl

from crlm_pipeline.disclosure import Counts
from crlm_pipeline.report.counts import PUBLISHED

Row = Mapping[str, str | None]
POPULATIONS = (("all", None, None), ("metastatic", "yes", None), ("crlm", "yes", "yes"))
VERDICTS = {
    "concordant_preferred": ("yes", "concordant"),
    "concordant_alternative": ("yes", "concordant"),
    "discordant_not_given": ("yes", "discordant"),
    "contraindicated": ("yes", "contraindicated"),
    "not_evaluable": ("no", "not_evaluable"),
    "out_of_scope": ("no", "out_of_scope"),
}


def cohort(seed: int) -> list[Counts]:
    """Return four tables of some people in a few centres; most counts are small, and many are zero."""
    generator = np.random.default_rng(seed)
    size = int(generator.choice([8, 16, 32, 64]))
    centres = [f"C{number}" for number in range(1, int(generator.integers(2, 5)))]
    weights = generator.dirichlet(np.full(len(centres), 1.2))
    rare = float(generator.choice([0.03, 0.1, 0.3]))
    people = [_person(generator, str(generator.choice(centres, p=weights)), rare) for _ in range(size)]
    tables = {
        "cohort_reasons": lambda: _reasons(people),
        "biomarkers": lambda: _biomarkers(people),
        "indicators": lambda: _indicators(people, centres),
        "verdicts": lambda: _verdicts(people),
        "ledger": lambda: _ledger(people),
    }
    chosen = generator.choice(list(tables), size=3, replace=False)
    frames = {"patients": _patients(people), **{name: tables[name]() for name in chosen}}
    return [
        Counts(
            one.name,
            one.unit,
            frames[one.name],
            one.margins,
            one.subsets,
            spare=pl.lit(False),
            keep=one.keep if one.name == "patients" else pl.lit(False),
        )
        for one in PUBLISHED
        if one.name in frames
    ]


def _person(generator: np.random.Generator, centre: str, rare: float) -> dict[str, Any]:
    is_crlm = generator.random() < 0.6
    is_metastatic = is_crlm or generator.random() < 0.5
    ras = str(generator.choice(["untested", "wild_type", "mutant"], p=[rare, 0.6 - rare, 0.4]))
    kras = ras if ras != "mutant" or generator.random() > rare else "wild_type"
    msi = str(generator.choice(["untested", "mss", "msi_h"], p=[rare, 0.95 - rare, 0.05]))
    lines = int(generator.integers(0, 3)) if is_metastatic else 0
    verdicts = [
        str(generator.choice(list(VERDICTS), p=[0.5, 0.2, 0.2 - rare / 2, rare / 2, 0.06, 0.04])) for _ in range(lines)
    ]
    known = None if not is_metastatic or generator.random() < rare else generator.random() > rare
    return {
        "centre": centre,
        "populations": 1 + is_metastatic + is_crlm,
        "reason": f"reason {int(generator.random() < rare)} of {1 + is_metastatic + is_crlm}",
        "results": {"ras": ras, "kras": kras, "msi": msi},
        "in_time": {
            "P2": msi != "untested" and generator.random() > rare,
            "P3": known,
            "P7": known and generator.random() > rare,
        },
        "verdicts": list(enumerate(verdicts, 1)),
        "rejected": int(generator.poisson(rare)),
    }


def _frame(rows: Iterable[Row], *dimensions: str) -> pl.DataFrame:
    counted = Counter(tuple(row.get(name) for name in dimensions) for row in rows)
    listed = [(*place, n) for place, n in sorted(counted.items(), key=str)]
    return pl.DataFrame(listed, schema={**dict.fromkeys(dimensions, pl.String), "n": pl.Int64}, orient="row")


def _population(number: int) -> Row:
    _, is_metastatic, is_crlm = POPULATIONS[number]
    return {"is_metastatic": is_metastatic, "is_crlm": is_crlm}


def _patients(people: list[dict[str, Any]]) -> pl.DataFrame:
    rows = [
        {**_population(number), "centre_id": centre}
        for person in people
        for number in range(person["populations"])
        for centre in (None, person["centre"])
        if centre is None or number != 1
    ]
    return _frame(rows, "is_metastatic", "is_crlm", "centre_id")


def _reasons(people: list[dict[str, Any]]) -> pl.DataFrame:
    rows = [
        {**_population(number), "cohort_reason": person["reason"]}
        for person in people
        for number in range(person["populations"])
    ]
    return _frame(rows, "is_metastatic", "is_crlm", "cohort_reason")


def _biomarkers(people: list[dict[str, Any]]) -> pl.DataFrame:
    rows: list[Row] = []
    for person in people:
        for number in range(person["populations"]):
            for centre in (None, person["centre"]) if number == 2 else (None,):
                place = {**_population(number), "centre_id": centre}
                rows.append(place)
                for analyte, result in person["results"].items():
                    if result != "untested":
                        tested = {**place, "analyte": analyte, "is_tested": "yes"}
                        rows += [tested, {**tested, "category": result}]
    return _frame(rows, "is_metastatic", "is_crlm", "centre_id", "analyte", "is_tested", "category")


def _indicators(people: list[dict[str, Any]], centres: list[str]) -> pl.DataFrame:
    counted: Counter[tuple[str | None, ...]] = Counter()
    for indicator in ("P2", "P3", "P7"):
        # The report says zero where a centre has no member; so every cell is there.
        for centre in (None, *centres):
            for state in ((None, None), ("yes", None), ("yes", "yes"), ("yes", "no"), ("no", None)):
                counted[indicator, centre, *state] = 0
        for person in people:
            met = person["in_time"][indicator]
            if indicator != "P2" and person["populations"] == 1:
                continue
            for centre in (None, person["centre"]):
                counted[indicator, centre, None, None] += 1
                counted[indicator, centre, "no" if met is None else "yes", None] += 1
                if met is not None:
                    counted[indicator, centre, "yes", "yes" if met else "no"] += 1
    listed = [(*place, n) for place, n in counted.items()]
    names = ("indicator_id", "centre_id", "is_evaluated", "is_met")
    return pl.DataFrame(listed, schema={**dict.fromkeys(names, pl.String), "n": pl.Int64}, orient="row")


def _verdicts(people: list[dict[str, Any]]) -> pl.DataFrame:
    rows: list[Row] = []
    for person in people:
        for line, verdict in person["verdicts"]:
            is_judged, kind = VERDICTS[verdict]
            states: list[Row] = [{}, {"is_judged": is_judged}, {"is_judged": is_judged, "class": kind}]
            states.append({"is_judged": is_judged, "class": kind, "verdict": verdict})
            places: list[Row] = [{}, {"centre_id": person["centre"]}, {"setting": "systemic"}]
            places.append({"setting": "systemic", "line": str(line)})
            population = "yes" if person["populations"] == 3 else None
            for place in places:
                rows += [{"guideline": "esmo", "is_crlm": population, **place, **state} for state in states]
            if population:
                rows += [{"guideline": "esmo", **state} for state in states]
    listed = [row for row in rows if row.get("is_crlm") or not (row.get("centre_id") or row.get("setting"))]
    names = (
        "guideline",
        "is_crlm",
        "edition_id",
        "centre_id",
        "setting",
        "line",
        "year",
        "is_judged",
        "class",
        "verdict",
    )
    return _frame(listed, *names)


def _ledger(people: list[dict[str, Any]]) -> pl.DataFrame:
    rows: list[Row] = []
    for person in people:
        for fate in ["sound", *["nonconforming"] * person["rejected"]]:
            outcome = "accepted" if fate == "sound" else "rejected"
            for centre in (None, person["centre"]):
                for table in (None, "patient"):
                    place = {"table_name": table, "centre_id": centre}
                    rows += [place, {**place, "outcome": outcome}, {**place, "outcome": outcome, "fate": fate}]
    return _frame(rows, "table_name", "month", "outcome", "fate", "centre_id")
