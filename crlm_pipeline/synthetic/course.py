"""The course of an invented patient's metastatic disease: operations, lines of therapy, responses, death.

Days are drawn in order, so that nothing happens before its cause or after death or the close of the registry.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from crlm_pipeline.synthetic.assays import Assays, is_known
from crlm_pipeline.synthetic.centres import Centres
from crlm_pipeline.synthetic.chance import NEVER, Bools, Chance, Days, Floats, Texts
from crlm_pipeline.synthetic.liver import Liver, WorkUp
from crlm_pipeline.synthetic.people import CLOSE, People, Spread, Tumours
from crlm_pipeline.synthetic.regimens import ANTI_EGFR, CHECKPOINT, Regimen, Situation, choose

LINES: Final = 5
# Mean days on a line, and the share that goes on to a next one.
DURATION: Final = (230.0, 150.0, 95.0, 80.0, 70.0)
GOES_ON: Final = (0.68, 0.5, 0.4, 0.3, 0.0)
NARROW_REMNANT: Final = 30.0
UNFIT: Final = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What the first work-up led to; NEVER where it did not."""

    assessed: Days
    perioperative: Days
    perioperative_end: Days
    augmentation: Days
    second_assessment: Days
    operation: Days
    first_line: Days
    is_conversion: Bools


@dataclass(frozen=True, slots=True)
class Line:
    """A line of systemic therapy of those who had one; `end` may lie beyond the close (ongoing)."""

    number: int
    mask: Bools
    start: Days
    antibody_start: Days
    end: Days
    stop_reason: Texts
    intent: Texts
    regimen: Regimen
    response: Texts
    is_trial: Bools


@dataclass(slots=True)
class Course:
    """Everything that happened to a batch, in order of the lines; filled line by line."""

    plan: Plan
    operation: Days
    death: Days
    lines: list[Line] = field(default_factory=list)
    work_ups: list[WorkUp] = field(default_factory=list)

    @property
    def until(self) -> Days:
        """The last day on which anything can be recorded."""
        return np.minimum(self.death, CLOSE)


@dataclass(frozen=True, slots=True)
class Batch:
    """The patients of a batch with everything that is true of them before treatment."""

    chance: Chance
    people: People
    centres: Centres
    tumours: Tumours
    spread: Spread
    liver: Liver
    assays: Assays

    def rate(self, name: str) -> Floats:
        """Return a rate of each patient's centre."""
        rates: Floats = getattr(self.centres, name)[self.people.centre]
        return rates

    @property
    def is_hasty(self) -> Bools:
        """Whether each patient's centre treats before the results are there."""
        return self.centres.is_hasty[self.people.centre]


def draw_plan(batch: Batch) -> Plan:
    """Return what the first work-up led to: an operation at once, conversion, palliative treatment, or nothing."""
    chance, liver = batch.chance, batch.liver
    assessed = np.where(batch.spread.is_metastatic, batch.spread.day + chance.between(3, 24), NEVER)
    is_resectable = np.isin(liver.resectability, ["upfront", "difficult"])
    is_operated = is_resectable & chance.happens(batch.rate("surgery"))
    is_dutch = batch.people.country == "NL"
    is_perioperative = is_operated & chance.happens(np.where(is_dutch, 0.1, 0.4))
    perioperative = np.where(is_perioperative, assessed + chance.between(10, 28), NEVER)
    perioperative_end = np.where(is_perioperative, perioperative + chance.between(56, 84), NEVER)
    ready = np.where(is_perioperative, perioperative_end + chance.between(28, 50), assessed + chance.between(14, 50))
    is_narrow = is_operated & ~is_perioperative & (liver.flr < NARROW_REMNANT) & chance.happens(0.75)
    augmentation = np.where(is_narrow, assessed + chance.between(10, 25), NEVER)
    second = np.where(is_narrow, augmentation + chance.between(21, 40), NEVER)
    ready = np.where(is_narrow, second + chance.between(7, 20), ready)
    is_untreated = chance.happens(np.where(liver.ecog >= UNFIT, 0.6, 0.08))
    has_line = batch.spread.is_metastatic & ~is_operated & ~is_untreated
    first_line = assessed + np.where(batch.is_hasty, 1, chance.between(8, 40))
    return Plan(
        assessed=assessed,
        perioperative=perioperative,
        perioperative_end=perioperative_end,
        augmentation=augmentation,
        second_assessment=second,
        operation=np.where(is_operated, ready, NEVER),
        first_line=np.where(has_line, first_line, NEVER),
        is_conversion=has_line & (liver.resectability == "potential"),
    )


