"""Effects planted among centres that are otherwise alike stand where an auditor looks, and nothing else does.

CRLM_PLANTED_PATIENTS sets the size of the registry: a national one of 50000 takes a quarter of an hour.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
from scipy.stats import binom

from crlm_pipeline.report import build
from crlm_pipeline.report.registry import Registry, read_registry
from crlm_pipeline.settings import Settings
from crlm_pipeline.statistics import funnel_limits
from crlm_pipeline.synthetic import PLANTS, alike, found_centres, planted, write_registry
from crlm_pipeline.warehouse import Warehouse
from flows.steps import Job, annotate, ingest, report
from tests.acceptance.registry import Answers

# A registry of 50000 takes longer than other tests may.
pytestmark = pytest.mark.timeout(3600)

PATIENTS: Final = int(os.environ.get("CRLM_PLANTED_PATIENTS", "6000"))
SEED: Final = 1
# How sure the bounds on what chance may do are; the registry is the same each time.
CERTAIN: Final = 0.999

# The indicators that each plant must move, as clinical.md section 4 names them.
SHOWN_BY: Final = {
    "under_testing": ("P2", "P3", "P4", "P7", "DG27-1.1"),
    "treats_before_results": ("P1", "P2", "P10"),
    "outlier": ("P9", "MIPS-452-adapted"),
    "deaths_after_surgery": ("P17a",),
}
MOVED: Final = [(plant, indicator) for plant, indicators in SHOWN_BY.items() for indicator in indicators]


@dataclass(frozen=True)
class Found:
    """The published warehouse and report, and by plant the centre that carries it: its id and its code."""

    answers: Answers
    folder: Path
    carriers: dict[str, str]
    codes: dict[str, str]

    def data(self, name: str) -> pl.DataFrame:
        """Return a table of the report as its reader downloads it."""
        return pl.read_csv(self.folder / "data" / f"{name}.csv", infer_schema_length=None)

    def page(self, name: str) -> str:
        return (self.folder / f"{name}.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    folder = tmp_path_factory.mktemp("planted")
    centres, carriers = planted(alike(found_centres(PATIENTS, SEED)), PLANTS)
    write_registry(folder / "extract", PATIENTS, SEED, centres)
    job = Job((folder / "extract",), folder / "crlm.duckdb", folder / "report", settings=Settings(guidelines=("esmo",)))
    ingest(job)
    annotate(job)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "read_registry", lambda *given: _with_pages_of(set(carriers.values()), *given))
        report(job)
    answers = Answers(job.warehouse)
    codes = dict(answers.rows("select centre_id, code from audit.report_key"))
    yield Found(answers, job.report, carriers, {name: codes[one] for name, one in carriers.items() if one in codes})
    answers.close()


def _with_pages_of(centre_ids: set[str], warehouse: Warehouse, settings: Settings) -> Registry:
    """Read the registry, but leave out the pages of the other centres: they take the longest and are not looked at."""
    registry = read_registry(warehouse, settings)
    wanted = warehouse.query("report/report_key").filter(pl.col("centre_id").is_in(centre_ids))["code"]
    return replace(registry, codes={label: code for label, code in registry.codes.items() if code in set(wanted)})


@pytest.mark.parametrize(("plant", "indicator"), MOVED)
def test_the_centre_of_a_plant_is_an_alarm_in_the_warehouse(plant: str, indicator: str, found: Found) -> None:
    standing = found.answers.one(
        "select standing from mart.indicator "
        "where indicator_id = $indicator and centre_id = $centre and period is null",
        indicator=indicator,
        centre=found.carriers[plant],
    )
    assert standing == "alarm"


@pytest.mark.parametrize(("plant", "indicator"), MOVED)
def test_the_centre_of_a_plant_leads_the_overview_and_its_own_page(plant: str, indicator: str, found: Found) -> None:
    code = found.codes[plant]
    for table in ("signals_beyond", f"{code.lower()}-signals"):
        row = found.data(table).filter(
            pl.col("centre_id") == code, pl.col("measure").str.starts_with(f"{indicator}: "), pl.col("side") == "worse"
        )
        assert row["beyond"].cast(pl.String).to_list() == ["99.8"], table
    for page in ("index", f"centre-{code}"):
        section = _section(found.page(page), "signals")
        assert f"{indicator}: " in section, page
        assert "Worse, beyond 99.8 %" in section, page


def test_the_outlier_departs_from_the_guideline_too(found: Found) -> None:
    alarms = found.data("signals_beyond").filter(
        pl.col("measure") == "Concordance with ESMO", pl.col("side") == "worse"
    )
    assert alarms["centre_id"].to_list() == [found.codes["outlier"]]


def test_nothing_is_flagged_that_was_not_planted(found: Found) -> None:
    """Of the comparisons of centres without a plant no more lie outside than chance allows, on either side."""
    everywhere = found.data("signals_by_measure")["compared"].sum()
    of_planted = sum(found.data(f"{code.lower()}-signals").height for code in found.codes.values())
    others = everywhere - of_planted
    assert others > 10 * len(SHOWN_BY)
    unplanted = found.data("signals_beyond").filter(~pl.col("centre_id").is_in(list(found.codes.values())))
    assert unplanted.height <= binom.ppf(CERTAIN, others, 0.002)


def test_alerts_of_centres_without_a_plant_are_no_more_than_one_in_twenty(found: Found) -> None:
    rows = found.answers.rows(
        "select standing, count(*) from mart.indicator where period is null and standing is not null "
        "and not list_contains($planted, centre_id) group by standing",
        planted=list(found.carriers.values()),
    )
    counts = dict(rows)
    total = sum(counts.values())
    assert total - counts["within"] <= binom.ppf(CERTAIN, total, 0.05)
    assert counts.get("alarm", 0) <= binom.ppf(CERTAIN, total, 0.001)


def test_the_report_flags_whom_the_warehouse_flags(found: Found) -> None:
    """What is hidden may keep an alarm out of the report, and nothing may bring one in."""
    alarms = "select code, indicator_id from mart.indicator join audit.report_key using (centre_id) "
    alarms += "where standing = 'alarm' and period is null"
    known = set(found.answers.rows(alarms))
    shown = found.data("signals_beyond").filter(
        pl.col("side") == "worse", ~pl.col("measure").str.starts_with("Concordance")
    )
    listed = set(shown.select("centre_id", pl.col("measure").str.extract(r"^(.+?): ")).rows())
    assert listed <= known
    assert len(listed) >= 0.9 * len(known)


@pytest.mark.parametrize("indicator", ["P2", "P3", "P4"])
def test_the_change_of_practice_in_2023_shows_from_that_year_on_and_not_before(indicator: str, found: Found) -> None:
    """Against the rate of the years before: each of them within the 99.8 % limits, 2024 and later above them."""
    years = {
        int(period): (met, total)
        for period, met, total in found.answers.rows(
            "select period, numerator, denominator from mart.indicator "
            "where indicator_id = $indicator and centre_id is null and period is not null",
            indicator=indicator,
        )
    }
    before = [counts for year, counts in years.items() if year < 2023]
    rate = sum(met for met, _ in before) / sum(total for _, total in before)
    outside = {year: _beyond(met, total, rate) for year, (met, total) in years.items()}
    assert {year for year, side in outside.items() if side} <= set(range(2023, 2027))
    assert [outside[year] for year in (2024, 2025, 2026)] == [1, 1, 1]


def test_after_the_change_more_decisions_can_be_judged(found: Found) -> None:
    years = found.data("concordance_by_year")
    judged = {str(year): share for year, share in years.select("year", _judged()).rows()}
    assert min(judged[year] for year in ("2024", "2025")) > max(judged[year] for year in ("2019", "2020", "2021"))


def _judged() -> pl.Expr:
    return (pl.col("n_evaluable") / pl.col("n")).alias("judged")


def _beyond(met: int, total: int, rate: float) -> int:
    low, high = funnel_limits([total], rate, 0.998)
    return int(met / total > high[0]) - int(met / total < low[0])


def _section(html: str, name: str) -> str:
    start = html.index(f'<section id="{name}"')
    return html[start : html.index("</section>", start)]


def test_the_plants_are_told_apart_by_centre(found: Found) -> None:
    """Four centres, a change everywhere: none is hidden behind another."""
    told: dict[str, Any] = dict(found.carriers)
    assert told.pop("practice_change_2023") == "every centre"
    assert len(set(told.values())) == len(SHOWN_BY)


def test_the_page_on_planted_effects_names_the_indicators_that_are_tested_here() -> None:
    page = (Path(__file__).parents[2] / "docs" / "planted-effects.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", page, re.MULTILINE)
    assert {plant: tuple(named.split(", ")) for plant, named in rows} == SHOWN_BY
