"""Counts that leave: small ones of people are not shown, nor those that would give one away."""

import pytest

from flows.counts import in_words, shown


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, None), (4, None), (5, 5)])
def test_a_count_of_people_is_shown_if_it_is_none_or_a_handful(count: int, told: int | None) -> None:
    assert shown({"patients": count, "whatever_is_new": count}) == {"patients": told, "whatever_is_new": told}


def test_what_counts_rows_or_files_is_shown() -> None:
    counts = {"rows_rejected": 1, "cells_rejected": 2, "files": 3, "pages": 4}
    assert shown(counts) == counts


@pytest.mark.parametrize(("part", "told"), [(100, 100), (96, None), (95, 95)])
def test_a_part_that_leaves_a_few_is_not_shown(part: int, told: int | None) -> None:
    counts = {"patients": 100, "metastatic_patients": part, "crlm_patients": 50}
    assert shown(counts) == {"patients": 100, "metastatic_patients": told, "crlm_patients": 50}


def test_in_words() -> None:
    assert (in_words(None), in_words(1234)) == ("<5", "1,234")
