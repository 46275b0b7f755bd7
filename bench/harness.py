"""Measures tasks in turns, so that whatever else the machine does falls on all of them alike."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

WARM_UP_BELOW = 10.0  # seconds of a first round that is thrown away; a longer one has little left to warm up


@dataclass(frozen=True, slots=True)
class Cost:
    """What a repetition cost: seconds by the clock, seconds of all processors, the peak of a process of its own."""

    seconds: float
    cpu_seconds: float
    peak_mb: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """Something to measure, and how many rows it works on."""

    do: Callable[[], Cost]
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Effort:
    """How often to repeat: so many rounds, fewer once they have taken so many seconds, at least one."""

    pairs: int = 5
    seconds: float = 150.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Tasks, and the ratios to form: name -> (task, task it is held against), each per row."""

    tasks: Mapping[str, Task]
    ratios: Mapping[str, tuple[str, str]]

    def only(self, names: Iterable[str]) -> "Comparison":
        """Return these ratios alone, with the tasks that they need."""
        ratios = {name: self.ratios[name] for name in names}
        needed = {task for pair in ratios.values() for task in pair}
        return Comparison({name: task for name, task in self.tasks.items() if name in needed}, ratios)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a comparison cost, one entry per round."""

    comparison: Comparison
    costs: Mapping[str, Sequence[Cost]]

    def ratio(self, name: str, clock: str) -> float:
        """Return the median over the rounds of a ratio by one of the clocks of `Cost`."""
        return median(mine / other for mine, other in zip(*self._both(name, clock), strict=True))

    def best_ratio(self, name: str, clock: str) -> float:
        """Return the ratio of the cheapest rounds, which noise has touched least."""
        mine, other = self._both(name, clock)
        return min(mine) / min(other)

    def _both(self, name: str, clock: str) -> tuple[list[float], list[float]]:
        mine, other = self.comparison.ratios[name]
        return self._per_row(mine, clock), self._per_row(other, clock)

    def _per_row(self, task: str, clock: str) -> list[float]:
        return [getattr(cost, clock) / self.comparison.tasks[task].rows for cost in self.costs[task]]


def measure(comparison: Comparison, effort: Effort) -> Measured:
    """Repeat the tasks in turns, every other round backwards."""
    names = list(comparison.tasks)
    start = time.perf_counter()
    first = {name: comparison.tasks[name].do() for name in names}
    rounds = [first] if _total(first) > min(WARM_UP_BELOW, effort.seconds / 2) else []
    while not rounds or (len(rounds) < effort.pairs and time.perf_counter() - start < effort.seconds):
        order = names if len(rounds) % 2 else names[::-1]
        rounds.append({name: comparison.tasks[name].do() for name in order})
    return Measured(comparison, {name: [costs[name] for costs in rounds] for name in names})


def _total(costs: Mapping[str, Cost]) -> float:
    return sum(cost.seconds for cost in costs.values())


def here(do: Callable[[], object], rows: int = 1) -> Task:
    """Return a task of this process."""

    def timed() -> Cost:
        cpu, start = time.process_time(), time.perf_counter()
        do()
        return Cost(time.perf_counter() - start, time.process_time() - cpu)

    return Task(timed, rows)


def fresh(stage: str, *paths: Path | str, rows: int = 1, before: Callable[[], object] = lambda: None) -> Task:
    """Return a stage (`bench.stage`) in a process of its own: its start is not counted, its peak is its own."""

    def timed() -> Cost:
        before()
        call = [sys.executable, "-m", "bench.stage", stage, *map(str, paths)]
        done = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True)
        return Cost(**json.loads(done.stdout.splitlines()[-1]))

    return Task(timed, rows)


def process(*call: str) -> Task:
    """Return a whole process, its start included."""

    def timed() -> Cost:
        cpu, start = _cpu_of_children(), time.perf_counter()
        subprocess.run(call, check=True, capture_output=True)
        return Cost(time.perf_counter() - start, _cpu_of_children() - cpu)

    return Task(timed)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_mb() -> float:
    """Return the most memory this process has held. Linux tells it of this program alone, not of its parent's copy."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
