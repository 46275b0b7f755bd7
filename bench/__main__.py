"""`python -m bench --patients N`: what each step costs beside reading the same files with Polars, taken in pairs.

Writes `bench/results.json`, a list of runs, and prints the last. Seconds belong to the machine; compare ratios only.
"""

import argparse
import json
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from crlm_pipeline.guidelines.explain import judge_one
from crlm_pipeline.guidelines.judging import judge
from crlm_pipeline.guidelines.load import load_editions
from crlm_pipeline.guidelines.situations import number_situations
from crlm_pipeline.settings import Settings
from crlm_pipeline.synthetic import write_registry
from crlm_pipeline.warehouse import Warehouse
from flows.steps import Job, annotate, ingest, report
from schemas.cohort import ClassView, Decision

PAIRS = 3
PLAIN_SAMPLE = 500
EDITION = "esmo_2022_10"
RESULTS = Path(__file__).with_name("results.json")


def seconds(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def read_csv(folder: Path) -> None:
    for path in sorted(folder.glob("*.csv")):
        pl.read_csv(path)


def measure_steps(folder: Path, job: Job) -> dict[str, float]:
    """Return the median ratio of each step to reading the files, over interleaved pairs."""
    ratios: dict[str, list[float]] = {"ingest_vs_read_csv": [], "run_vs_read_csv": []}
    for _ in range(PAIRS):
        read = seconds(lambda: read_csv(folder))
        ingested = seconds(lambda: ingest(job))
        rest = seconds(lambda: (annotate(job), report(job)))
        ratios["ingest_vs_read_csv"].append(ingested / read)
        ratios["run_vs_read_csv"].append((ingested + rest) / read)
    return {name: statistics.median(values) for name, values in ratios.items()}


def measure_evaluators(warehouse: Path) -> dict[str, float]:
    """Return how many times faster the vectorised evaluator judges a decision than the plain one."""
    knowledge = load_editions()
    edition = knowledge.edition(EDITION)
    active = frozenset(rule.id for rule in edition.rules)
    with Warehouse.open_readonly(warehouse) as published:
        decisions, views = published.read(Decision), published.read(ClassView)
    frame, situations = number_situations(decisions, knowledge)
    sample = decisions.head(PLAIN_SAMPLE).to_dicts()
    fast = seconds(lambda: judge(edition, active, frame, views, situations)) / frame.height
    plain = seconds(lambda: [judge_one(edition, active, row) for row in sample]) / len(sample)
    return {"vs_plain": plain / fast}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--patients", type=int, default=20_000)
    patients = parser.parse_args().patients
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registry = folder / "registry"
        registry.mkdir()
        generated = seconds(lambda: write_registry(registry, patients, seed=1))
        job = Job((registry,), folder / "crlm.duckdb", folder / "report", settings=Settings())
        ratios = measure_steps(registry, job) | measure_evaluators(job.warehouse)
    ratios["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    run = {
        "patients": patients,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "generate_seconds": round(generated, 1),
        "ratios": {name: round(value, 2) for name, value in ratios.items()},
    }
    runs = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    RESULTS.write_text(json.dumps([*runs, run], indent=1) + "\n", encoding="utf-8")
    print(json.dumps(run, indent=1))


if __name__ == "__main__":
    main()
