"""Situations that show what this software does; `docs/showcases.md` is generated from them, and tests assert them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from crlm_pipeline.guidelines.explain import EditionAnswer, example_decision, judge_decision
from crlm_pipeline.guidelines.load import Knowledge
from crlm_pipeline.guidelines.verdicts import KINDNESS


@dataclass(frozen=True, slots=True)
class Showcase:
    """One decision, held against one series on some days, with variations of its facts."""

    title: str
    guideline: str
    given: str
    facts: Mapping[str, object]
    days: tuple[date, ...]
    country: str = "ZZ"
    variations: tuple[Mapping[str, object], ...] = field(default=({},))


@dataclass(frozen=True, slots=True)
class Shown:
    """A verdict of a showcase; `is_older`: the older edition was kept within the grace period."""

    day: date
    variation: Mapping[str, object]
    edition_id: str
    verdict: str
    rule_id: str | None
    is_older: bool
    missing: tuple[str, ...]


_FIRST_LINE = {"setting": "systemic", "line": 1, "fitness": "fit", "age": 60}
_WILD_TYPE = {"msi": "mss", "ras": "wild_type", "braf": "wild_type", "kras_g12c": False, "kras_g12d": False}
_V600E = {"msi": "mss", "ras": "wild_type", "braf": "v600e", "side": "right"}
_RESECTABLE = {"setting": "local", "treatment_setting": "resectable", "resectability": "upfront"}
_MAJOR = {**_RESECTABLE, "planned_resection": "major", "is_unaugmented_major_resection": True}
_SMALL = {
    **_RESECTABLE,
    "planned_resection": "minor",
    "is_unaugmented_major_resection": False,
    "crlm_count": 3,
    "crlm_max_mm": 22,
    "is_ablatable": True,
    "is_liver_only": True,
    "ecog": 0,
    "fitness": "fit",
}

SHOWCASES = (
    Showcase(
        "Right-sided RAS wild-type disease on FOLFOX and cetuximab, as the edition changes",
        "esmo",
        "folfox + cetuximab",
        _FIRST_LINE | _WILD_TYPE | {"side": "right", "treatment_setting": "unresectable"},
        (date(2022, 10, 24), date(2022, 12, 1), date(2023, 1, 22), date(2023, 1, 23)),
    ),
    Showcase(
        "First-line encorafenib, cetuximab and FOLFOX in the United States",
        "fda",
        "encorafenib + cetuximab + folfox",
        _FIRST_LINE | _V600E,
        (date(2024, 12, 19), date(2024, 12, 20)),
        country="US",
    ),
    Showcase(
        "The same in France",
        "ema",
        "encorafenib + cetuximab + folfox",
        _FIRST_LINE | _V600E,
        (date(2024, 12, 19), date(2024, 12, 20)),
        country="FR",
    ),
    Showcase(
        "Microsatellite status unknown, and then known",
        "esmo",
        "folfox + bevacizumab",
        _FIRST_LINE | {"ras": "mutant", "braf": "wild_type", "side": "left"},
        (date(2023, 6, 1),),
        variations=({}, {"msi": "mss"}, {"msi": "msi_h"}),
    ),
    Showcase(
        "Major resection of a normal liver on either side of the remnant threshold",
        "crlm_editorial",
        "resection",
        _MAJOR | {"liver_background": "normal"},
        (date(2024, 6, 1),),
        variations=({"flr_percent": 25.0}, {"flr_percent": 25.1}),
    ),
    Showcase(
        "Major resection of a cirrhotic liver on either side of the remnant threshold",
        "crlm_editorial",
        "resection",
        _MAJOR | {"liver_background": "cirrhosis"},
        (date(2024, 6, 1),),
        variations=({"flr_percent": 40.0}, {"flr_percent": 40.1}),
    ),
    Showcase(
        "Ablation of small resectable metastases before and after COLLISION",
        "evidence",
        "mwa",
        _SMALL,
        (date(2025, 1, 19), date(2025, 1, 20)),
    ),
)


def show(knowledge: Knowledge, showcase: Showcase) -> list[Shown]:
    """Return the kept verdict for each variation and day."""
    return [
        _kept(day, variation, _answers(knowledge, showcase, day, variation))
        for variation in showcase.variations
        for day in showcase.days
    ]


def _answers(
    knowledge: Knowledge, showcase: Showcase, day: date, variation: Mapping[str, object]
) -> list[EditionAnswer]:
    decision = example_decision({**showcase.facts, **variation}, showcase.given) | {
        "decision_date": day,
        "country": showcase.country,
        "is_relative_calendar": False,
    }
    return judge_decision(knowledge, knowledge.series[showcase.guideline], decision)


def _kept(day: date, variation: Mapping[str, object], answers: list[EditionAnswer]) -> Shown:
    kept = min(answers, key=lambda answer: (KINDNESS.index(answer.verdict), answer.is_older))
    return Shown(
        day,
        variation,
        kept.edition.edition,
        kept.verdict,
        kept.rule_id,
        kept.is_older,
        kept.outcome.missing_facts,
    )
