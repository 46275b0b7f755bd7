"""Fails when the pipeline has become far slower beside reading, or beside the plain evaluator, than is on record."""

from pathlib import Path

from bench.families import FAMILIES
from bench.harness import Effort, Measured, measure
from bench.results import read_results
from bench.targets import TARGETS
from bench.work import Work

PATIENTS = 20_000
LIMIT = 2.0
# By comparison, the ratios that are cheap enough to take whenever the tests run.
GUARDED = {
    "startup": ("help_vs_pass",),
    "ingest": ("ingest_vs_read_csv",),
    "lines": ("lines_vs_read",),
    "scan": ("annotate_vs_scan", "concordance_vs_read"),
    "evaluators": ("vs_plain",),
}
_EFFORT = Effort(pairs=3, seconds=8.0)
# Processor seconds: a machine that others use gives them evenly where its clock does not.
_CLOCK = "cpu_seconds"
_MORE_IS_BETTER = frozenset(target.name for target in TARGETS if target.is_floor)


def guard(folder: Path) -> int:
    """Print every guarded ratio beside the one on record; return 1 if one is worse by more than LIMIT, twice."""
    recorded = on_record()
    work = Work(folder, PATIENTS)
    failed = False
    for family, ratios in GUARDED.items():
        measured = measure(FAMILIES[family](work).only(ratios), _EFFORT)
        if _worse(measured, recorded):
            measured = measure(measured.comparison, _EFFORT)
        worse = _worse(measured, recorded)
        failed |= bool(worse)
        for name in ratios:
            judgement = f": more than {LIMIT:g} times worse" if name in worse else ""
            print(f"{name} {measured.ratio(name, _CLOCK):.3g}, on record {recorded[name]:.3g}{judgement}", flush=True)
    return int(failed)


def on_record() -> dict[str, float]:
    """Return the ratios on record for a registry of PATIENTS."""
    return next(each["cpu_ratios"] for each in read_results() if each["patients"] == PATIENTS)


def _worse(measured: Measured, recorded: dict[str, float]) -> list[str]:
    return [
        name
        for name in measured.comparison.ratios
        if is_worse(name, measured.ratio(name, _CLOCK), recorded[name])
        and is_worse(name, measured.best_ratio(name, _CLOCK), recorded[name])
    ]


def is_worse(name: str, found: float, recorded: float) -> bool:
    """Return whether a ratio is worse than the one on record by more than LIMIT."""
    return recorded > LIMIT * found if name in _MORE_IS_BETTER else found > LIMIT * recorded
