"""The shift of verdicts: against a plain oracle over rows, both sides of its limits, and what may be told of it."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import polars as pl
import pytest
from scipy.stats import binom

from crlm_pipeline.report.fragments import Section
from crlm_pipeline.report.fragments import Table as ReportTable
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.sections import shift
from crlm_pipeline.settings import Settings
from crlm_pipeline.verdict_shift import PARTS, shifted, verdict_shift, verdict_shift_alerts
from crlm_pipeline.warehouse import Warehouse, building
from schemas.audit import ReportKey, Run, VerdictShift
from schemas.cohort import ClassView, Decision, Verdict
from schemas.column import Column, Table, describe
from schemas.guideline import Edition
from schemas.mart import Concordance

CENTRES = ("A", "B", "C")
SERIES = {"esmo": ("esmo_1", "esmo_2"), "fda": ("fda_labels",)}
VERDICTS = ("concordant_preferred", "discordant_not_given", "not_evaluable")


class Judged(NamedTuple):
    """A decision, and by series the edition that judged it and its verdict."""

    setting: str
    centre: str
    ras: str | None
    first_dose_ras: str | None
    verdicts: Mapping[str, tuple[str, str]]


class Night(NamedTuple):
    """What a run judged: decisions by id, and the hash of every edition."""

    run_id: str
    decisions: Mapping[str, Judged]
    hashes: Mapping[str, str]
    run: Mapping[str, Any] = {}


def frame(model: type[Table], rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Return rows of a table, with something in every required column."""
    columns = describe(model).columns
    filled = [
        {column.name: row.get(column.name, _something(column) if column.required else None) for column in columns}
        for row in rows
    ]
    return pl.DataFrame(filled, schema=describe(model).polars_schema)


def _something(column: Column) -> object:
    if column.values:
        return column.values[0]
    by_type: dict[pl.DataType, object] = {
        pl.String(): "x",
        pl.Boolean(): False,
        pl.Date(): date(2024, 1, 1),
        pl.Datetime("us"): datetime(2024, 1, 1),
        pl.List(pl.String()): [],
    }
    return by_type.get(column.dtype, 0)


def fill(warehouse: Warehouse, night: Night) -> None:
    decided = night.decisions.items()
    run = {"run_id": night.run_id, "guidelines": list(SERIES), **night.run}
    tables: dict[type[Table], list[dict[str, Any]]] = {
        Run: [run],
        Decision: [
            {"decision_id": name, "setting": one.setting, "centre_id": one.centre, "ras": one.ras}
            for name, one in decided
        ],
        ClassView: [
            {"decision_id": name, "seen_for": "cetuximab", "ras": one.first_dose_ras}
            for name, one in decided
            if one.first_dose_ras
        ],
        Verdict: [
            {"decision_id": name, "guideline": series, "edition_id": edition, "verdict": verdict}
            for name, one in decided
            for series, (edition, verdict) in one.verdicts.items()
        ],
        Edition: [
            {
                "edition_id": edition,
                "guideline": series,
                "kind": "label" if series == "fda" else "recommendation",
                "sha256": night.hashes[edition],
                "is_rolling": series == "fda",
            }
            for series, editions in SERIES.items()
            for edition in editions
            if edition in night.hashes
        ],
        Concordance: [
            {
                "population": "all",
                "guideline": series,
                "setting": setting,
                "centre_id": centre,
                "verdict": verdict,
                "n": n,
            }
            for (series, setting, centre, verdict), n in counted(night).items()
        ],
    }
    for model, rows in tables.items():
        warehouse.insert(model, frame(model, rows))


Cell = tuple[str, str, str | None, str]


def cells_of(series: str, one: Judged) -> list[Cell]:
    return [(series, one.setting, centre, one.verdicts[series][1]) for centre in (None, one.centre)]


def counted(night: Night) -> Counter[Cell]:
    return Counter(
        cell for one in night.decisions.values() for series in one.verdicts for cell in cells_of(series, one)
    )


def compared(before: Night, now: Night, folder: Path) -> pl.DataFrame:
    empty = folder / "empty"
    with building(empty):
        pass
    with building(folder / "before", start_from=empty) as warehouse:
        fill(warehouse, before)
    with building(folder / "now", start_from=empty, before=folder / "before") as warehouse:
        fill(warehouse, now)
        found = verdict_shift(warehouse, Settings())
        warehouse.insert(VerdictShift, found)
    return found


