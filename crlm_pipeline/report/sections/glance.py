"""The report in six numbers, and where to look first."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeCount, SafeTable, plain
from crlm_pipeline.report.fragments import Card, Section, Table
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.sections import process_chart
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import listed, percent, words

_FEWEST: Final = 3
# Causes that name no fact; see `sql/report/departures.sql`.
_UNNAMED: Final = ("no single fact", "three facts or more")


def section(registry: Registry, centre: str | None) -> Section:
    """Return the first numbers that a board asks for: who, how many decisions, followed or not, harm, tests."""
    judged = registry.verdicts(centre, is_judged="yes")
    concordant = registry.verdicts(centre, is_judged="yes", **{"class": registry.followed})
    followed = registry.share([concordant], [judged])
    sentence = (
        f"{registry.headline_name} was followed in {percent(followed)} of the decisions that could be judged."
        if followed is not None
        else f"Too few decisions could be judged by {registry.headline_name} to state how often it was followed."
    )
    cards = (
        _patients(registry, centre),
        _decisions(registry, centre, judged),
        Card(percent(followed), "of judged decisions concordant", bounds(registry, centre), "concordance"),
        _unknown(registry, centre),
        _contraindicated(registry, centre, judged),
        _tests(registry, centre),
    )
    return Section("glance", "At a glance", sentence, (_first(registry, centre),), cards)


def bounds(registry: Registry, centre: str | None) -> str:
    """Return the range of the rate of concordance if every decision that is not evaluable went one way or the other."""
    concordant, unknown = (
        registry.verdicts(centre, is_judged="yes", **{"class": registry.followed}),
        registry.verdicts(centre, is_judged="no", **{"class": "not_evaluable"}),
    )
    judged = registry.verdicts(centre, is_judged="yes")
    worst = registry.share([concordant], [judged, unknown])
    best = registry.share([concordant, unknown], [judged, unknown])
    if worst is None or best is None:
        return ""
    return f"between {percent(worst)} and {percent(best)}, whatever the missing facts are"


def _patients(registry: Registry, centre: str | None) -> Card:
    patients = registry.tables["patients"]
    crlm = patients.count(centre_id=centre, is_metastatic="yes", is_crlm="yes")
    note = f"of {patients.count(centre_id=centre).text} reported"
    if centre is None:
        note += f" by {len(registry.codes)} centre{'s' if len(registry.codes) != 1 else ''}"
    return Card(crlm.text, "patients with liver metastases", note, "cohort")


def _decisions(registry: Registry, centre: str | None, judged: SafeCount) -> Card:
    total = registry.verdicts(centre)
    return Card(judged.text, "decisions judged", f"of {total.text} treatment decisions", "concordance")


def _unknown(registry: Registry, centre: str | None) -> Card:
    unknown = registry.verdicts(centre, is_judged="no", **{"class": "not_evaluable"})
    rate = registry.share([unknown], [registry.verdicts(centre)])
    note = "a fact is missing" + ("" if rate is None else f"; {percent(rate)} of all decisions")
    return Card(unknown.text, "decisions not evaluable", note, "departures")


def _contraindicated(registry: Registry, centre: str | None, judged: SafeCount) -> Card:
    given = registry.verdicts(centre, is_judged="yes", **{"class": "contraindicated"})
    rate = registry.share([given], [judged])
    note = "" if rate is None else f"{percent(rate)} of those judged"
    return Card(given.text, "contraindicated treatments", note, "safety")


def _tests(registry: Registry, centre: str | None) -> Card:
    return Card(
        percent(tests_in_time(registry, centre)),
        "of required tests in time",
        "known by the day they were due",
        "testing",
    )


def tests_in_time(registry: Registry, centre: str | None) -> float | None:
    """Return the percentage of required tests that were known in time, of the tests for which both may be shown."""
    asked = _asked(registry).where(centre_id=centre)
    both = [pair for pair in zip(asked.frame["n"], asked.frame["in_time"], strict=True) if None not in pair]
    total, in_time = sum(n for n, _ in both), sum(n for _, n in both)
    return 100 * in_time / total if total >= max(asked.smallest_rate, 1) else None


@lru_cache(maxsize=1)
def _asked(registry: Registry) -> SafeTable:
    """Return the required tests by analyte, with those `in_time` and `missing`, by centre and for all."""
    asked = registry.tables["required_tests"]
    required = asked.where(is_required="yes", status=None)
    return (
        required.with_count("in_time", asked, is_required="yes", status="in_time")
        .with_count("missing", asked, is_required="yes", status="missing")
        .with_percent("n", "missing")
    )


def _first(registry: Registry, centre: str | None) -> Table:
    """Return what a reader should look at first, each with the place that tells more."""
    rows = [
        (topic, what, place, f"#{anchor}" if centre is not None else f"{page}.html#{anchor}")
        for topic, what, place, page, anchor in _worth_a_look(registry, centre)
    ]
    names = ("topic", "what", "where", "where_href")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    headings = {"topic": "Topic", "what": "What was found", "where": "More"}
    caption = "Where to look first."
    return table(plain("look_first", frame), headings, caption, text=("what", "where"), links={"where": "where_href"})


def _worth_a_look(registry: Registry, centre: str | None) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield topic, finding, and the name, page and anchor of where it stands."""
    yield ("Tests", _missing_tests(registry, centre), "Tests in time", "testing", "testing")
    yield ("Missing facts", _unlocking(registry, centre), "Why not?", "departures", "departures")
    yield ("Safety", _safety(registry, centre), "Safety findings", "safety", "safety")
    if moved := _moved(registry, centre):
        yield ("Change", moved, "Over time", "indicators", "process-charts")
    yield ("Data", _data(registry, centre), "Data quality", "quality", "quality")
    unsigned = registry.editions["is_signed"].not_().sum()
    signed = f"{unsigned} of the {registry.editions.height} editions in use are not signed by a clinician."
    yield ("Editions", signed if unsigned else "Every edition in use is signed.", "Methods", "methods", "methods")


