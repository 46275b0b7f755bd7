"""The results on record: `results.json`, a list with one run per size of registry."""

import json
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.harness import Measured

RESULTS = Path(__file__).with_name("results.json")
Result = dict[str, Any]
# Parts of a result that hold one figure per name.
_FIGURES = ("pairs", "rows", "seconds", "cpu_seconds", "rows_per_second", "peak_mb", "ratios", "cpu_ratios")


def figures(measured: Measured) -> Result:
    """Return what a comparison found, rounded: medians, ratios by both clocks, and how many rounds they rest on."""
    tasks, ratios = measured.comparison.tasks, measured.comparison.ratios
    seconds = {name: median(cost.seconds for cost in costs) for name, costs in measured.costs.items()}
    cpu = {name: median(cost.cpu_seconds for cost in costs) for name, costs in measured.costs.items()}
    peaks = {name: max(cost.peak_mb or 0 for cost in costs) for name, costs in measured.costs.items()}
    return {
        "pairs": {name: len(costs) for name, costs in measured.costs.items()},
        "rows": {name: task.rows for name, task in tasks.items() if task.rows > 1},
        "seconds": _rounded(seconds),
        "cpu_seconds": _rounded(cpu),
        "rows_per_second": {name: round(task.rows / seconds[name]) for name, task in tasks.items() if task.rows > 1},
        "peak_mb": {name: round(peak) for name, peak in peaks.items() if peak},
        "ratios": _rounded({name: measured.ratio(name, "seconds") for name in ratios}),
        "cpu_ratios": _rounded({name: measured.ratio(name, "cpu_seconds") for name in ratios}),
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.3g}") for name, value in values.items()}


def result(patients: int, parts: Iterable[Result]) -> Result:
    """Return a result of this machine and day from the figures of its comparisons."""
    machine = f"{_processor()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    whole: Result = {"patients": patients, "machine": machine, "date": datetime.now(tz=UTC).date().isoformat()}
    return whole | _merged([*parts])


def _merged(parts: list[Result]) -> Result:
    return {kind: {k: v for part in parts for k, v in part.get(kind, {}).items()} for kind in _FIGURES}


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def read_results(path: Path = RESULTS) -> list[Result]:
    """Return the results on record, the smallest registry first."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def record(new: Result, path: Path = RESULTS) -> Result:
    """Put a result on record and return it; figures that it lacks stay as they were for that size."""
    old = {each["patients"]: each for each in read_results(path)}
    known = old.get(new["patients"], {})
    old[new["patients"]] = {**new, **_merged([known, new])}
    ordered = [_beside_100k(old[patients], old.get(100_000)) for patients in sorted(old)]
    path.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    return next(each for each in ordered if each["patients"] == new["patients"])


def _beside_100k(whole: Result, other: Result | None) -> Result:
    """Add how much longer a patient takes than in a registry of 100,000, where both runs are known."""
    if other is None or "run" not in other["seconds"] or "run" not in whole["seconds"]:
        return whole
    per_patient = [each["seconds"]["run"] / each["patients"] for each in (whole, other)]
    ratios = whole["ratios"] | _rounded({"time_per_patient_vs_100k": per_patient[0] / per_patient[1]})
    return {**whole, "ratios": ratios}