def night_of_chance(run_id: str, chance: random.Random, hashes: Mapping[str, str], earlier: Night | None) -> Night:
    """Return a night; of decisions that were there the night before, most stand, some changed, some are gone."""
    decisions: dict[str, Judged] = {}
    for number in range(300):
        name = f"p{number}/next"
        was = earlier.decisions.get(name) if earlier else None
        if chance.random() < 0.1:
            continue
        drawn = Judged(
            chance.choice(("systemic", "local")),
            chance.choice(CENTRES),
            chance.choice((None, "mutant", "wild_type")),
            chance.choice((None, None, "mutant", "wild_type")),
            {
                series: (chance.choice(editions), chance.choice(VERDICTS))
                for series, editions in SERIES.items()
                if chance.random() < 0.9
            },
        )
        if was is None or chance.random() < 0.2:
            decisions[name] = drawn
        elif chance.random() < 0.1:
            decisions[name] = was._replace(first_dose_ras=drawn.first_dose_ras, verdicts=drawn.verdicts)
        elif chance.random() < 0.3:
            decisions[name] = was._replace(verdicts=drawn.verdicts)
        else:
            decisions[name] = was
    return Night(run_id, decisions, hashes)


def part_of(before: Night, now: Night, name: str, series: str) -> str:
    was, one = before.decisions.get(name), now.decisions.get(name)
    if was is None or one is None or was._replace(verdicts={}) != one._replace(verdicts={}):
        return "data"
    changed = {edition for edition in now.hashes if now.hashes[edition] != before.hashes[edition]}
    editions = {each.verdicts[series][0] for each in (was, one) if series in each.verdicts}
    return "edition" if editions & changed or "fda_labels" in changed else "code"


def oracle(before: Night, now: Night) -> dict[Cell, dict[str, int]]:
    """Return for every cell the count before and what each part added, decision by decision."""
    found: dict[Cell, dict[str, int]] = {}
    for name in before.decisions.keys() | now.decisions.keys():
        for series in SERIES:
            part = part_of(before, now, name, series)
            for night, sign in ((before, -1), (now, 1)):
                one = night.decisions.get(name)
                for cell in cells_of(series, one) if one and series in one.verdicts else ():
                    counts = found.setdefault(cell, dict.fromkeys(("before", *PARTS), 0))
                    counts[part] += sign
                    counts["before"] += sign == -1
    return found


def shares_by_oracle(cells: Mapping[Cell, Mapping[str, int]], cell: Cell) -> list[Fraction]:
    """Return the share of a cell before and after each part, exactly."""
    steps = [("before", *PARTS)[: place + 1] for place in range(len(PARTS) + 1)]
    totals = [sum(n[part] for other, n in cells.items() if other[:3] == cell[:3] for part in step) for step in steps]
    counts = [sum(cells[cell][part] for part in step) for step in steps]
    return [Fraction(count, total) for count, total in zip(counts, totals, strict=True)]


@pytest.mark.parametrize(
    ("seed", "changed"), [(1, ()), (2, ("esmo_2",)), (3, ("fda_labels",)), (4, ("esmo_1", "esmo_2"))]
)
def test_parts_are_those_of_a_plain_count_and_add_up(seed: int, changed: Sequence[str], tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311  # chance, not secrecy
    hashes = {edition: "old" for editions in SERIES.values() for edition in editions}
    before = night_of_chance("night-1", chance, hashes, None)
    now = night_of_chance("night-2", chance, hashes | dict.fromkeys(changed, "new"), before)
    rows = {
        (row["guideline"], row["setting"], row["centre_id"], row["verdict"]): row
        for row in compared(before, now, tmp_path).iter_rows(named=True)
    }
    expected = oracle(before, now)
    assert rows.keys() == expected.keys()
    assert {cell: row["n"] for cell, row in rows.items() if row["n"]} == counted(now)
    for cell, row in rows.items():
        counts = expected[cell]
        assert row["n_before"] == counts["before"]
        assert [row[f"n_{part}"] for part in PARTS] == [counts[part] for part in PARTS]
        assert row["n"] - row["n_before"] == sum(row[f"n_{part}"] for part in PARTS)
        shares = shares_by_oracle(expected, cell)
        assert row["share_before"] == pytest.approx(float(shares[0]), abs=1e-12)
        assert row["share"] == pytest.approx(float(shares[-1]), abs=1e-12)
        parts = [float(after - earlier) for earlier, after in pairwise(shares)]
        assert [row[f"part_{part}"] for part in PARTS] == pytest.approx(parts, abs=1e-12)
        assert sum(row[f"part_{part}"] for part in PARTS) == pytest.approx(
            row["share"] - row["share_before"], abs=1e-12
        )
    assert {row["run_id_before"] for row in rows.values()} == {"night-1"}


ONE = Judged("systemic", "A", "mutant", None, {"esmo": ("esmo_1", "not_evaluable")})
HASHES = {"esmo_1": "x"}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"judge_by": "esmo_1"}, {}),
        ({"judge_by": None}, {"judge_by": "esmo_1"}),
        ({"guidelines": ["nccn"]}, {"guidelines": ["esmo"]}),
    ],
)
def test_runs_that_judge_by_another_edition_or_series_are_not_compared(
    before: Mapping[str, Any], now: Mapping[str, Any], tmp_path: Path
) -> None:
    nights = (Night("night-1", {"p": ONE}, HASHES, before), Night("night-2", {"p": ONE}, HASHES, now))
    assert compared(*nights, tmp_path).is_empty()