@lru_cache(maxsize=1)
def _missing(registry: Registry) -> SafeTable:
    """Return the tests that are missing at times, the most often missing first, by centre and for all."""
    is_known = pl.col("percent").is_not_null() & (pl.col("missing") > 0)
    asked = _asked(registry).each("analyte").filtered(is_known)
    return asked.map(lambda frame: frame.sort("percent", "analyte", descending=[True, False]))


def _missing_tests(registry: Registry, centre: str | None) -> str:
    worst = _missing(registry).where(centre_id=centre).frame.head(_FEWEST)
    told = [
        f"{words(analyte)} {percent(share)}" for analyte, share in zip(worst["analyte"], worst["percent"], strict=True)
    ]
    return f"Missing most often: {listed(told)} of those required." if told else "No test stands out as missing."


@lru_cache(maxsize=1)
def _named_causes(registry: Registry) -> SafeTable:
    """Return the facts whose want kept decisions from being judged, the most frequent first, by centre and for all."""
    is_named = ~pl.col("cause").is_in(_UNNAMED) & pl.col("n").is_not_null()
    causes = registry.tables["departures"].where(**{"class": "not_evaluable"}).each("cause").filtered(is_named)
    return causes.map(lambda frame: frame.sort("n", "cause", descending=[True, False]))


def _unlocking(registry: Registry, centre: str | None) -> str:
    known = _named_causes(registry).where(centre_id=centre).frame
    if known.is_empty():
        return "No single fact stands out."
    cause, shown = known["cause"][0], known["shown"][0]
    facts = listed([words(fact) for fact in cause.split(" + ")])
    return f"Knowing {facts} would decide {shown} decisions, more than anything else."


@lru_cache(maxsize=1)
def _fired(registry: Registry) -> SafeTable:
    return registry.tables["safety"].filtered(pl.col("finding") != "cannot_be_checked")


def _safety(registry: Registry, centre: str | None) -> str:
    fired = _fired(registry).where(centre_id=centre).frame["safety_rule"].n_unique()
    return f"{fired} safety rule{'s' if fired > 1 else ''} fired at least once." if fired else "No safety rule fired."


def _moved(registry: Registry, centre: str | None) -> str:
    """Return which indicators have left the limits of their first years; nothing where none is followed over time."""
    moved, charts = process_chart.moved(registry, centre)
    if not charts:
        return ""
    verb = "has left the limits of its" if len(moved) <= 1 else "have left the limits of their"
    return f"Of {charts} indicators followed over time {listed(moved or ['none'])} {verb} first years."


def _data(registry: Registry, centre: str | None) -> str:
    ledger = registry.tables["ledger"]
    read, rejected = ledger.count(centre_id=centre), ledger.count(centre_id=centre, outcome="rejected")
    findings = registry.tables["findings"]
    found, new = findings.where(centre_id=centre), findings.where(centre_id=centre, state="new")
    told = f"{found.frame.height} findings, {new.frame.height} of them new"
    return f"{rejected.text} of {read.text} rows set aside; {told}."
