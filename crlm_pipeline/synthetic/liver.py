"""The liver metastases of invented patients, and the dated work-ups in which a centre records them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.synthetic.chance import NEVER, Bools, Chance, Days, Floats, Texts
from crlm_pipeline.synthetic.people import People, Spread
from crlm_pipeline.synthetic.rows import answer, joined, number, rows

OTHER_SITES: Final = {
    "lung": 0.2,
    "peritoneum": 0.1,
    "distant_nodes": 0.12,
    "bone": 0.03,
    "brain": 0.01,
    "ovary": 0.015,
}
WITHOUT_LIVER: Final = 2.5
COUNTLESS: Final = 99
BACKGROUND: Final = {
    "normal": 0.78,
    "steatosis": 0.14,
    "sinusoidal_obstruction": 0.03,
    "fibrosis": 0.03,
    "cirrhosis": 0.02,
}
CONTRAINDICATIONS: Final = {
    "autoimmune": 0.015,
    "neuropathy": 0.02,
    "arterial_event": 0.02,
    "qtc": 0.005,
    "transplant": 0.002,
}


@dataclass(frozen=True, slots=True)
class Liver:
    """The disease at the first work-up; the truth, recorded only in part."""

    sites: Texts
    is_liver_only: Bools
    count: Floats
    size_mm: Floats
    is_bilobar: Bools
    cea: Floats
    background: Texts
    flr: Floats
    ecog: Floats
    is_ablatable: Bools
    resectability: Texts
    contraindications: Texts


@dataclass(frozen=True, slots=True)
class WorkUp:
    """A work-up of some patients: its day, and what changed since the first one."""

    mask: Bools
    day: Days
    resectability: Texts
    flr: Floats
    growth: float = 1.0


def draw_liver(chance: Chance, spread: Spread) -> Liver:
    """Return the disease; fewer than a quarter are resectable at once (editorial, item 15)."""
    rate = np.where(spread.has_liver, 1.0, WITHOUT_LIVER)
    others = {site: chance.happens(np.minimum(share * rate, 0.6)) for site, share in OTHER_SITES.items()}
    others["lung"] |= ~spread.has_liver & ~np.any(list(others.values()), axis=0)
    is_liver_only = spread.has_liver & ~np.any(list(others.values()), axis=0)
    count = chance.pick({"1": 0.27, "2": 0.16, "3": 0.12, "4": 0.09, "6": 0.12, "9": 0.1, "15": 0.08, "99": 0.06})
    lesions = count.astype(np.float64)
    size = np.clip(chance.skewed(28.0, 0.6), 4.0, 220.0)
    ecog = chance.pick({"0": 0.42, "1": 0.38, "2": 0.13, "3": 0.05, "4": 0.02}).astype(np.float64)
    contraindications = {name: chance.happens(share) for name, share in CONTRAINDICATIONS.items()}
    return Liver(
        sites=joined({"liver": spread.has_liver, **others}),
        is_liver_only=is_liver_only,
        count=lesions,
        size_mm=size,
        is_bilobar=chance.happens(np.clip(0.1 * lesions, 0.0, 0.85)) & (lesions > 1),
        cea=np.clip(chance.skewed(18.0, 1.6), 0.5, 20000.0),
        background=chance.pick(BACKGROUND),
        flr=np.clip(chance.normal(43.0, 13.0), 12.0, 90.0),
        ecog=ecog,
        is_ablatable=(lesions <= 5) & (size <= 30.0) & chance.happens(0.7),
        resectability=_resectability(chance, spread, is_liver_only, lesions, ecog),
        contraindications=joined(contraindications),
    )


def _resectability(chance: Chance, spread: Spread, is_liver_only: Bools, count: Floats, ecog: Floats) -> Texts:
    few = chance.pick({"upfront": 0.55, "difficult": 0.2, "potential": 0.17, "never": 0.08})
    some = chance.pick({"upfront": 0.12, "difficult": 0.23, "potential": 0.4, "never": 0.25})
    many = chance.pick({"difficult": 0.03, "potential": 0.35, "never": 0.62})
    spread_out = chance.pick({"upfront": 0.05, "difficult": 0.07, "potential": 0.25, "never": 0.63})
    graded = np.where(count <= 3, few, np.where(count <= 9, some, many))
    graded = np.where(is_liver_only, graded, spread_out)
    return np.where(~spread.has_liver, "", np.where(ecog >= 3, "never", graded))


def assessment_rows(
    chance: Chance, people: People, spread: Spread, liver: Liver, completeness: Floats, work_up: WorkUp
) -> pl.DataFrame:
    """Return the rows of `assessment` for one work-up; what is not recorded is unknown."""
    has_liver = spread.has_liver
    known = {name: chance.happens(completeness) for name in ("disease", "cea", "background", "ecog", "resectability")}
    in_liver = known["disease"] & has_liver
    grown = np.asarray(np.clip(np.round(liver.count * work_up.growth), 1, 60), dtype=np.float64)
    count = np.where(liver.count == COUNTLESS, liver.count, grown)
    has_volume = has_liver & np.isin(work_up.resectability, ["upfront", "difficult", "potential"]) & chance.happens(0.6)
    in_ml = has_volume & chance.happens(0.35)
    total = np.round(np.clip(chance.normal(1500.0, 200.0), 900.0, 2400.0))
    is_major = (count >= 4) | chance.happens(0.25)
    is_planned = np.isin(work_up.resectability, ["upfront", "difficult"]) & known["resectability"]
    return rows(
        "assessment",
        work_up.mask,
        patient_id=people.patient_id,
        assessment_date=work_up.day,
        first_metastasis_date=spread.day,
        mets_diagnosis_date=np.where(has_liver, spread.day, NEVER),
        mets_sites=np.where(chance.happens(0.98), liver.sites, ""),
        crlm_count=number(count, in_liver, 0),
        crlm_max_mm=number(np.clip(liver.size_mm * work_up.growth, 2.0, 280.0), in_liver, 0),
        is_bilobar=answer(liver.is_bilobar, in_liver),
        cea_ng_ml=number(liver.cea * work_up.growth, known["cea"]),
        liver_background=np.where(known["background"] & has_liver, liver.background, ""),
        child_pugh=np.where((liver.background == "cirrhosis") & known["background"], "a", ""),
        flr_percent=number(work_up.flr, has_volume & ~in_ml),
        flr_ml=number(work_up.flr / 100.0 * total, in_ml, 0),
        tlv_ml=number(total, in_ml, 0),
        resectability=np.where(known["resectability"], work_up.resectability, ""),
        resectability_source=np.where(
            known["resectability"] & has_liver, chance.pick({"mdt": 0.7, "panel": 0.12, "surgeon": 0.18}), ""
        ),
        is_ablatable=answer(liver.is_ablatable, in_liver & chance.happens(0.7)),
        planned_resection=np.where(is_planned, np.where(is_major, "major", "minor"), ""),
        ecog=np.where(known["ecog"], liver.ecog, np.nan),
        contraindications=liver.contraindications,
    )
