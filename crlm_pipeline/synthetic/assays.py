"""Tests of invented tumours: which were done, when the result was known, and what the laboratory wrote down."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from crlm_pipeline.synthetic.centres import Centres
from crlm_pipeline.synthetic.chance import NEVER, Bools, Chance, Days, Texts, day, rising
from crlm_pipeline.synthetic.people import People, Spread, Tumours
from crlm_pipeline.synthetic.rows import number, rows

AMINO_ACIDS: Final = {
    "A": "Ala",
    "C": "Cys",
    "D": "Asp",
    "E": "Glu",
    "F": "Phe",
    "G": "Gly",
    "H": "His",
    "K": "Lys",
    "L": "Leu",
    "N": "Asn",
    "P": "Pro",
    "Q": "Gln",
    "R": "Arg",
    "S": "Ser",
    "T": "Thr",
    "V": "Val",
}
HER2_SINCE: Final = day(2021)
DPD_SINCE: Final = {"US": day(2025, 3), "DE": day(2020, 4), "NL": day(2020, 4), "GB": day(2020, 10), "FR": day(2019)}
SIX_CODONS: Final = "12;13;59;61;117;146"


@dataclass(frozen=True, slots=True)
class Assays:
    """The tests of a batch: the day each result was known, NEVER where it was not tested."""

    sample: Days
    site: Texts
    is_ngs: Bools
    is_partial: Bools
    ras: Days
    braf: Days
    msi: Days
    msi_method: Texts
    her2: Days
    dpyd: Days


def draw_assays(chance: Chance, people: People, centres: Centres, tumours: Tumours, spread: Spread) -> Assays:
    """Return which tests were done and when their results came; testing rises over the years and differs by centre."""
    is_spread = spread.is_metastatic
    found = np.where(is_spread, spread.day, people.diagnosis)
    custom = centres.practice(found)
    shift = centres.testing[people.centre]
    slow = np.where(chance.happens(0.1), chance.between(30, 150), 0)
    turnaround = (chance.between(6, 22) * centres.delay[people.centre]).astype(np.int64)
    sample = found + chance.between(0, 12)
    is_molecular = is_spread & chance.happens(rising(custom, start=0.72, end=0.95) + shift)
    molecular = np.where(is_molecular, sample + turnaround + slow, NEVER)
    is_ngs = chance.happens(rising(custom, start=0.12, end=0.75))
    has_msi = chance.happens(rising(custom, start=0.5, end=0.94) + shift)
    is_wild = ~tumours.is_ras_mutant
    has_her2 = is_molecular & (custom > HER2_SINCE) & chance.happens(np.where(is_wild, 0.6, 0.25))
    has_dpyd = is_spread & (custom > _dpd_since(people.country)) & chance.happens(0.6)
    return Assays(
        sample=sample,
        site=np.where(
            spread.is_synchronous | ~is_spread, "primary", np.where(spread.has_liver, "liver", "other_metastasis")
        ),
        is_ngs=is_ngs,
        is_partial=~is_ngs & chance.happens(rising(custom, start=0.3, end=0.05)),
        ras=molecular,
        braf=np.where(is_ngs | chance.happens(rising(custom, start=0.75, end=0.95)), molecular, NEVER),
        msi=np.where(has_msi, sample + (turnaround * 0.7).astype(np.int64), NEVER),
        msi_method=chance.pick({"ihc": 0.5, "pcr": 0.25, "ihc+pcr": 0.15, "ngs": 0.1}),
        her2=np.where(has_her2, sample + turnaround + 5, NEVER),
        dpyd=np.where(has_dpyd, sample + chance.between(4, 12), NEVER),
    )


def _dpd_since(country: Texts) -> Days:
    return np.select([country == code for code in DPD_SINCE], list(DPD_SINCE.values()), default=NEVER)


def assay_rows(chance: Chance, people: People, tumours: Tumours, assays: Assays, until: Days) -> list[pl.DataFrame]:
    """Return the rows of `biomarker` whose results came by `until`."""
    laboratory = _Laboratory(chance, people, assays, until)
    return [
        *_ras_rows(laboratory, tumours),
        _braf_rows(laboratory, tumours),
        *_msi_rows(laboratory, tumours),
        *_her2_rows(laboratory, tumours),
        *_rare_rows(laboratory, tumours),
    ]


@dataclass(frozen=True, slots=True)
class _Laboratory:
    chance: Chance
    people: People
    assays: Assays
    until: Days

    def report(self, known: Days, mask: Bools, **columns: Any) -> pl.DataFrame:
        """Return rows of results known by the last day; one report date in thirty is not recorded."""
        has_date = self.chance.happens(0.965)
        return rows(
            "biomarker",
            mask & (known <= self.until),
            **{
                "patient_id": self.people.patient_id,
                "specimen_id": np.char.add(self.people.patient_id, "-S1"),
                "specimen_site": self.assays.site,
                "sample_date": self.assays.sample,
                "report_date": np.where(has_date, known, NEVER),
                **columns,
            },
        )

    def sequenced(self, gene: str, variant: Texts, known: Days, mask: Bools, **columns: Any) -> pl.DataFrame:
        """Return rows of a gene that was sequenced; one in a hundred fails."""
        is_failed = self.chance.happens(0.01)
        is_mutated = (variant != "") & ~is_failed
        is_coded = (self.people.country == "US") & self.chance.happens(0.15)
        return self.report(
            known,
            mask,
            analyte=gene,
            method=np.where(self.assays.is_ngs, "ngs", "pcr"),
            result=np.where(is_failed, "failed", np.where(is_mutated, "mutated", "not_detected")),
            hgvs_p=np.where(is_mutated & ~is_coded, _written(variant, self.people.centre % 3), ""),
            vaf_percent=number(np.clip(self.chance.normal(32.0, 12.0), 3.0, 85.0), is_mutated & self.assays.is_ngs),
            **columns,
        )


def _written(variant: Texts, style: Days) -> Texts:
    """Return a protein change as three laboratories would write it."""
    names = np.unique(variant[variant != ""])
    long = {name: f"p.{AMINO_ACIDS[name[0]]}{name[1:-1]}{AMINO_ACIDS[name[-1]]}" for name in names}
    written = variant.astype("<U20")
    for name in names:
        is_this = variant == name
        styles = [long[name], f"p.{name}", f"p.({long[name][2:]})"]
        written = np.where(is_this, np.choose(style, styles), written)
    return written


def _ras_rows(laboratory: _Laboratory, tumours: Tumours) -> list[pl.DataFrame]:
    assays, chance = laboratory.assays, laboratory.chance
    everyone = np.ones(chance.size, dtype=np.bool_)
    seen_partly = np.char.startswith(tumours.kras, "G12") | np.char.startswith(tumours.kras, "G13")
    kras = np.where(assays.is_partial & ~seen_partly, "", tumours.kras)
    whole = np.where(assays.is_ngs, "all", chance.pick({SIX_CODONS: 0.6, "exon2;exon3;exon4": 0.4}))
    region = np.where(assays.is_partial, chance.pick({"12;13": 0.7, "exon2": 0.3}), whole)
    is_pending = ~assays.is_partial & (assays.ras >= NEVER) & (assays.msi < NEVER) & chance.happens(0.05)
    return [
        laboratory.sequenced("kras", kras, assays.ras, everyone, region_tested=region),
        laboratory.sequenced("nras", tumours.nras, assays.ras, ~assays.is_partial, region_tested=whole),
        laboratory.report(
            assays.sample,
            is_pending,
            analyte="kras",
            result="indeterminate",
            missing_reason=chance.pick({"not_done": 0.6, "refused": 0.05, "not_recorded": 0.35}),
        ),
    ]


def _braf_rows(laboratory: _Laboratory, tumours: Tumours) -> pl.DataFrame:
    everyone = np.ones(laboratory.chance.size, dtype=np.bool_)
    return laboratory.sequenced("braf", tumours.braf, laboratory.assays.braf, everyone)


def _msi_rows(laboratory: _Laboratory, tumours: Tumours) -> list[pl.DataFrame]:
    assays, chance = laboratory.assays, laboratory.chance
    # Some stainings disagree with the MSI result: a conflict that a registry must keep.
    is_conflict = chance.happens(np.where(tumours.is_msi_high, 0.08, 0.004))
    by_pcr, by_ngs = np.isin(assays.msi_method, ["pcr", "ihc+pcr"]), assays.msi_method == "ngs"
    stable = chance.pick({"mss": 0.97, "msi_l": 0.03})
    sizes = laboratory.report(
        assays.msi,
        by_pcr | by_ngs,
        analyte="msi",
        method=np.where(by_ngs, "ngs", "pcr"),
        result=np.where(chance.happens(0.008), "failed", np.where(tumours.is_msi_high, "msi_h", stable)),
    )
    is_first_pair = chance.happens(0.8)
    lost = {"mlh1": is_first_pair, "pms2": is_first_pair, "msh2": ~is_first_pair, "msh6": ~is_first_pair}
    stained = [
        laboratory.report(
            assays.msi,
            np.isin(assays.msi_method, ["ihc", "ihc+pcr"]),
            analyte=protein,
            method="ihc",
            result=np.where((tumours.is_msi_high ^ is_conflict) & gone, "lost", "retained"),
        )
        for protein, gone in lost.items()
    ]
    return [sizes, *stained]


def _her2_rows(laboratory: _Laboratory, tumours: Tumours) -> list[pl.DataFrame]:
    assays, chance = laboratory.assays, laboratory.chance
    positive = chance.pick({"ihc_3": 0.75, "ihc_2": 0.25})
    negative = chance.pick({"ihc_0": 0.7, "ihc_1": 0.22, "ihc_2": 0.08})
    score = np.where(tumours.is_her2, positive, negative)
    is_stained = ~assays.is_ngs | chance.happens(0.6)
    cells = np.where(tumours.is_her2, chance.between(55, 100), chance.between(1, 40)).astype(np.float64)
    ratio = np.where(tumours.is_her2, chance.normal(5.0, 1.2).clip(2.1, 12.0), chance.normal(1.2, 0.2).clip(0.8, 1.9))
    return [
        laboratory.report(
            assays.her2,
            is_stained,
            analyte="erbb2",
            method="ihc",
            result=score,
            percent_cells=number(cells, np.isin(score, ["ihc_2", "ihc_3"]), 0),
        ),
        laboratory.report(
            assays.her2,
            is_stained & (score == "ihc_2") & chance.happens(0.85),
            analyte="erbb2",
            method="ish",
            result=np.where(tumours.is_her2, "amplified", "not_amplified"),
            ish_ratio=number(ratio, np.ones(chance.size, dtype=np.bool_)),
            ish_percent_cells=number(np.where(tumours.is_her2, 80.0, 10.0), chance.happens(0.7), 0),
        ),
        laboratory.report(
            assays.her2,
            ~is_stained,
            analyte="erbb2",
            method="ngs",
            result=np.where(tumours.is_her2, "amplified", "not_amplified"),
            copy_number=number(np.where(tumours.is_her2, 14.0, 2.0), np.ones(chance.size, dtype=np.bool_), 0),
        ),
    ]


def _rare_rows(laboratory: _Laboratory, tumours: Tumours) -> list[pl.DataFrame]:
    assays, chance = laboratory.assays, laboratory.chance
    everyone = np.ones(chance.size, dtype=np.bool_)
    panel = assays.is_ngs & chance.happens(0.6)
    burden = np.where(tumours.is_msi_high, chance.skewed(42.0, 0.4), chance.skewed(4.5, 0.4))
    fusions = [
        laboratory.report(
            assays.ras,
            panel,
            analyte=gene,
            method="ngs",
            result=np.where(tumours.fusion == gene, "fusion", "not_detected"),
        )
        for gene in ("ntrk1", "ntrk3", "ret")
    ]
    return [
        *fusions,
        laboratory.sequenced("pole", np.where(tumours.has_pole, "P286R", ""), assays.ras, panel),
        laboratory.report(
            assays.ras,
            panel,
            analyte="tmb",
            method="ngs",
            result=np.where(burden >= 10.0, "high", "low"),
            value=number(burden, everyone),
        ),
        laboratory.report(
            assays.dpyd,
            everyone,
            analyte="dpyd",
            method="pcr",
            specimen_id=np.char.add(laboratory.people.patient_id, "-B1"),
            specimen_site="blood",
            result=tumours.dpd,
        ),
    ]


def is_known(report: Days, on: Days) -> Bools:
    """Return whether a result was known on a day."""
    return (report <= on) & (report < NEVER)
