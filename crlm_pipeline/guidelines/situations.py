"""Numbers the distinct treatments and patient profiles among decisions, so that each is looked at once."""

from collections.abc import Iterable, Mapping
from datetime import date

import polars as pl

from crlm_pipeline.guidelines.evaluation import Situations
from crlm_pipeline.guidelines.load import Knowledge, Series, is_active
from crlm_pipeline.guidelines.patterns import Tokens, expand_alternatives, tokens
from crlm_pipeline.guidelines.standing import Given, Profile, contraindicated_drugs

_GIVEN = ("treatment", "setting", "is_open")
_PROFILE = ("contraindications", "dpd", "failed_classes", "prior_anti_egfr", "label_state")


def number_situations(decisions: pl.DataFrame, knowledge: Knowledge) -> tuple[pl.DataFrame, Situations]:
    """Return the decisions with `given_no` and `profile_no`, and what the numbers stand for."""
    unavailable = _LabelStates(knowledge)
    frame = decisions.with_columns(
        unavailable.state().alias("label_state"),
        pl.col("contraindications").list.sort(),
        pl.col("failed_classes").list.sort(),
        prior_anti_egfr=pl.col("prior_anti_egfr").fill_null(value=False),
    )
    frame, given = _numbered(frame, _GIVEN, "given_no")
    frame, profiles = _numbered(frame, _PROFILE, "profile_no")
    read = [_profile(row, unavailable.drugs) for row in profiles.iter_rows(named=True)]
    distinct = list(dict.fromkeys([Profile(), *(_comparable(profile) for profile in read)]))
    renumber = pl.Series([distinct.index(_comparable(profile)) for profile in read], dtype=pl.UInt32)
    frame = frame.with_columns(renumber.gather(frame.get_column("profile_no")).alias("profile_no"))
    return frame.drop("label_state"), Situations(
        given=tuple(
            Given(tokens(row["treatment"]), row["setting"], row["is_open"]) for row in given.iter_rows(named=True)
        ),
        profiles=tuple(distinct),
    )


def _numbered(frame: pl.DataFrame, columns: Iterable[str], name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    columns = list(columns)
    distinct = frame.select(columns).unique(maintain_order=True).with_row_index(name)
    numbered = frame.join(distinct, on=columns, how="left", nulls_equal=True, maintain_order="left")
    return numbered, distinct.select(columns)


def _comparable(profile: Profile) -> Profile:
    """Return the profile without what cannot matter, so that a patient from whom nothing is removed is plain."""
    if profile.failed:
        return profile
    return Profile(profile.contraindicated, frozenset(), had_anti_egfr=False, unavailable=profile.unavailable)


def profile_of(row: Mapping[str, object], unavailable: Tokens) -> Profile:
    """Return the profile of one decision."""
    recorded = {str(item) for item in row["contraindications"] or ()}  # type: ignore[attr-defined]  # a list column
    if row["dpd"] == "complete":
        recorded.add("dpd_complete")
    return _comparable(
        Profile(
            contraindicated=frozenset[str]().union(*map(contraindicated_drugs, sorted(recorded))),
            failed=frozenset(map(str, row["failed_classes"] or ())),  # type: ignore[call-overload]  # a list column
            had_anti_egfr=bool(row["prior_anti_egfr"]),
            unavailable=unavailable,
        )
    )


def _profile(row: Mapping[str, object], drugs: list[Tokens]) -> Profile:
    return profile_of(row, drugs[int(str(row["label_state"]))])


def unavailable_drugs(knowledge: Knowledge, country: str, day: date) -> Tokens:
    """Return the drugs that a label series of the country lists and that had no wording in force on the day."""
    return frozenset[str]().union(
        *(_without_wording(series, day) for series in _labels(knowledge) if series.applies_in(country))
    )


def _labels(knowledge: Knowledge) -> list[Series]:
    return [series for series in knowledge.series.values() if series.kind == "label"]


def _without_wording(series: Series, day: date) -> Tokens:
    listed = {
        inn for e in series.editions for drug in e.listed_drugs for each in expand_alternatives(drug) for inn in each
    }
    covered = {
        inn
        for edition in series.editions
        for wording in edition.wordings
        if is_active(wording, day)
        for each in expand_alternatives(wording.drug)
        for inn in each
    }
    return frozenset(listed - covered)


class _LabelStates:
    """Numbers the sets of unavailable drugs: they change only with the country and on the days of a new wording."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.drugs: list[Tokens] = [frozenset()]
        self._spans: list[tuple[Series, date, int]] = []
        for series in _labels(knowledge):
            for day in [date.min, *series.changes]:
                self.drugs.append(_without_wording(series, day))
                self._spans.append((series, day, len(self.drugs) - 1))

    def state(self) -> pl.Expr:
        """Return the number of the set for each decision; 0 where no label series applies."""
        number = pl.lit(0, pl.UInt32)
        for series, day, state in self._spans:
            applies = pl.col("country").is_in(list(series.countries)) & (pl.col("decision_date") >= day)
            number = pl.when(applies).then(pl.lit(state, pl.UInt32)).otherwise(number)
        return number