def test_a_rolling_edition_that_judges_all_moves_on_with_the_day(tmp_path: Path) -> None:
    hashes = {"fda_labels": "x"}
    was = Judged("systemic", "A", None, None, {"fda": ("fda_labels", "off_label")})
    one = was._replace(verdicts={"fda": ("fda_labels", "on_label")})
    told = {"judge_by": "fda_labels", "as_of": date(2024, 1, 1)}
    for day, part in ((date(2024, 1, 2), "n_data"), (date(2024, 1, 1), "n_code")):
        folder = tmp_path / str(day)
        folder.mkdir()
        before, now = Night("1", {"p": was}, hashes, told), Night("2", {"p": one}, hashes, told | {"as_of": day})
        made = compared(before, now, folder)
        assert made.filter(verdict="on_label", centre_id="A")[part].to_list() == [1]


def test_what_a_run_was_told_otherwise_stands_beside_the_shift(tmp_path: Path) -> None:
    before = Night("night-1", {"p": ONE}, HASHES, {"package_version": "1.0", "grace_days": 90})
    now = Night("night-2", {"p": ONE}, HASHES, {"package_version": "1.1", "grace_days": 90})
    assert compared(before, now, tmp_path)["differs"].to_list() == [["package_version"]] * 2


def of_counts(before: Mapping[str, int], now: Mapping[str, int], rate_threshold: int = 10) -> pl.DataFrame:
    """Return the shift of one centre, of which every change is data."""
    cell = {"guideline": "esmo", "setting": "systemic"}
    counts = [
        {**cell, "centre_id": centre, "verdict": verdict, "n": n}
        for verdict, n in now.items()
        for centre in ("A", None)
    ]
    changes = [
        {**cell, "centre_id": "A", "verdict": verdict, "n_data": now.get(verdict, 0) - before.get(verdict, 0)}
        | {"n_edition": 0, "n_code": 0}
        for verdict in before.keys() | now.keys()
    ]
    text = dict.fromkeys(("guideline", "setting", "centre_id", "verdict"), pl.String)
    schemas = ({**text, "n": pl.Int64}, {**text, **{f"n_{part}": pl.Int64 for part in PARTS}})
    frames = (pl.DataFrame(rows, schema=schema) for rows, schema in zip((counts, changes), schemas, strict=True))
    return shifted(*frames, rate_threshold).filter(centre_id="A")


@pytest.mark.parametrize("before", [0, 1, 60, 200])
def test_a_share_is_beyond_where_chance_would_seldom_bring_it(before: int) -> None:
    total = 200
    rate = (before + 0.5) / (total + 1)
    seen = set()
    for n in range(total + 1):
        made = of_counts({"open": before, "no_rule": total - before}, {"open": n, "no_rule": total - n})
        row = made.row(by_predicate=pl.col("verdict") == "open", named=True)
        is_rare = binom.cdf(n, total, rate) < 0.001 or binom.sf(n - 1, total, rate) < 0.001
        assert row["is_beyond"] == is_rare, n
        seen.add(is_rare)
    assert seen == {True, False}


def test_the_first_decision_with_a_verdict_is_not_beyond() -> None:
    made = of_counts({"open": 1_000}, {"open": 1_000, "contraindicated": 1})
    assert made["is_beyond"].to_list() == [False, False]


@pytest.mark.parametrize(("before", "now", "is_judged"), [(10, 10, True), (9, 10, False), (10, 9, False)])
def test_few_decisions_are_not_judged(before: int, now: int, is_judged: bool) -> None:
    made = of_counts({"open": before}, {"no_rule": now})
    assert made["is_beyond"].to_list() == ([True, True] if is_judged else [None, None])
    assert made["limit_low"].is_not_null().all() == is_judged


def test_where_there_was_nothing_before_there_is_no_share_and_no_part() -> None:
    made = of_counts({}, {"open": 20})
    assert made["share_before"].to_list() == [None]
    assert made["share"].to_list() == [1.0]
    assert made.select("part_data", "part_edition", "part_code", "is_beyond").row(0) == (None,) * 4


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Warehouse]:
    with building(tmp_path / "now") as warehouse:
        keys = {"centre_id": list(CENTRES), "code": ["C02", "C01", "C03"]}
        warehouse.insert(ReportKey, pl.DataFrame(keys))
        yield warehouse


