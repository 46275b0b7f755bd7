"""Whoever has the published files alone works out no suppressed count: cohorts of chance, and whole reports.

`CRLM_COHORTS` is the number of cohorts, `CRLM_FIRST_COHORT` the seed of the first.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from crlm_pipeline.disclosure import Counts, SafeTable, protect
from crlm_pipeline.report.contents import PAGES
from crlm_pipeline.report.counts import PUBLISHED
from crlm_pipeline.report.export import write_data
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.nested import NESTED
from crlm_pipeline.report.registry import Registry, read_registry
from crlm_pipeline.settings import Settings
from tests.attacker import Attacker, Cell, rows_of
from tests.cohorts_of_chance import cohort
from tests.registry_of_chance import registry

THRESHOLD = 5
COHORTS = int(os.environ.get("CRLM_COHORTS", "500"))
FIRST = int(os.environ.get("CRLM_FIRST_COHORT", "0"))
AT_ONCE = 50


def truth_of(tables: Sequence[Counts]) -> dict[Cell, int]:
    return {
        (table.unit, frozenset((name, value) for name in table.dimensions if (value := row[name]))): row["n"]
        for table in tables
        for row in table.frame.iter_rows(named=True)
    }


def published(table: SafeTable, folder: Path) -> list[dict[str, str | None]]:
    """Write the file behind a table of the report, and return what it says."""
    section = Section("section", "Title", "Sentence.", (Table("", "All counts.", table),))
    assert len(list(write_data((section,), folder, "page.html", "", known={}))) == 1
    return rows_of(folder / f"{table.name}.csv")


def attack(tables: Sequence[Counts], safe: Mapping[str, SafeTable], folder: Path, threshold: int) -> Attacker:
    """Publish the tables as files, and let the attacker read those and learn the sums."""
    attacker = Attacker(threshold)
    for table in tables:
        attacker.read(table.unit, table.dimensions, published(safe[table.name], folder), "shown")
    for table in tables:
        for relation in (*table.margins, *table.subsets):
            attacker.know(table.unit, relation)
    for nested in NESTED:
        attacker.compare(nested)
    return attacker


def pinned(attacker: Attacker, truth: Mapping[Cell, int]) -> list[object]:
    return attacker.pinned(lambda total, parts: truth[total] - sum(truth[part] for part in parts))


@pytest.mark.parametrize("first", range(FIRST, FIRST + COHORTS, AT_ONCE))
def test_no_suppressed_count_of_a_cohort_of_chance_can_be_worked_out(first: int, tmp_path: Path) -> None:
    suppressed = 0
    for seed in range(first, min(first + AT_ONCE, FIRST + COHORTS)):
        tables = cohort(seed)
        truth = truth_of(tables)
        safe = protect(tables, NESTED, threshold=THRESHOLD, smallest_rate=10)
        attacker = attack(tables, safe, tmp_path, THRESHOLD)
        assert_texts_are_true(attacker, truth)
        assert pinned(attacker, truth) == [], f"seed {seed}"
        suppressed += sum(not text.isdecimal() for text in attacker.texts.values())
    assert suppressed > AT_ONCE


def assert_texts_are_true(attacker: Attacker, truth: Mapping[Cell, int]) -> None:
    """What is shown is the count, what is marked as small is, and no small count is shown."""
    for cell, text in attacker.texts.items():
        n = truth[cell]
        right = {"hidden": n > 0, f"<{THRESHOLD}": 0 < n < THRESHOLD}
        assert right.get(text, text == str(n) and (n == 0 or n >= THRESHOLD)), (text, n)


def test_the_attacker_finds_what_hiding_the_small_counts_alone_would_give_away(tmp_path: Path) -> None:
    """He is as good as he should be: nearly every cohort tells him something when nothing else is hidden."""
    found = 0
    for seed in range(10):
        tables = cohort(seed)
        truth = truth_of(tables)
        attacker = attack(tables, protect(tables, NESTED, threshold=1, smallest_rate=10), tmp_path, THRESHOLD)
        small = f"<{THRESHOLD}"
        attacker.texts = {cell: small if 0 < truth[cell] < THRESHOLD else text for cell, text in attacker.texts.items()}
        found += bool(pinned(attacker, truth))
    assert found > 7


@pytest.fixture(scope="module")
def registries() -> tuple[Registry, Registry]:
    """What a small registry publishes through the statements of the report, for sharing and with nothing hidden."""
    with registry(patients=70, centres=3) as warehouse:
        return read_registry(warehouse, Settings()), read_registry(warehouse, Settings(disclosure_threshold=1))


def test_no_suppressed_count_of_a_report_can_be_worked_out(
    registries: tuple[Registry, Registry], tmp_path: Path
) -> None:
    shared, restricted = (made.tables for made in registries)
    attacker, everything = Attacker(THRESHOLD), Attacker(1)
    for one in PUBLISHED:
        for reader, tables in ((attacker, shared), (everything, restricted)):
            reader.read(one.unit, tables[one.name].dimensions, published(tables[one.name], tmp_path), "shown")
    for one in PUBLISHED:
        for relation in (*one.margins, *one.subsets):
            attacker.know(one.unit, relation)
    for nested in NESTED:
        attacker.compare(nested)
    truth = {cell: int(text) for cell, text in everything.texts.items()}
    assert_texts_are_true(attacker, truth)
    assert sum(not text.isdecimal() for text in attacker.texts.values()) > AT_ONCE
    assert pinned(attacker, truth) == []


def figures(registry: Registry) -> list[Figure]:
    pages = [one for page in PAGES for one in (page, *(page.single(registry) if page.single else ()))]
    sections = [made for page in pages for section in page.sections if (made := section(registry, None))]
    return [block for section in sections for block in section.blocks if isinstance(block, Figure)]


def test_a_drawing_writes_no_rate_that_its_data_do_not_hold(registries: tuple[Registry, Registry]) -> None:
    """What a pointer is told of a point is a rate and a denominator of the file behind the drawing."""
    told = [
        (figure, float(rate), int(total))
        for figure in funnels(registries[0])
        for rate, total in re.findall(r"<title>[^<]*?([.\d]+) % of (\d+)</title>", figure.svg)
    ]
    assert told
    for figure, rate, total in told:
        assert min(abs(total - n) + abs(rate - share) for n, share in printed_rates(figure)) < 0.06, figure.data.name


def test_a_point_of_a_funnel_plot_tells_no_rate_that_is_not_published(registries: tuple[Registry, Registry]) -> None:
    """Measured against the axes, every point is a denominator of the file behind it, with a rate or a bound of one."""
    points = [(figure, point) for figure in funnels(registries[0]) for point in measured_points(figure.svg)]
    assert points
    for figure, (x, y) in points:
        assert min(abs(x - n) + abs(y - share) for n, share in printed_rates(figure)) < 1, figure.data.name


def funnels(registry: Registry) -> list[Figure]:
    return [figure for figure in figures(registry) if ">Denominator</text>" in figure.svg]


def printed_rates(figure: Figure) -> list[tuple[int, float]]:
    """Return the denominators of a drawing's file, each with its rate or both bounds of it."""
    told = {name for name in ("percent", "least", "most") if name in figure.data.frame.columns}
    total = next(name for name in ("n_evaluable", "total") if name in figure.data.frame.columns)
    rows = figure.data.frame.iter_rows(named=True)
    return [(row[total], row[name]) for row in rows for name in told if row[name] is not None]


def measured_points(svg: str) -> list[tuple[float, float]]:
    """Return what the points of a drawing stand for, by the labels of its axes."""
    labels = re.findall(r'<text x="([.\d]+)" y="([.\d]+)" text-anchor="(middle|end)">([.\d]+)</text>', svg)
    x = scale([(float(left), float(text)) for left, _, anchor, text in labels if anchor == "middle"])
    # A label of the upright axis stands four units below its line.
    y = scale([(float(top) - 4, float(text)) for _, top, anchor, text in labels if anchor == "end"])
    found = re.findall(r'<circle cx="([.\d]+)" cy="([.\d]+)"', svg)
    return [(x(float(left)), y(float(top))) for left, top in found]


def scale(ticks: Sequence[tuple[float, float]]) -> Callable[[float], float]:
    (first, low), (last, high) = ticks[0], ticks[-1]
    return lambda at: low + (high - low) * (at - first) / (last - first)
