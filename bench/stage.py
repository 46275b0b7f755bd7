"""`python -m bench.stage NAME PATH...`: one stage in this process; prints what it cost as JSON."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import duckdb
import polars as pl

from bench import scan
from bench.harness import Cost, here, peak_mb
from bench.work import csv_files, job
from crlm_pipeline.synthetic import write_registry
from flows.annotating import annotate
from flows.steps import ingest, report

SEED = 1


def _generate(folder: str, patients: str) -> None:
    write_registry(Path(folder), int(patients), SEED)


def _read_by_polars(folder: str) -> None:
    for path in csv_files(Path(folder)):
        pl.read_csv(path)


def _read_by_duckdb(folder: str) -> None:
    connection = duckdb.connect()
    for path in csv_files(Path(folder)):
        connection.execute("create or replace temp table read as from read_csv(?)", [str(path)])


def _ingest(source: str, warehouse: str) -> None:
    ingest(job(Path(source), Path(warehouse)))


def _annotate(source: str, warehouse: str) -> None:
    annotate(job(Path(source), Path(warehouse)))


def _report(source: str, warehouse: str) -> None:
    report(job(Path(source), Path(warehouse)))


def _run(source: str, warehouse: str) -> None:
    whole = job(Path(source), Path(warehouse))
    for step in (ingest, annotate, report):
        step(whole)


def _add(drop: str, warehouse: str) -> None:
    addition = replace(job(Path(drop), Path(warehouse)), is_addition=True)
    for step in (ingest, annotate, report):
        step(addition)


STAGES: dict[str, Callable[..., None]] = {
    "generate": _generate,
    "read_csv_polars": _read_by_polars,
    "read_csv_duckdb": _read_by_duckdb,
    "ingest": _ingest,
    "annotate": _annotate,
    "report": _report,
    "run": _run,
    "add": _add,
    "judge_to_parquet": scan.judge_folder,
}


def main() -> None:
    name, *arguments = sys.argv[1:]
    cost: Cost = here(lambda: STAGES[name](*arguments)).do()
    print(json.dumps(asdict(replace(cost, peak_mb=peak_mb()))))


if __name__ == "__main__":
    main()