def row_of(centre: str | None, before: int, now: int, total: int = 100, **others: object) -> dict[str, Any]:
    shares = {"share_before": before / total, "share": now / total, "part_data": 0.0, "part_code": 0.0}
    counts = {"n_before": before, "n_total_before": total, "n": now, "n_total": total, "is_beyond": True}
    cell = {"guideline": "esmo", "setting": "systemic", "centre_id": centre, "verdict": "open"}
    return {**cell, **counts, **shares, "part_edition": (now - before) / total, "differs": [], **others}


def test_alerts_name_share_cause_and_the_centre_by_its_code(published: Warehouse) -> None:
    rows = [
        row_of("A", 20, 80, part_edition=0.0, part_data=0.6, differs=["as_of", "side_policy", "grace_days"]),
        row_of(None, 20, 50, differs=["as_of", "package_version"]),
        row_of("B", 20, 90, part_edition=0.0, part_code=0.7, differs=["as_of", "grace_days"]),
        row_of("C", 20, 21, is_beyond=False),
    ]
    published.insert(VerdictShift, frame(VerdictShift, rows))
    assert verdict_shift_alerts(published, Settings()) == [
        "esmo, systemic, all centres: open moved from 20.0% to 50.0% of decisions, beyond its limits, mostly by an "
        "edition that is new, gone or changed.",
        "esmo, systemic, C01: open moved from 20.0% to 90.0% of decisions, beyond its limits, mostly by code or "
        "settings (another grace_days).",
        "esmo, systemic, C02: open moved from 20.0% to 80.0% of decisions, beyond its limits, mostly by decisions that "
        "are new, gone or changed (another side_policy).",
    ]


@pytest.mark.parametrize(
    ("before", "now", "is_told"),
    [(5, 50, True), (4, 50, False), (0, 50, True), (50, 95, True), (50, 96, False), (50, 100, True), (50, 4, False)],
)
def test_no_alert_tells_of_a_handful(published: Warehouse, before: int, now: int, is_told: bool) -> None:
    published.insert(VerdictShift, frame(VerdictShift, [row_of(None, before, now)]))
    (told,) = verdict_shift_alerts(published, Settings())
    assert ("%" in told) == is_told
    if not is_told:
        assert told == "1 share of a verdict is beyond its limits."


def test_alerts_are_at_most_a_handful(published: Warehouse) -> None:
    verdicts = describe(VerdictShift).column("verdict").values or ()
    rows = [row_of(None, 20, 50, verdict=verdict) for verdict in verdicts[:7]]
    published.insert(VerdictShift, frame(VerdictShift, rows))
    told = verdict_shift_alerts(published, Settings())
    assert len(told) == 6
    assert told[-1] == "2 more shares of verdicts are beyond their limits."


def test_nothing_beyond_is_nothing_to_tell(published: Warehouse) -> None:
    published.insert(VerdictShift, frame(VerdictShift, [row_of(None, 20, 21, is_beyond=False)]))
    assert verdict_shift_alerts(published, Settings()) == []


def section_of(warehouse: Warehouse, centre: str | None = None) -> Section | None:
    shifts = warehouse.query("report/verdict_shift", threshold=Settings().disclosure_threshold)
    return shift.section(cast("Registry", SimpleNamespace(shifts=shifts)), centre)


def test_the_report_tells_which_way_each_cause_moved_a_verdict_and_no_number(published: Warehouse) -> None:
    rows = [
        row_of(None, 20, 80, part_data=-0.1, part_edition=0.7, part_code=1e-17),
        row_of(None, 96, 30, verdict="no_rule"),
        row_of(None, 20, 21, verdict="off_label", is_beyond=False),
        row_of("A", 20, 90),
    ]
    published.insert(VerdictShift, frame(VerdictShift, [row | {"differs": ["as_of"]} for row in rows]))
    made = section_of(published)
    assert made
    table, hidden, differing = made.blocks
    assert isinstance(table, ReportTable)
    assert table.data.frame.rows() == [
        ("ESMO", "Systemic treatment", "Open, nothing given yet", "more", "fewer", "more", "none")
    ]
    assert hidden == "Of so few decisions that nothing is told of them: 1."
    assert differing == "The two runs differ in: as_of."
    assert made.sentence.startswith(
        "Of 3 shares of verdicts, compared with the run x that was published before, 2 left"
    )
    assert section_of(published, "C01") is None


def test_the_report_of_a_first_run_tells_of_no_shift(published: Warehouse) -> None:
    assert section_of(published) is None
