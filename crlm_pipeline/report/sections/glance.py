"""The report in five numbers."""

from crlm_pipeline.disclosure import SafeCount, SafeTable
from crlm_pipeline.report.fragments import Card, Section
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.words import percent


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
    return Section(
        id="glance",
        title="At a glance",
        sentence=sentence,
        cards=(
            _patients(registry, centre),
            _decisions(registry, centre, judged),
            Card(percent(followed), "of judged decisions concordant", bounds(registry, centre)),
            _contraindicated(registry, centre, judged),
            _tests(registry, centre),
        ),
    )


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
    return Card(crlm.text, "patients with liver metastases", f"of {patients.count(centre_id=centre).text} reported")


def _decisions(registry: Registry, centre: str | None, judged: SafeCount) -> Card:
    total = registry.verdicts(centre)
    return Card(judged.text, "decisions judged", f"of {total.text} treatment decisions")


def _contraindicated(registry: Registry, centre: str | None, judged: SafeCount) -> Card:
    given = registry.verdicts(centre, is_judged="yes", **{"class": "contraindicated"})
    rate = registry.share([given], [judged])
    note = "" if rate is None else f"{percent(rate)} of those judged"
    return Card(given.text, "contraindicated treatments", note)


def _tests(registry: Registry, centre: str | None) -> Card:
    asked = registry.tables["required_tests"].where(centre_id=centre).each("analyte")
    return Card(percent(tests_in_time(asked)), "of required tests in time", "known by the day they were due")


def tests_in_time(asked: SafeTable) -> float | None:
    """Return the percentage of required tests that were known in time, of the tests for which both may be shown."""
    required = asked.where(is_required="yes", status=None)
    both = required.with_count("in_time", asked, is_required="yes", status="in_time").frame.drop_nulls(["n", "in_time"])
    total, in_time = sum(both["n"]), sum(both["in_time"])
    return 100 * in_time / total if total >= max(asked.smallest_rate, 1) else None
