"""Judging beside reading: one edition, and all series, against DuckDB and Polars scans of the same Parquet columns."""

from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from bench.harness import Comparison, fresh, here
from bench.work import EDITION, Work
from crlm_pipeline.guidelines.annotate import annotate
from crlm_pipeline.guidelines.explain import judge_one
from crlm_pipeline.guidelines.judging import Judgement, judge
from crlm_pipeline.guidelines.load import shipped_knowledge
from crlm_pipeline.guidelines.situations import number_situations, unavailable_drugs
from crlm_pipeline.guidelines.verdicts import final_verdicts
from crlm_pipeline.settings import Settings

CHECKED = 300


def compare(work: Work) -> Comparison:
    """Return the annotation of decisions against scans of them."""
    _check(work)
    rows = work.decision_count
    one_file = {"scan_duckdb_part": here(lambda: scan_by_duckdb(work.decisions[:1]), work.cohort.decision.height)}
    return Comparison(
        tasks={
            "scan_duckdb": here(lambda: scan_by_duckdb(work.decisions), rows),
            "scan_polars": here(lambda: scan_by_polars(work.decisions), rows),
            "annotate": here(lambda: _judge_all(work), rows),
            "annotate_write": fresh("judge_to_parquet", work.folder, rows=rows),
            "concordance": here(lambda: _concordance(work), rows),
            "all_series": here(lambda: _all_series(work), work.cohort.decision.height),
        }
        | one_file,
        ratios={
            "annotate_vs_scan": ("annotate", "scan_duckdb"),
            "annotate_write_vs_scan": ("annotate_write", "scan_duckdb"),
            "all_series_vs_scan": ("all_series", "scan_duckdb_part"),
            "concordance_vs_read": ("concordance", "scan_polars"),
        },
    )


def scan_by_duckdb(files: list[Path]) -> tuple[int, ...]:
    """Return how many values each column has, which takes reading all of them."""
    columns = pl.read_parquet_schema(files[0])
    counts = ", ".join(f'count("{name}")' for name in columns)
    read = duckdb.sql(f"select {counts} from read_parquet({list(map(str, files))})")  # noqa: S608  # our own names
    row = read.fetchone()
    assert row is not None
    return row


def scan_by_polars(files: list[Path]) -> tuple[int, ...]:
    """Return the same counts."""
    return pl.scan_parquet(files).select(pl.all().count()).collect(engine="streaming").row(0)


def judged(file: Path, class_view: pl.DataFrame) -> tuple[Judgement, pl.DataFrame]:
    """Return what EDITION says of the decisions of a file, and the decisions."""
    knowledge = shipped_knowledge()
    edition = knowledge.edition(EDITION)
    decisions, situations = number_situations(pl.read_parquet(file), knowledge)
    active = frozenset(rule.id for rule in edition.rules)
    return judge(edition, active, decisions, class_view, situations), decisions


def _judge_all(work: Work) -> int:
    return sum(judged(file, work.cohort.class_view)[0].ladder.height for file in work.decisions)


def judge_folder(folder: str) -> None:
    """Judge the decisions that `Work` has put in a folder, file by file, from Parquet to Parquet."""
    class_view = pl.read_parquet(Path(folder) / "class_view.parquet")
    target = Path(folder) / "judged"
    target.mkdir(exist_ok=True)
    for file in sorted((Path(folder) / "decisions").glob("*.parquet")):
        judgement, decisions = judged(file, class_view)
        named = judgement.ladder.with_columns(
            decisions.get_column("decision_id"),
            tests_required=pl.Series(judgement.tests_required),
            tests_unknown=pl.Series(judgement.tests_unknown),
        )
        named.write_parquet(target / file.name, compression="lz4")


def _concordance(work: Work) -> pl.DataFrame:
    """Return how many decisions had each verdict, by centre and line; counted before the verdicts are written out."""
    counted = []
    for file in work.decisions:
        judgement, decisions = judged(file, work.cohort.class_view)
        verdicts = final_verdicts(judgement, decisions)
        where = decisions.select("centre_id", "line", said=pl.Series(verdicts.numbers))
        counts = where.group_by(pl.all()).len()
        verdict = verdicts.said.get_column("verdict")[counts.get_column("said")]
        counted.append(counts.drop("said").with_columns(verdict))
    return pl.concat(counted).group_by("centre_id", "line", "verdict").agg(pl.col("len").sum())


def _all_series(work: Work) -> int:
    return annotate(work.cohort, work.knowledge, Settings(), work.as_of).judged_anew


def _check(work: Work) -> None:
    """Make sure that both scans count the same and that the plain evaluator says the same of some decisions."""
    work.cohort.class_view.write_parquet(work.folder / "class_view.parquet")
    assert scan_by_duckdb(work.decisions) == scan_by_polars(work.decisions), "the scans differ"
    judgement, decisions = judged(work.decisions[0], work.cohort.class_view)
    fast = judgement.ladder.select("ladder_verdict", "ladder_rule_id", "missing_facts").head(CHECKED).rows()
    for (verdict, rule_id, missing), row in zip(fast, decisions.head(CHECKED).to_dicts(), strict=False):
        said = judge_one(work.edition, work.active, row, unavailable=_unavailable(work, row)).outcome
        assert (verdict, rule_id, missing) == (said.verdict, said.rule_id, list(said.missing_facts)), row["decision_id"]


def _unavailable(work: Work, row: dict[str, Any]) -> frozenset[str]:
    return unavailable_drugs(work.knowledge, row["country"], row["decision_date"])
