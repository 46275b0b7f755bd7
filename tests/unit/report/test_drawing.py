"""The strokes of the figures: scales, tooltips and what a drawing must not let through."""

import re

import polars as pl
import pytest

from crlm_pipeline.report import drawing, figures
from crlm_pipeline.report.drawing import Scale


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0, 100, 5, [0, 20, 40, 60, 80, 100]),
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (63, 100, 4, [70, 80, 90, 100]),
        (0, 39, 5, [0, 10, 20, 30]),
        (0, 12, 6, [0, 2, 4, 6, 8, 10, 12]),
        (5, 5, 5, [5, 5.2, 5.4, 5.6, 5.8, 6]),
    ],
)
def test_an_axis_has_round_values_within_its_scale(low: float, high: float, most: int, ticks: list[float]) -> None:
    assert Scale(low, high, 0, 1).ticks(most) == ticks[: len(Scale(low, high, 0, 1).ticks(most))]
    assert len(Scale(low, high, 0, 1).ticks(most)) == sum(value <= high for value in ticks)


def test_a_value_stands_in_proportion_between_the_ends_of_its_scale() -> None:
    assert [Scale(0, 200, 50, 450).at(value) for value in (0, 50, 200)] == [50, 150, 450]
    assert Scale(0, 100, 300, 0).at(25) == 225


def test_labels_and_tooltips_are_text_whatever_they_hold() -> None:
    frame = pl.DataFrame({"row": ['<b>"&'], "value": [3], "text": ["<script>"]})
    svg = figures.bars(frame, "a < b")
    assert "<b>" not in svg
    assert "<script>" not in svg
    assert "&lt;b&gt;&quot;&amp;: &lt;script&gt;" in svg
    assert "a &lt; b" in svg


def points(*rates: tuple[str, int, float | None]) -> pl.DataFrame:
    names = {"label": pl.String, "total": pl.Int64, "percent": pl.Float64}
    return pl.DataFrame(rates, schema=names, orient="row").with_columns(
        least=pl.when(pl.col("percent").is_null()).then(90.0), most=pl.when(pl.col("percent").is_null()).then(98.0)
    )


def test_beyond_an_upper_limit_is_a_count_that_even_one_less_would_be() -> None:
    # Of 10 at a rate of one half, P(X <= 1) = 11/1024 = 0.0107 and P(X <= 2) = 56/1024 = 0.0547: chance leaves 1 to the
    # 2.5 % below, but not 2; by symmetry it leaves 9 to those above, but not 8.
    placed = figures.standings(points(("a", 10, 10.0), ("b", 10, 20.0), ("c", 10, 80.0), ("d", 10, 90.0)), 50, 0.95)
    assert placed == {"a": -1, "b": 0, "c": 0, "d": 1}


def test_a_funnel_names_few_centres_or_else_those_outside_the_alarm_limits() -> None:
    few = figures.funnel(points(("C01", 50, 80.0), ("C02", 60, 82.0)), None, 81, "% met")
    assert ">C01</text>" in few
    many = [(f"C{number:02}", 100, 80.0) for number in range(1, 30)]
    svg = figures.funnel(points(*many, ("C30", 100, 40.0)), None, 79, "% met")
    assert re.findall(r">(C\d\d)</text>", svg) == ["C30"]


def test_the_centre_of_a_page_is_named_and_drawn_last_and_apart() -> None:
    svg = figures.funnel(points(("C01", 50, 80.0), ("C02", 60, 82.0), ("C03", 40, None)), "C01", 81, "% met")
    assert re.findall(r">(C\d\d)</text>", svg) == ["C01"]
    dots = re.findall(r'<circle[^>]*class="fill-([a-z-]+)"[^>]*><title>(C\d\d)', svg)
    assert dots == [("pale-grey", "C02"), ("teal", "C01")]
    assert "C03: 90.0 to 98.0 % of 40" in svg


def test_a_strip_is_empty_where_the_percentage_is_not_shown() -> None:
    assert figures.interval_strip(None, None, None, 90) == ""
    assert figures.interval_strip(50, 40, 60).count("<line") == 2
    assert figures.interval_strip(50, 40, 60, 90).count("<line") == 3


def test_a_legend_breaks_into_rows_where_it_is_too_wide() -> None:
    entries = [(drawing.square(drawing.TEAL), "word " * 8)] * 3
    _, below = drawing.legend(entries, 0, 640, 10)
    assert below == 10 + 2 * 20 + 24
