"""The strokes of the figures: scales, tooltips and what a drawing must not let through."""

import re

import polars as pl
import pytest

from crlm_pipeline.report import drawing, figures, over_time
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


def test_a_centre_lies_outside_the_limits_that_chance_leaves_one_in_forty_beyond() -> None:
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


def tips(svg: str) -> list[str]:
    return re.findall(r"<title>([^<]*)</title>", svg)


def test_a_survival_curve_has_a_point_for_each_month_that_is_known_and_none_between() -> None:
    frame = pl.DataFrame(
        {
            "line": ["a", "a", "b"],
            "month": [0, 12, 0],
            "percent": [100.0, 81.0, 100.0],
            "ci_low": [100.0, 70.0, None],
            "ci_high": [100.0, 90.0, None],
        }
    )
    svg = over_time.survival(frame, {"a": figures.TEAL, "b": figures.GREY})
    assert tips(svg) == [
        "a, 0 months: 100 % (100\u2013100)",
        "a, 12 months: 81 % (70\u201390)",
        "b, 0 months: 100 %",
    ]


def test_a_process_chart_draws_a_hidden_rate_as_a_stroke_and_an_unknown_one_not_at_all() -> None:
    frame = pl.DataFrame(
        {
            "period": ["2020", "2021", "2022", "2023"],
            "is_baseline": [True, True, False, False],
            "least": [80.0, 90.0, None, 60.0],
            "most": [80.0, 97.0, None, 60.0],
            "low": [70.0, 70.0, None, 70.0],
            "high": [95.0, 95.0, None, 95.0],
            "signal": ["Within the limits", "Within the limits", "Within the limits", "Beyond the limits"],
        }
    )
    svg = over_time.process_chart(frame, 82.0)
    assert tips(svg) == [
        "2020: 80.0 %. Within the limits",
        "2021: 90.0 to 97.0 %. Within the limits",
        "2023: 60.0 %. Beyond the limits",
    ]
    assert re.findall(r'<circle[^>]*class="fill-([a-z]+)"', svg) == ["teal", "red"]
    assert [year for year in ("2020", "2021", "2022", "2023") if f">{year}</text>" in svg] == frame["period"].to_list()


def test_shares_before_and_after_a_change_stand_at_their_days_with_the_change_between() -> None:
    frame = pl.DataFrame(
        {
            "period": ["2020-01-01", "2022-01-01"],
            "percent": [20.0, 60.0],
            "ci_low": [10.0, 50.0],
            "ci_high": [30.0, 70.0],
        }
    )
    svg = over_time.before_and_after(frame, "2021-01-01", "% given")
    assert [tip for tip in tips(svg) if tip != "2021-01-01"] == [
        "2020-01-01: 20.0 % (10.0\u201330.0)",
        "2022-01-01: 60.0 % (50.0\u201370.0)",
    ]
    first, second = (float(x) for x in re.findall(r'<circle cx="([\d.]+)"', svg))
    change = float(re.findall(r'<line x1="([\d.]+)"[^>]*stroke-dasharray', svg)[-1])
    assert first < change < second
    assert change - first == pytest.approx((second - first) * 366 / 731, abs=0.2)
