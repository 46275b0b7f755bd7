"""The comparisons by name, in the order in which a whole benchmark takes them."""

from collections.abc import Callable

from bench import evaluators, ingest, lines, run, scan, startup
from bench.harness import Comparison
from bench.work import Work

FAMILIES: dict[str, Callable[[Work], Comparison]] = {
    "startup": startup.compare,
    "ingest": ingest.compare,
    "checks": ingest.compare_checks,
    "lines": lines.compare,
    "scan": scan.compare,
    "evaluators": evaluators.compare,
    "run": run.compare,
    "marts": run.compare_marts,
}