def draw_course(batch: Batch) -> Course:
    """Return the whole course: the operation, up to five lines with their operations and recurrences, death."""
    chance, plan = batch.chance, draw_plan(batch)
    course = Course(plan=plan, operation=plan.operation, death=_death_without_lines(batch, plan))
    start = np.minimum(plan.first_line, _recurrence(chance, plan.operation, 0.6))
    start = np.where(start < course.death, start, NEVER)
    course.work_ups.append(_after_recurrence(batch, plan.operation < start, start))
    had = {name: np.zeros(chance.size, dtype=np.bool_) for name in _HAD}
    had["oxaliplatin"] |= plan.perioperative < NEVER
    for number in range(1, LINES + 1):
        line = _line(batch, plan, number, start, had)
        course.lines.append(line)
        _remember(had, line)
        start = _after(batch, course, line)
    return course


_HAD: Final = {
    "oxaliplatin": ("oxaliplatin",),
    "irinotecan": ("irinotecan",),
    "anti_egfr": ANTI_EGFR,
    "checkpoint": ("pembrolizumab", "nivolumab", "ipilimumab"),
    "braf": ("encorafenib", "vemurafenib"),
    "g12c": ("sotorasib", "adagrasib"),
    "her2": ("trastuzumab", "trastuzumab deruxtecan"),
}


def _remember(had: dict[str, Bools], line: Line) -> None:
    for name, inns in _HAD.items():
        for inn in inns:
            had[name] |= line.mask & line.regimen.has(inn)


def _death_without_lines(batch: Batch, plan: Plan) -> Days:
    """Return the day of death of those without systemic treatment; some do not survive an operation."""
    chance = batch.chance
    old_age = batch.people.diagnosis + 60 + chance.waiting(9000.0)
    cured = plan.operation + 60 + chance.waiting(4500.0)
    is_fatal = chance.happens(batch.rate("fatality"))
    operated = np.where(is_fatal, plan.operation + chance.between(1, 28), cured)
    supported = plan.assessed + 20 + chance.waiting(180.0)
    has_operation, has_line = plan.operation < NEVER, plan.first_line < NEVER
    death = np.select([has_operation, has_line, batch.spread.is_metastatic], [operated, NEVER, supported], old_age)
    return np.asarray(death, dtype=np.int64)


def _recurrence(chance: Chance, operation: Days, rate: float) -> Days:
    recurs = (operation < NEVER) & chance.happens(rate)
    return np.where(recurs, operation + 90 + chance.waiting(420.0), NEVER)


def _after_recurrence(batch: Batch, recurs: Bools, start: Days) -> WorkUp:
    """Return the work-up of a recurrence after an operation, before its systemic treatment."""
    chance = batch.chance
    mask = recurs & (start < NEVER) & chance.happens(0.85)
    resectability = chance.pick({"never": 0.75, "potential": 0.1, "difficult": 0.1, "upfront": 0.05})
    return WorkUp(mask, start - chance.between(8, 25), resectability, batch.liver.flr)


def _situation(batch: Batch, number: int, start: Days, had: dict[str, Bools]) -> Situation:
    tumours, assays, chance = batch.tumours, batch.assays, batch.chance
    # A team that waits for RAS adds the antibody when the result comes, up to six weeks into the first line.
    wait = np.where(chance.happens(0.6), 45, 0) if number == 1 else 0
    ras_known = is_known(assays.ras, start + wait) & ~(assays.is_partial & chance.happens(0.9))
    return Situation(
        day=start,
        is_american=batch.people.country == "US",
        follows=chance.happens(batch.rate("adherence")),
        is_unsparing=batch.centres.is_unsparing[batch.people.centre],
        is_fit=batch.liver.ecog <= 1,
        is_right=tumours.is_right,
        is_msi_high=tumours.is_msi_high & is_known(assays.msi, start),
        is_ras_known=ras_known,
        is_ras_mutant=tumours.is_ras_mutant,
        is_v600e=tumours.is_v600e & is_known(assays.braf, start),
        is_g12c=(tumours.kras == "G12C") & is_known(assays.ras, start),
        is_her2=tumours.is_her2 & is_known(assays.her2, start),
        fusion=np.where(assays.is_ngs & is_known(assays.ras, start), tumours.fusion, ""),
        had=had,
    )


