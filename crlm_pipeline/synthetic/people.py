"""Invented people with a colorectal cancer: who they are, the biology of the tumour, when and where it spread.

Prevalences are those of the editorial (items 3, 4, 15, 32, 44, 48, 54, 59, 61) and of the literature beside it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crlm_pipeline.synthetic.centres import Centres
from crlm_pipeline.synthetic.chance import NEVER, Bools, Chance, Days, Floats, Texts, day, year_of
from crlm_pipeline.synthetic.rows import rows

FIRST_DAY: Final = day(2016)
CLOSE: Final = day(2026, 6, 30)

RIGHT: Final = {"C18.0": 0.36, "C18.2": 0.34, "C18.3": 0.14, "C18.4": 0.16}
LEFT: Final = {"C18.5": 0.05, "C18.6": 0.08, "C18.7": 0.4, "C19.9": 0.11, "C20.9": 0.34, "C18.9": 0.02}
MORPHOLOGY: Final = {"8140/3": 0.855, "8480/3": 0.09, "8490/3": 0.02, "8210/3": 0.03, "8246/3": 0.005}
KRAS: Final = {
    "G12D": 0.29,
    "G12V": 0.21,
    "G13D": 0.17,
    "G12C": 0.085,
    "G12A": 0.05,
    "G12S": 0.045,
    "A146T": 0.06,
    "Q61H": 0.04,
    "K117N": 0.02,
    "A59T": 0.01,
    "L19F": 0.02,
}
NRAS: Final = {"Q61K": 0.4, "Q61R": 0.25, "G12D": 0.25, "G13R": 0.1}
BRAF_OTHER: Final = {"D594G": 0.4, "G469A": 0.2, "K601E": 0.15, "G466V": 0.15, "V600K": 0.1}


@dataclass(frozen=True, slots=True)
class People:
    """The persons of a batch and the centre of each; days since 1970."""

    patient_id: Texts
    centre: NDArray[np.int64]
    centre_id: Texts
    country: Texts
    diagnosis: Days
    birth_year: NDArray[np.int64]
    is_female: Bools


@dataclass(frozen=True, slots=True)
class Tumours:
    """The true biology, known to the centre only where it is tested; a variant is empty where there is none."""

    topography: Texts
    is_right: Bools
    is_msi_high: Bools
    kras: Texts
    nras: Texts
    braf: Texts
    is_her2: Bools
    fusion: Texts
    has_pole: Bools
    dpd: Texts

    @property
    def is_ras_mutant(self) -> Bools:
        """Whether KRAS or NRAS carries a variant (one outside the six codons counts here, not in the cohort)."""
        return np.asarray((self.kras != "") | (self.nras != ""))

    @property
    def is_v600e(self) -> Bools:
        """Whether BRAF V600E is present."""
        return np.asarray(self.braf == "V600E")


@dataclass(frozen=True, slots=True)
class Spread:
    """When the disease spread (NEVER if it did not by the close) and whether the liver is involved."""

    day: Days
    has_liver: Bools
    is_synchronous: Bools

    @property
    def is_metastatic(self) -> Bools:
        """Whether metastases were found before the registry closed."""
        return np.asarray(self.day <= CLOSE)


def draw_people(chance: Chance, centres: Centres, first_number: int) -> People:
    """Return the persons of a batch, numbered from `first_number`."""
    places = np.searchsorted(np.cumsum(centres.weight), chance.generator.random(chance.size) * 0.999999)
    numbers = np.arange(first_number, first_number + chance.size)
    diagnosis = chance.between(FIRST_DAY, CLOSE - 60)
    age = np.clip(chance.normal(66.0, 11.0), 19, 95).astype(np.int64)
    return People(
        patient_id=np.char.add("P", np.char.zfill(numbers.astype(np.str_), 7)),
        centre=places,
        centre_id=centres.name[places],
        country=np.where(chance.happens(0.01), "ZZ", centres.country[places]),
        diagnosis=diagnosis,
        birth_year=year_of(diagnosis) - age,
        is_female=chance.happens(0.44),
    )


def draw_spread(chance: Chance, people: People) -> Spread:
    """Return the spread: a quarter to the liver at diagnosis, about half to the liver at some time."""
    course = chance.pick({"synchronous": 0.25, "metachronous": 0.29, "elsewhere": 0.08, "none": 0.38})
    early = (course == "synchronous") | ((course == "elsewhere") & chance.happens(0.5))
    late = people.diagnosis + chance.waiting(480.0, least=100)
    found = np.where(early, people.diagnosis + chance.between(0, 25), late)
    found = np.where((course == "none") | (found > CLOSE - 10), NEVER, found)
    return Spread(day=found, has_liver=np.isin(course, ["synchronous", "metachronous"]), is_synchronous=early)


def draw_tumours(chance: Chance, spread: Spread) -> Tumours:
    """Return the biology; MSI-H is rarer once the disease has spread, and goes with the right side and BRAF."""
    is_msi_high = chance.happens(np.where(spread.is_metastatic, 0.05, 0.25))
    is_right = chance.happens(np.where(is_msi_high, 0.68, 0.34))
    is_v600e = chance.happens(np.where(is_msi_high, 0.4, np.where(is_right, 0.13, 0.045)))
    is_kras = ~is_v600e & chance.happens(np.where(is_msi_high, 0.3, 0.47))
    is_nras = ~is_v600e & ~is_kras & chance.happens(0.085)
    is_wild = ~is_v600e & ~is_kras & ~is_nras
    is_other_braf = ~is_v600e & chance.happens(0.02)
    return Tumours(
        topography=np.where(is_right, chance.pick(RIGHT), chance.pick(LEFT)),
        is_right=is_right,
        is_msi_high=is_msi_high,
        kras=np.where(is_kras, chance.pick(KRAS), ""),
        nras=np.where(is_nras, chance.pick(NRAS), ""),
        braf=np.where(is_v600e, "V600E", np.where(is_other_braf, chance.pick(BRAF_OTHER), "")),
        is_her2=chance.happens(np.where(is_wild, 0.06, 0.008)),
        fusion=chance.pick({"": 0.994, "ntrk1": 0.003, "ntrk3": 0.001, "ret": 0.002}),
        has_pole=~is_msi_high & chance.happens(0.008),
        dpd=chance.pick({"dpd_normal": 0.949, "dpd_partial": 0.05, "dpd_complete": 0.001}),
    )


def tumour_rows(chance: Chance, people: People, tumours: Tumours, spread: Spread) -> pl.DataFrame:
    """Return the rows of `tumour`: one primary each, sometimes with parts unknown."""
    everyone = np.ones(chance.size, dtype=np.bool_)
    is_known = chance.happens(0.93)
    nodes = np.where(chance.happens(0.45), 0, chance.waiting(4.0, least=1)).clip(0, 40)
    is_resected = chance.happens(np.where(spread.is_synchronous, 0.55, 0.97))
    resection = people.diagnosis + chance.between(10, 60)
    is_resected &= resection <= CLOSE
    distant = np.where(spread.has_liver, chance.pick({"M1a": 0.66, "M1b": 0.24, "M1c": 0.1}), "M1b")
    n_category = np.select([nodes == 0, nodes <= 3, nodes >= 4], ["N0", "N1b", "N2a"], default="")
    return rows(
        "tumour",
        everyone,
        patient_id=people.patient_id,
        tumour_id="1",
        diagnosis_date=_dated(chance, people.diagnosis),
        topography=tumours.topography,
        transverse_part=np.where(
            tumours.topography == "C18.4", chance.pick({"proximal": 0.55, "distal": 0.25, "": 0.2}), ""
        ),
        morphology=np.where(chance.happens(0.97), chance.pick(MORPHOLOGY), ""),
        t_category=np.where(is_known, chance.pick({"T1": 0.03, "T2": 0.1, "T3": 0.57, "T4a": 0.2, "T4b": 0.1}), ""),
        n_category=np.where(is_known, n_category, ""),
        m_category=np.where(spread.is_synchronous & spread.is_metastatic, distant, np.where(is_known, "M0", "")),
        nodes_positive=np.where(is_resected & is_known, nodes.astype(np.float64), np.nan),
        resection_date=np.where(is_resected, resection, NEVER),
        resection_margin=np.where(is_resected & is_known, chance.pick({"r0": 0.93, "r1": 0.06, "r2": 0.01}), ""),
    )


def _dated(chance: Chance, days: Days) -> Texts:
    """Return the days as text; a few are only known to the month, and fewer not at all."""
    whole = np.datetime_as_string(days.astype("datetime64[D]"))
    is_month = chance.happens(0.01)
    return np.where(chance.happens(0.01), "", np.where(is_month, whole.astype("<U7"), whole))


def patient_rows(chance: Chance, people: People, death: Days, last_event: Days) -> pl.DataFrame:
    """Return the rows of `patient`; nobody is in contact before the last event or after the close."""
    is_dead = death <= CLOSE
    contact = np.minimum(np.maximum(CLOSE - chance.waiting(90.0), last_event), CLOSE)
    return rows(
        "patient",
        np.ones(chance.size, dtype=np.bool_),
        patient_id=people.patient_id,
        centre_id=people.centre_id,
        country=people.country,
        birth_year=_unless(chance.happens(0.005), people.birth_year),
        sex=np.where(chance.happens(0.003), "", np.where(people.is_female, "female", "male")),
        vital_status=np.where(is_dead, "dead", "alive"),
        last_contact_date=np.where(is_dead, death, contact),
        death_date=np.where(is_dead, death, NEVER),
    )


def _unless(is_missing: Bools, values: NDArray[np.int64]) -> Floats:
    return np.where(is_missing, np.nan, values.astype(np.float64))
