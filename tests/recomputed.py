"""Cells of the report, worked out from the extract by plain Python: no frame, no SQL, and nothing of crlm-pipeline.

`python tests/recomputed.py data/example` prints them. Written from the semantics and the heads of the indicators, for
the words that the example uses.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path

Row = dict[str, str]
CODONS = (12, 13, 59, 61, 117, 146)
REGIONS = {"exon2": {12, 13}, "exon3": {59, 61}, "exon4": {117, 146}, "all": set(CODONS)}
LEFT, RIGHT = ("C18.5", "C18.6", "C18.7", "C19.9", "C20.9"), ("C18.0", "C18.2", "C18.3", "C18.4")
ANTI_EGFR = ("cetuximab", "erbitux", "panitumumab", "vectibix")
NEVER = date.max


class Extract:
    """The files of an extract as they are, and the patients of each population."""

    def __init__(self, folder: Path) -> None:
        names = ("patient", "tumour", "assessment", "biomarker", "drug_exposure", "procedure", "mdt", "outcome")
        self.rows: dict[str, list[Row]] = {}
        for name in names:
            with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                self.rows[name] = list(csv.DictReader(file))
        self.centre = {row["patient_id"]: row["centre_id"] for row in self.rows["patient"]}
        self.crlm = {
            *self._of("assessment", lambda row: "liver" in row["mets_sites"].split(";") or row["mets_diagnosis_date"]),
            *self._of("procedure", lambda _: True),
            *self._of("biomarker", lambda row: row["specimen_site"] == "liver"),
        }
        self.metastatic = {
            *self.crlm,
            *self._of("assessment", lambda row: row["mets_sites"] or row["first_metastasis_date"]),
            *self._of("tumour", lambda row: row["m_category"].startswith("M1")),
            *self._of("biomarker", lambda row: row["specimen_site"] == "other_metastasis"),
            *self._of("drug_exposure", lambda row: row["intent"] in ("palliative", "conversion")),
        }
        self.first_line: dict[str, date] = {}
        for row in self.rows["drug_exposure"]:
            if row["intent"] in ("palliative", "conversion") or row["line_registered"]:
                start = day(row["start_date"])
                self.first_line[row["patient_id"]] = min(start, self.first_line.get(row["patient_id"], start))

    def _of(self, table: str, condition: Callable[[Row], object]) -> set[str]:
        return {row["patient_id"] for row in self.rows[table] if condition(row)}

    def tissue(self, patient: str, until: date = NEVER) -> list[Row]:
        """Return the patient's results on tissue that the team had by a day; undated ones where any day does."""
        rows = [row for row in self.rows["biomarker"] if row["patient_id"] == patient]
        rows = [row for row in rows if row["specimen_site"] not in ("blood", "plasma")]
        return [row for row in rows if until == NEVER or known(row) <= until]

    def first_known(self, patient: str, status: Callable[[list[Row]], str | None], enough: Iterable[str]) -> date:
        """Return the first day on which the results until then gave one of the statuses that are enough."""
        wanted = set(enough)
        days = sorted({known(row) for row in self.tissue(patient)} - {NEVER})
        return next((until for until in days if status(self.tissue(patient, until)) in wanted), NEVER)


def day(text: str) -> date:
    """Return a day; of a month or a year alone the first one."""
    return date.fromisoformat(f"{text}-01-01"[:10])


