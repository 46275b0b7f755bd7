"""The disclosure plan, tested by an attacker who knows every sum and the meaning of the marks."""

import itertools
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from crlm_pipeline.disclosure import Counts, Margin, Nested, SafeTable, Subset, protect
from crlm_pipeline.witnesses import Unknowns, without_witness

THRESHOLD = 5
RATE = 10


def table(rows: Sequence[tuple[str | None, ...]], *dimensions: str, name: str = "t", margins: bool = True) -> Counts:
    frame = pl.DataFrame(rows, schema={**dict.fromkeys(dimensions, pl.String), "n": pl.Int64}, orient="row")
    sums = tuple(Margin((dimension,)) for dimension in dimensions) if margins else ()
    return Counts(name, "patient", frame, sums)


def published(*tables: Counts) -> dict[str, SafeTable]:
    return protect(tables, threshold=THRESHOLD, smallest_rate=RATE)


def shown(safe: SafeTable) -> list[str]:
    return safe.frame["shown"].to_list()


@pytest.mark.parametrize(("n", "text"), [(0, "0"), (1, "<5"), (4, "<5"), (5, "5"), (6, "6")])
def test_a_count_is_shown_from_the_threshold_on_and_a_zero_always(n: int, text: str) -> None:
    assert shown(published(table([("a", n)], "centre"))["t"]) == [text]


def test_a_small_count_cannot_be_had_by_subtraction_from_its_total() -> None:
    safe = published(table([("a", 3), ("b", 9), ("c", 40), (None, 52)], "centre"))["t"]
    assert shown(safe) == ["<5", "hidden", "40", "52"]
    assert safe.frame["n"].to_list() == [None, None, 40, 52]


def test_a_remainder_that_is_not_printed_is_protected_too() -> None:
    """48 of 50: the two others are not in the table, but everybody can count."""
    safe = published(table([("yes", 48), (None, 50)], "answer"))["t"]
    assert shown(safe) == ["hidden", "50"]
    assert shown(published(table([("yes", 45), (None, 50)], "answer"))["t"]) == ["45", "50"]


def test_two_small_counts_do_not_protect_each_other_when_their_sum_leaves_one_solution() -> None:
    assert shown(published(table([("a", 1), ("b", 1), ("c", 20), (None, 22)], "centre"))["t"])[2] == "hidden"
    assert shown(published(table([("a", 4), ("b", 4), ("c", 20), (None, 28)], "centre"))["t"])[2] == "hidden"
    assert shown(published(table([("a", 2), ("b", 3), ("c", 20), (None, 25)], "centre"))["t"])[2] == "20"


def test_a_total_of_ones_is_hidden_without_saying_that_its_parts_are_small() -> None:
    safe = published(table([*((centre, 1) for centre in "abcd"), (None, 4)], "centre"))["t"]
    assert set(shown(safe)) == {"hidden"}


def test_a_cell_is_hidden_in_every_table_it_stands_in() -> None:
    by_centre = table([("a", 3), ("b", 9), ("c", 40), (None, 52)], "centre", name="by centre")
    again = table([("a", 3), ("b", 9)], "centre", name="again", margins=False)
    assert shown(published(by_centre, again)["again"]) == ["<5", "hidden"]


def test_a_subset_cannot_be_had_by_subtraction_from_the_set_around_it() -> None:
    """41 RAS mutant and 38 KRAS mutant leave three with NRAS alone."""
    frame = table([("ras", 41), ("kras", 38)], "gene", margins=False).frame
    nested = Counts("t", "patient", frame, subsets=(Subset({"gene": "kras"}, {"gene": "ras"}),))
    assert shown(published(nested)["t"]) == ["41", "hidden"]


def member(n: int) -> Counts:
    return Counts("members", "member", pl.DataFrame({"centre": ["a"], "indicator": ["P2"], "n": [n]}))


NESTED = (Nested("member", ({"indicator": "P2"},), "patient", {}, by=("centre",)),)


@pytest.mark.parametrize(("inside", "around", "texts"), [(46, 50, ["hidden"]), (45, 50, ["45"]), (50, 50, ["50"])])
def test_what_is_left_beside_a_part_that_is_counted_as_something_else_is_protected(
    inside: int, around: int, texts: list[str]
) -> None:
    """46 of the 50 patients of a centre are members of an indicator: four are not."""
    patients = Counts("patients", "patient", pl.DataFrame({"centre": ["a"], "n": [around]}), keep=pl.lit(True))
    safe = protect([member(inside), patients], NESTED, threshold=THRESHOLD, smallest_rate=RATE)
    assert shown(safe["members"]) == texts
    assert shown(safe["patients"]) == [str(around)]


