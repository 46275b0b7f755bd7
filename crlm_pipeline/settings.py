"""What a run may be told: every parameter with its default, in one place."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

SidePolicy = Literal["right", "exclude", "split"]
Overdispersion = Literal["none", "multiplicative", "additive"]


@dataclass(frozen=True, slots=True)
class Windows:
    """Periods, in days, of the rules for lines of therapy and for facts (semantics; clinical 3.11)."""

    regimen: int = 28
    antibody: int = 60
    gap: int = 90
    failure: int = 183
    assessment: int = 183
    local: int = 183
    mdt: int = 60
    deviation: int = 60
    perioperative: int = 90
    pathology: int = 14
    synchronous: int = 31


@dataclass(frozen=True, slots=True)
class Settings:
    """The parameters of a run; `as_of` unknown means the latest date found in the extract.

    `guidelines` empty means every series that is not on request only. `judge_by` re-judges every decision by one
    edition. `allowed_rejected_share` bounds rejected rows and rejected cells apart. `disclosure_threshold` is the
    smallest count that may be shown, `rate_threshold` the smallest denominator of a rate. `funnel_overdispersion`: how
    funnel limits allow for centres that vary more than chance.
    """

    as_of: date | None = None
    guidelines: tuple[str, ...] = ()
    judge_by: str | None = None
    side_policy: SidePolicy = "right"
    grace_days: int = 90
    headline_guideline: str = "esmo"
    allowed_rejected_share: float = 0.20
    disclosure_threshold: int = 5
    rate_threshold: int = 10
    funnel_overdispersion: Overdispersion = "none"
    windows: Windows = field(default_factory=Windows)

    @property
    def is_restricted(self) -> bool:
        """Whether the report hides no count, and so must stay where patients' data may be."""
        return self.disclosure_threshold <= 1