def _line(batch: Batch, plan: Plan, number: int, start: Days, had: dict[str, Bools]) -> Line:
    chance = batch.chance
    mask = start <= CLOSE
    regimen = choose(chance, number, _situation(batch, number, start, had))
    mask &= (regimen.backbone != "") | (regimen.partner != "")
    is_immune = np.isin(regimen.partner, CHECKPOINT) & batch.tumours.is_msi_high
    mean = DURATION[number - 1] * np.where(is_immune, 2.6, np.where(batch.tumours.is_v600e, 0.7, 1.0))
    is_conversion = plan.is_conversion & (number == 1)
    converts = is_conversion & chance.happens(0.36)
    length = np.where(converts, chance.between(80, 150), chance.waiting(mean, least=28))
    reason = chance.pick({"progression": 0.76, "toxicity": 0.1, "choice": 0.04, "completed": 0.1})
    late = is_known(batch.assays.ras, start + 45) & (batch.assays.ras > start) & (number == 1)
    late &= ~batch.is_hasty
    antibody = np.where(late & np.isin(regimen.partner, ANTI_EGFR), batch.assays.ras + chance.between(0, 4), start)
    responds = np.where(is_immune, 0.45, 0.55 / number)
    return Line(
        number=number,
        mask=mask,
        start=start,
        antibody_start=np.minimum(antibody, start + 50),
        end=np.where(mask, start + length, NEVER),
        stop_reason=np.where(converts, "local_treatment", reason),
        intent=np.where(is_conversion, "conversion", "palliative"),
        regimen=regimen,
        response=_response(chance, responds, converts),
        is_trial=chance.happens(0.03),
    )


def _response(chance: Chance, responds: Floats, converts: Bools) -> Texts:
    good = chance.pick({"partial_response": 0.92, "complete_response": 0.08})
    other = chance.pick({"stable_disease": 0.75, "progression": 0.0, "": 0.25})
    return np.where(chance.happens(responds) | converts, good, other)


def _after(batch: Batch, course: Course, line: Line) -> Days:
    """Return the start of the next line; adds the operation after conversion, the work-ups between, and the death."""
    chance = batch.chance
    converts = line.mask & (line.stop_reason == "local_treatment") & (line.end <= CLOSE)
    reassessed = line.end + chance.between(5, 15)
    operation = np.where(converts, reassessed + chance.between(15, 40), NEVER)
    course.operation = np.minimum(course.operation, operation)
    better = chance.pick({"upfront": 0.7, "difficult": 0.3})
    course.work_ups.append(WorkUp(converts, reassessed, better, np.maximum(batch.liver.flr, 28.0), growth=0.6))

    progresses = line.mask & ~converts & (line.end <= CLOSE)
    goes_on = progresses & chance.happens(GOES_ON[line.number - 1])
    following = np.where(goes_on, line.end + chance.between(16, 60), NEVER)
    following = np.minimum(following, _recurrence(chance, operation, 0.62))
    course.work_ups.append(_after_recurrence(batch, operation < following, following))
    is_seen = progresses & goes_on & chance.happens(0.5)
    worse = np.where(batch.liver.resectability == "never", "never", chance.pick({"never": 0.8, "potential": 0.2}))
    course.work_ups.append(WorkUp(is_seen, line.end + chance.between(0, 14), worse, batch.liver.flr, growth=1.2))

    cured = operation + 100 + chance.waiting(4000.0)
    spent = line.end + 10 + chance.waiting(190.0)
    death = np.where(converts, cured, spent)
    is_last = line.mask & (following >= NEVER) & (line.end <= CLOSE)
    course.death = np.where(is_last, death, np.where(line.mask, NEVER, course.death))
    return following
