from collections.abc import Iterator

import pytest

from bench import guard, harness
from bench.harness import Comparison, Cost, Effort, Measured, Task, here, measure
from bench.results import figures, read_results, record, result


def measured(mine: list[float], other: list[float], rows: tuple[int, int] = (1, 1)) -> Measured:
    tasks = {"mine": Task(lambda: Cost(0, 0), rows[0]), "other": Task(lambda: Cost(0, 0), rows[1])}
    costs = {name: [Cost(one, one / 10) for one in values] for name, values in (("mine", mine), ("other", other))}
    return Measured(Comparison(tasks, {"mine_vs_other": ("mine", "other")}), costs)


def test_a_ratio_is_the_median_over_rounds_not_the_ratio_of_medians() -> None:
    assert measured([2, 9, 4], [1, 3, 1]).ratio("mine_vs_other", "seconds") == 3
    assert measured([2, 9, 4], [1, 3, 1]).best_ratio("mine_vs_other", "seconds") == 2


def test_a_ratio_is_per_row() -> None:
    assert measured([2], [1], rows=(10, 1)).ratio("mine_vs_other", "seconds") == pytest.approx(0.2)


def test_tasks_take_turns_and_every_other_round_goes_backwards() -> None:
    calls: list[str] = []

    def task(name: str) -> Task:
        return here(lambda: calls.append(name))

    measure(Comparison({"a": task("a"), "b": task("b")}, {}), Effort(pairs=2))
    assert "".join(calls) == "abbaab"  # the first round only warms up


def test_a_long_first_round_counts_and_ends_the_rounds_in_time() -> None:
    calls: list[int] = []

    def hour() -> Cost:
        calls.append(1)
        return Cost(3600, 3600)

    found = measure(Comparison({"a": Task(hour)}, {}), Effort(pairs=1))
    assert len(calls) == len(found.costs["a"]) == 1


def test_only_keeps_the_tasks_that_its_ratios_need() -> None:
    task = here(lambda: None)
    every = Comparison({"a": task, "b": task, "c": task}, {"a_vs_b": ("a", "b"), "c_vs_b": ("c", "b")})
    assert set(every.only(["c_vs_b"]).tasks) == {"b", "c"}


def test_a_process_of_its_own_tells_its_seconds_and_its_peak(tmp_path) -> None:
    cost = harness.fresh("generate", tmp_path / "registry", "20").do()
    assert (tmp_path / "registry" / "patient.csv").is_file()
    assert cost.cpu_seconds > 0
    assert (cost.peak_mb or 0) > 10


def test_a_record_replaces_what_was_measured_anew_and_keeps_the_rest(tmp_path) -> None:
    path = tmp_path / "results.json"
    record(result(20, [{"ratios": {"a": 1.0, "b": 2.0}}]), path)
    record(result(5, [{"ratios": {"a": 9.0}}]), path)
    record(result(20, [{"ratios": {"b": 3.0}}]), path)
    assert [(each["patients"], each["ratios"]) for each in read_results(path)] == [
        (5, {"a": 9.0}),
        (20, {"a": 1.0, "b": 3.0}),
    ]


def test_the_time_of_a_patient_is_held_against_that_of_100_000(tmp_path) -> None:
    path = tmp_path / "results.json"
    record(result(100_000, [{"seconds": {"run": 10.0}}]), path)
    record(result(1_000_000, [{"seconds": {"run": 120.0}}]), path)
    assert read_results(path)[1]["ratios"] == {"time_per_patient_vs_100k": 1.2}


def test_figures_hold_rounded_medians_of_both_clocks() -> None:
    found = figures(measured([2.0004, 9, 4], [1, 3, 1], rows=(8, 8)))
    assert found["seconds"] == {"mine": 4, "other": 1}
    assert found["cpu_seconds"] == {"mine": 0.4, "other": 0.1}
    assert found["rows_per_second"] == {"mine": 2, "other": 8}
    assert found["pairs"] == {"mine": 3, "other": 3}


@pytest.mark.parametrize(
    ("name", "found", "recorded", "is_worse"),
    [
        ("lines_vs_read", 20.0, 10.0, False),
        ("lines_vs_read", 20.1, 10.0, True),
        ("vs_plain", 5.0, 10.0, False),
        ("vs_plain", 4.9, 10.0, True),
    ],
)
def test_a_ratio_is_worse_beyond_twice_the_one_on_record(
    name: str, found: float, recorded: float, is_worse: bool
) -> None:
    assert guard.is_worse(name, found, recorded) is is_worse


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Guard one ratio, 10 on record; the test says what each measurement finds."""
    found: list[float] = []
    monkeypatch.setattr(guard, "GUARDED", {"one": ("mine_vs_other",)})
    monkeypatch.setattr(guard, "FAMILIES", {"one": lambda _: measured([], []).comparison})
    monkeypatch.setattr(guard, "on_record", lambda: {"mine_vs_other": 10.0})
    monkeypatch.setattr(guard, "measure", lambda *_: measured([found.pop(0)], [1]))
    yield found
    assert not found, "measured too seldom"


def test_every_guarded_ratio_is_on_record() -> None:
    assert {ratio for ratios in guard.GUARDED.values() for ratio in ratios} <= guard.on_record().keys()


def test_the_guard_passes_what_is_as_on_record(guarded: list[float], tmp_path) -> None:
    guarded += [20.0]
    assert guard.guard(tmp_path) == 0


def test_the_guard_measures_again_before_it_fails(guarded: list[float], tmp_path) -> None:
    guarded += [30.0, 11.0]
    assert guard.guard(tmp_path) == 0


def test_the_guard_fails_what_is_worse_twice(guarded: list[float], tmp_path, capsys) -> None:
    guarded += [30.0, 25.0]
    assert guard.guard(tmp_path) == 1
    assert "mine_vs_other 25, on record 10: more than 2 times worse" in capsys.readouterr().out