def test_parts_that_exceed_the_whole_are_not_compared() -> None:
    patients = table([("a", 48)], "centre", name="patients")
    safe = protect([member(50), patients], NESTED, threshold=THRESHOLD, smallest_rate=RATE)
    assert [*shown(safe["members"]), *shown(safe["patients"])] == ["50", "48"]


def test_counts_that_everybody_knows_to_be_equal_are_hidden_together() -> None:
    patients = table([("a", 9), ("b", 3), ("c", 40), (None, 52)], "centre", name="patients")
    safe = protect([member(9), patients], NESTED, threshold=THRESHOLD, smallest_rate=RATE)
    assert shown(safe["members"]) == ["hidden"]
    assert shown(safe["patients"]) == ["hidden", "<5", "40", "52"]


def test_with_a_threshold_of_two_a_mark_would_be_the_count_itself() -> None:
    counts = table([("a", 1), ("b", 9), (None, 10)], "centre")
    assert shown(protect([counts], threshold=2, smallest_rate=RATE)["t"])[:2] == ["hidden", "hidden"]


def test_with_a_threshold_of_one_nothing_is_hidden() -> None:
    counts = table([("a", 1), ("b", 2), (None, 3)], "centre")
    assert shown(protect([counts], threshold=1, smallest_rate=RATE)["t"]) == ["1", "2", "3"]


def test_a_solution_in_fractions_is_no_witness() -> None:
    """2a + 3b = 7 is solved by a = 1 and b = 5/3, but in whole numbers from 1 on by a = 2 and b = 1 alone."""
    pair = Unknowns(np.array([2, 1]), csr_array(np.array([[2, 3]])), np.array([1, 1]), np.array([50, 50]))
    assert without_witness(pair, np.array([True, True])).all()


def test_another_solution_in_whole_numbers_is_a_witness() -> None:
    """2a + 3b = 13 is solved by a = 5 and b = 1, and by a = 2 and b = 3."""
    pair = Unknowns(np.array([5, 1]), csr_array(np.array([[2, 3]])), np.array([1, 1]), np.array([50, 50]))
    assert not without_witness(pair, np.array([True, True])).any()


def test_equal_cells_with_different_counts_are_a_defect() -> None:
    with pytest.raises(AssertionError, match="more than one count"):
        published(table([("a", 30)], "centre", name="one"), table([("a", 31)], "centre", name="two"))


def test_parts_beyond_their_total_are_a_defect() -> None:
    with pytest.raises(AssertionError, match="smaller than the sum"):
        published(table([("a", 30), (None, 20)], "centre"))


def test_a_safe_table_cannot_be_made_by_hand() -> None:
    with pytest.raises(AssertionError, match="protect"):
        SafeTable("t", pl.DataFrame({"n": [1]}), RATE, object())


@pytest.mark.parametrize(("total", "percent"), [(9, None), (10, 50.0)])
def test_a_rate_is_shown_from_its_smallest_denominator_on(total: int, percent: float | None) -> None:
    counts = table([("a", 5), (None, total)], "answer", margins=False)
    safe = published(counts)["t"]
    rates = safe.with_count("total", safe, answer=None).with_percent("total")
    assert rates.where(answer="a").frame["percent"].to_list() == [percent]


def test_a_rate_of_a_hidden_count_is_not_shown() -> None:
    safe = published(table([("yes", 48), (None, 50)], "answer"))["t"]
    row = safe.with_count("total", safe, answer=None).with_percent("total").where(answer="yes").frame.row(0, named=True)
    assert (row["n"], row["total"], row["percent"], row["ci_low"], row["ci_high"]) == (None, 50, None, None, None)


@pytest.mark.parametrize(("n", "median"), [(9, None), (10, 14.0)])
def test_a_median_is_shown_with_as_many_people_as_a_rate(n: int, median: float | None) -> None:
    frame = pl.DataFrame({"centre": ["a"], "n": [n], "days": [14.0]})
    safe = published(Counts("t", "test", frame, measures=("days",)))["t"]
    assert safe.frame["days"].to_list() == [median]


def test_a_count_is_asked_for_by_its_values_and_the_others_mean_all() -> None:
    safe = published(table([("a", "x", 7), ("a", None, 7), (None, None, 7)], "centre", "year"))["t"]
    assert safe.count(centre="a").text == "7"
    assert safe.count(centre="b").value == 0