def last_day(text: str) -> date:
    """Return the day of a report: of a month or a year alone the last one."""
    if len(text) == len("2023"):
        return date(int(text), 12, 31)
    if len(text) == len("2023-05"):
        return (day(text) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return day(text)


def known(row: Row) -> date:
    """Return the day of the report, else of the sample."""
    if row["report_date"]:
        return last_day(row["report_date"])
    return day(row["sample_date"]) if row["sample_date"] else NEVER


def codon(hgvs: str) -> int:
    """Return the codon of a change of one amino acid, such as p.(Gly12Asp)."""
    return int("".join(letter for letter in hgvs if letter.isdecimal()))


def ras(rows: list[Row]) -> str | None:
    """Return the extended RAS status: any hotspot is mutant, wild type needs six codons of both genes."""
    examined: dict[str, set[int]] = {"kras": set(), "nras": set()}
    is_mutant = is_tested = False
    for row in rows:
        if row["analyte"] not in examined or row["result"] not in ("mutated", "not_detected"):
            continue
        if row["result"] == "mutated" and (not row["hgvs_p"] or codon(row["hgvs_p"]) in CODONS):
            is_mutant = True
            continue
        regions = row["region_tested"].split(";") if row["region_tested"] else []
        for region in regions:
            examined[row["analyte"]] |= REGIONS.get(region) or {int(region)}
        is_tested |= row["result"] == "not_detected" or bool(regions)
    if is_mutant:
        return "mutant"
    if all(found == set(CODONS) for found in examined.values()):
        return "wild_type"
    return "partial_wild_type" if is_tested else None


def msi(rows: list[Row]) -> str | None:
    """Return the merged status of mismatch repair; what disagrees is a conflict."""
    said = {(row["analyte"], row["result"]) for row in rows}
    proteins = ("mlh1", "pms2", "msh2", "msh6")
    lost, kept = ({name for name in proteins if (name, word) in said} for word in ("lost", "retained"))
    is_unstable = bool(lost) or ("msi", "msi_h") in said
    is_stable = (not lost and {"pms2", "msh6"} <= kept) or ("msi", "mss") in said or ("msi", "msi_l") in said
    if lost & kept or (is_unstable and is_stable):
        return "conflict"
    return "msi_h" if is_unstable else "mss" if is_stable else None


def braf(rows: list[Row]) -> str | None:
    """Return whether V600E was found, something else, or only that BRAF was tested."""
    mine = [row for row in rows if row["analyte"] == "braf" and row["result"] in ("mutated", "not_detected")]
    if any(row["hgvs_p"] in ("p.V600E", "p.Val600Glu", "p.(Val600Glu)") for row in mine):
        return "v600e"
    return "tested" if mine else None


def side(rows: list[Row]) -> str | None:
    """Return the side on which all primaries lie."""
    sides = {"left" if row["topography"] in LEFT else "right" if row["topography"] in RIGHT else None for row in rows}
    return sides.pop() if len(sides) == 1 else None


def median(durations: list[tuple[int, bool]]) -> int | None:
    """Return the first day on which the Kaplan-Meier curve is at one half or below."""
    surviving, at_risk = 1.0, len(durations)
    for days in sorted({days for days, _ in durations}):
        events = sum(is_event for length, is_event in durations if length == days)
        surviving *= 1 - events / at_risk
        at_risk -= sum(length == days for length, _ in durations)
        if surviving <= 0.5 + 1e-12:
            return days
    return None


def turnaround(extract: Extract) -> list[tuple[int, bool]]:
    """Return for each test with a sample date the days to its report, and whether it was reported (P18)."""
    as_of = latest_day(extract)
    tests = {
        (row["patient_id"], row["specimen_id"], row["method"], row["sample_date"], row["report_date"], is_pending)
        for row in extract.rows["biomarker"]
        if (is_pending := row["missing_reason"] == "pending") or not row["missing_reason"]
    }
    dated = [(sample, report) for *_, sample, report, is_pending in tests if sample and (report or is_pending)]
    return [
        (max(((last_day(report) if report else as_of) - day(sample)).days, 0), bool(report)) for sample, report in dated
    ]


def latest_day(extract: Extract) -> date:
    """Return the latest date in the extract, which is the day the registry is looked at."""
    rows = (row for table in extract.rows.values() for row in table)
    return max(day(text) for row in rows for name, text in row.items() if name.endswith("_date") and text)


def met_p2(extract: Extract, patient: str) -> bool:
    """Whether the repair status was known by the first systemic line, or at all where metastases had none (P2)."""
    found = extract.first_known(patient, msi, ("msi_h", "mss", "conflict"))
    is_by_any_day = patient not in extract.metastatic or patient not in extract.first_line
    return found < NEVER if is_by_any_day else found <= extract.first_line[patient]


def antibody_starts(extract: Extract) -> list[tuple[str, date]]:
    """Return each start of an anti-EGFR antibody for metastatic disease; in the example each has a line of its own."""
    starts = {
        (row["patient_id"], day(row["start_date"]))
        for row in extract.rows["drug_exposure"]
        if row["drug"].lower() in ANTI_EGFR and row["intent"] not in ("adjuvant", "perioperative", "curative")
    }
    return sorted(starts)


def cells(folder: Path) -> dict[str, int | None]:
    """Return cells of the report by name."""
    extract = Extract(folder)
    crlm = sorted(extract.crlm)
    tissue = {patient: extract.tissue(patient) for patient in crlm}
    by_fact = {fact.__name__: [fact(tissue[patient]) for patient in crlm] for fact in (msi, ras, braf)}
    tumours = [[row for row in extract.rows["tumour"] if row["patient_id"] == patient] for patient in crlm]
    starts = antibody_starts(extract)
    in_time = [extract.first_known(patient, ras, ("mutant", "wild_type")) <= start for patient, start in starts]
    return {
        "patients": len(extract.centre),
        "patients with metastatic disease": len(extract.metastatic),
        "patients with CRLM": len(crlm),
        "MSI tested": sum(value is not None for value in by_fact["msi"]),
        "MSI-H": by_fact["msi"].count("msi_h"),
        "RAS tested": sum(value is not None for value in by_fact["ras"]),
        "RAS mutant": by_fact["ras"].count("mutant"),
        "RAS wild type": by_fact["ras"].count("wild_type"),
        "BRAF tested": sum(value is not None for value in by_fact["braf"]),
        "BRAF V600E": by_fact["braf"].count("v600e"),
        "primary on the left": [side(rows) for rows in tumours].count("left"),
        "P2 evaluated": len(extract.centre),
        "P2 met": sum(met_p2(extract, patient) for patient in extract.centre),
        "P10 evaluated": len(starts),
        "P10 met": sum(in_time),
        "P18 tests": len(turnaround(extract)),
        "P18 median days": median(turnaround(extract)),
        "assessments with CEA": sum(bool(row["cea_ng_ml"]) for row in extract.rows["assessment"]),
        **{f"rows of {name}": len(rows) for name, rows in extract.rows.items()},
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(cells(Path(sys.argv[1])), indent=1) + "\n")
