from bench.page import CHART, PAGE, chart, measured_part, page_text
from bench.results import read_results
from bench.targets import TARGETS, Target


def test_the_page_is_what_the_results_on_record_make() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page_text(page, read_results()) == page, "run `python -m bench.page`"
    assert CHART.read_text(encoding="utf-8") == chart(read_results()) + "\n", "run `python -m bench.page`"


def test_a_missed_target_says_why() -> None:
    results = [
        {
            "patients": 1_000_000,
            "date": "2026-01-01",
            "machine": "m",
            "pairs": {"a": 5, "b": 1},
            "ratios": {"annotate_vs_scan": 2.1, "vs_plain": 90},
        }
    ]
    text = measured_part(results)
    assert "medians of 1 to 5 rounds" in text
    missed = next(target for target in TARGETS if target.name == "annotate_vs_scan")
    assert f"| at most 2 | 2.1 | no. {missed.because} |" in text
    assert "| at least 90 | 90 | yes |" in text


def test_a_bound_is_met_at_its_edge() -> None:
    assert Target("x", "", 2).is_met(2)
    assert not Target("x", "", 2).is_met(2.01)
    assert Target("x", "", 2, is_floor=True).is_met(2)
    assert not Target("x", "", 2, is_floor=True).is_met(1.99)