def test_rows_are_found_by_their_values_in_their_order_and_none_stands_for_all() -> None:
    rows = [("a", "x", 7), (None, "x", 15), ("b", "x", 8), (None, "y", 9), ("b", "y", 9), (None, None, 24)]
    safe = published(table(rows, "centre", "year", margins=False))["t"]
    assert safe.where(centre="b").frame["year"].to_list() == ["x", "y"]
    assert safe.where(centre=None).frame["n"].to_list() == [15, 9, 24]
    assert safe.where(year="y", centre=None).frame["n"].to_list() == [9]
    assert safe.where(centre="c").frame.equals(safe.frame.clear())


def test_what_no_sum_lets_move_is_told_from_what_moves_beside_it() -> None:
    """By a + b = 5, 2a + b = 8 and b + c = 4 three counts are known; of c + d + e = 12 the other two are not."""
    sums = csr_array(np.array([[1, 1, 0, 0, 0], [2, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 1, 1, 1]]))
    cells = Unknowns(np.array([3, 2, 2, 4, 6]), sums, np.ones(5, dtype=np.int64), np.full(5, 50))
    assert without_witness(cells, np.full(5, fill_value=True)).tolist() == [True, True, True, False, False]


def test_a_table_that_came_in_pieces_is_whole_after_a_filter() -> None:
    """Polars 2.1 panics where text is put together and the first piece of a frame is empty."""
    pieces = table([("a", 10), ("b", 20), (None, 30)], "centre")
    more = table([("c", 30), ("d", 40)], "centre").frame
    whole = Counts("t", "patient", pl.concat([pieces.frame, more], rechunk=False))
    late = published(whole)["t"].filtered(pl.col("centre").is_in(["c", "d"]))
    assert late.map(lambda frame: frame.select(pl.format("{}: {}", "centre", "shown"))).frame.height == 2


def random_cube(seed: int) -> Counts:
    """A table of two or three dimensions with all its margins and counts that are often small."""
    generator = np.random.default_rng(seed)
    sizes = generator.integers(2, 4, size=generator.integers(1, 4))
    inner = generator.poisson(generator.choice([1.5, 4, 9, 30], size=tuple(sizes)))
    levels = [[*map(str, range(size)), None] for size in sizes]
    rows = []
    for place in itertools.product(*levels):
        index = tuple(slice(None) if level is None else int(level) for level in place)
        rows.append((*place, int(inner[index].sum())))
    return table(rows, *(f"d{number}" for number in range(len(sizes))))


def possible_values(counts: Counts, safe: SafeTable) -> list[tuple[str, float, float]]:
    """Return what a linear programme leaves open for each cell that is not shown: its text and its bounds."""
    cells = {tuple(row[:-1]): position for position, row in enumerate(counts.frame.iter_rows())}
    equations, sums = [], []
    for place, position in cells.items():
        for dimension in range(len(place)):
            if place[dimension] is not None:
                continue
            row = np.zeros(len(cells))
            row[position] = -1
            for part, at in cells.items():
                if part[dimension] is not None and (*part[:dimension], None, *part[dimension + 1 :]) == place:
                    row[at] = 1
            equations.append(row)
            sums.append(0)
    limits = {"<5": (1, THRESHOLD - 1), "hidden": (1, None)}
    bounds = [limits.get(text) or (int(text), int(text)) for text in shown(safe)]
    found = []
    for position, text in enumerate(shown(safe)):
        if text not in limits:
            continue
        goal = np.zeros(len(cells))
        goal[position] = 1
        low = linprog(goal, A_eq=np.array(equations), b_eq=sums, bounds=bounds)
        high = linprog(-goal, A_eq=np.array(equations), b_eq=sums, bounds=bounds)
        found.append((text, low.fun, np.inf if high.status == 3 else -high.fun))
    return found


@pytest.mark.parametrize("seed", range(200))
def test_an_attacker_cannot_pin_any_hidden_cell_to_one_value(seed: int) -> None:
    counts = random_cube(seed)
    safe = published(counts)["t"]
    for text, low, high in possible_values(counts, safe):
        assert high - low > 1 - 1e-6, (text, low, high)


def test_most_of_a_table_of_large_counts_stays_readable() -> None:
    rows = [(centre, 10 * (place + 2)) for place, centre in enumerate("abcdefgh")]
    counts = table([*rows, ("i", 2), (None, sum(n for _, n in rows) + 2)], "centre")
    assert shown(published(counts)["t"]).count("hidden") == 1


def test_the_same_counts_are_always_hidden_in_the_same_way() -> None:
    counts = random_cube(7)
    assert published(counts)["t"].frame.equals(published(counts)["t"].frame)
