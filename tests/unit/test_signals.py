"""Which centres stand out: both sides of each limit, both directions, and rates of which only a range is known."""

import polars as pl
import pytest

from crlm_pipeline.signals import expected_by_chance, placed, tallied


def centre(met: int, total: int = 20, most: int | None = None) -> pl.DataFrame:
    """Return a centre with so many of `total`; with `most`, hidden between the two."""
    return pl.DataFrame(
        {
            "n": [None if most is not None else met],
            "total": [total],
            "least": [100 * met / total],
            "most": [100 * (met if most is None else most) / total],
        },
        schema_overrides={"n": pl.Int64},
    )


# At a rate of one half chance gives a centre of 20 at most 5 in 2.07 %, at most 6 in 5.8 %, at most 2 in 0.02 % and at
# most 3 in 0.13 % of samples (binomial); the other side is the same.
@pytest.mark.parametrize(
    ("met", "beyond", "up", "down", "none"),
    [
        (2, "99.8", "worse", "better", "lower"),
        (3, "95", "worse", "better", "lower"),
        (5, "95", "worse", "better", "lower"),
        (6, None, None, None, None),
        (14, None, None, None, None),
        (15, "95", "better", "worse", "higher"),
        (17, "95", "better", "worse", "higher"),
        (18, "99.8", "better", "worse", "higher"),
    ],
)
def test_a_centre_is_placed_by_the_limits_and_the_direction(
    met: int, beyond: str | None, up: str | None, down: str | None, none: str | None
) -> None:
    for direction, side in (("up", up), ("down", down), ("none", none)):
        assert placed(centre(met), 50.0, direction).select("beyond", "side").row(0) == (beyond, side)


@pytest.mark.parametrize(
    ("least", "most", "beyond"),
    [(0, 2, "99.8"), (1, 3, "95"), (2, 5, "95"), (4, 6, None), (14, 15, None), (0, 20, None)],
)
def test_a_hidden_rate_lies_outside_only_if_all_that_it_may_be_does(least: int, most: int, beyond: str | None) -> None:
    found = placed(centre(least, most=most), 50.0, "up")
    assert found["beyond"].to_list() == [beyond]
    assert (found["side"].to_list() == ["worse"]) == (beyond is not None)


def test_where_centres_vary_more_than_chance_the_limits_may_allow_for_it() -> None:
    centres = pl.concat(centre(met, 100) for met in (20, 35, 50, 65, 80))
    alarms = {
        kind: placed(centres, 50.0, "up", kind).filter(pl.col("beyond") == "99.8").height
        for kind in ("none", "multiplicative", "additive")
    }
    assert alarms == {"none": 2, "multiplicative": 0, "additive": 0}


def test_a_tally_counts_alarms_among_the_alerts_and_keeps_the_order_of_the_measures() -> None:
    parts = [
        placed(pl.concat(centre(met) for met in (2, 3, 10, 18)), 50.0, "up").with_columns(
            measure=pl.lit("second name")
        ),
        placed(centre(18), 50.0, "none").with_columns(measure=pl.lit("a first name")),
    ]
    found = tallied(pl.concat(parts))
    assert found.columns == ["measure", "compared", "worse_95", "better_95", "worse_998", "better_998"]
    assert found.rows() == [("second name", 4, 2, 1, 1, 1), ("a first name", 1, 0, 1, 0, 1)]


def test_chance_alone_puts_one_comparison_in_five_hundred_beyond_99_8_percent() -> None:
    assert expected_by_chance(500, "99.8") == pytest.approx(1.0)
    assert expected_by_chance(500, "95") == pytest.approx(25.0)
