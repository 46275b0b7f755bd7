"""Night after night: late, repeated, corrected and deleted rows, against one run over all that stands in the end."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import read as reading
from crlm_pipeline.settings import Settings
from flows.steps import Job, annotate, ingest
from tests.acceptance.registry import FOLFOX, SETTINGS, Answers, Registry, Row, palliative

ANTIBODY = palliative(f"{FOLFOX} + cetuximab", "2023-03-01", "2023-06-01")
WILD = {"analyte": "kras", "result": "not_detected", "region_tested": "all", "report_date": "2023-02-01"}
MUTANT = {**WILD, "result": "mutated", "hgvs_p": "p.Gly12Asp"}
NRAS = {**WILD, "analyte": "nras"}


def registry(**patients: Mapping[str, Sequence[Row]]) -> Registry:
    """Patients of the given ids with a primary and liver metastases beside the rows given."""
    made = Registry()
    for patient_id, tables in patients.items():
        known = {"tumour": [{}], "assessment": [{"assessment_date": "2023-02-10", "mets_diagnosis_date": "2023-02-01"}]}
        made.add(patient_id, **{**known, **tables})
    return made


def rows(table: str, *cells: Row) -> Registry:
    """A delivery of these rows of one table and nothing else."""
    return Registry(raw={table: list(cells)})


class Nights:
    """A warehouse and the deliveries that it gets."""

    def __init__(self, folder: Path, settings: Settings = SETTINGS) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.settings, self.count = folder, settings, 0
        self.warehouse = folder / "crlm.duckdb"
        self.answers: Answers | None = None

    def deliver(self, delivery: Registry, *, add: bool = True, key: Path | None = None) -> Answers:
        """Run once over a delivery in a folder of its own."""
        self.count += 1
        return self.run(delivery.write(self.folder / f"night{self.count}"), add=add, key=key)

    def run(self, *sources: Path, add: bool = True, key: Path | None = None) -> Answers:
        job = Job(
            sources, self.warehouse, self.folder / "report", settings=self.settings, is_addition=add, pseudonym_key=key
        )
        ingest(job)
        annotate(job)
        if self.answers:
            self.answers.close()
        self.answers = Answers(self.warehouse)
        return self.answers


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


def content(answers: Answers) -> str:
    return str(answers.one("select content_hash from audit.run"))


def verdict(answers: Answers, patient_id: str) -> str:
    decision = f"{patient_id}/systemic/1"
    return str(answers.one("select verdict from cohort.verdict where decision_id = $id", id=decision))


def judged_anew(answers: Answers) -> int:
    return int(answers.one("select decisions_judged from audit.run"))


THREE = {name: {"drug_exposure": ANTIBODY, "biomarker": [WILD, NRAS]} for name in ("ann", "bob", "cemil")}


def test_late_rows_give_what_one_run_over_everything_gives_and_only_their_patient_is_judged_again(
    nights: Nights, tmp_path: Path
) -> None:
    first = nights.deliver(registry(**THREE), add=False)
    assert verdict(first, "bob") != "contraindicated"
    total = first.one("select count(*) from cohort.decision")
    late = rows("biomarker", {"patient_id": "bob", "specimen_id": "s2", "specimen_site": "liver", **MUTANT})
    after = nights.deliver(late)
    assert verdict(after, "bob") == "contraindicated"
    of_bob = after.one("select count(*) from cohort.decision where patient_id = 'bob'")
    assert 0 < judged_anew(after) <= of_bob < total
    clean = Nights(tmp_path / "clean")
    whole = clean.run(tmp_path / "night1", tmp_path / "night2", add=False)
    assert content(after) == content(whole)
    assert judged_anew(whole) == total


def test_a_line_that_follows_takes_the_place_of_the_one_before_in_the_pathway(nights: Nights) -> None:
    ongoing = [{**row, "end_date": ""} for row in ANTIBODY]
    nights.deliver(registry(ann={"drug_exposure": ongoing}), add=False)
    second = [{"patient_id": "ann", **row} for row in palliative("irinotecan", "2024-05-01")]
    after = nights.deliver(rows("drug_exposure", *second))
    assert after.rows("select basis, decision_id from cohort.patient_pathway") == [("latest", "ann/systemic/2")]


def test_late_rows_that_move_the_day_of_the_run_give_what_one_run_over_everything_gives(tmp_path: Path) -> None:
    settings = Settings(allowed_rejected_share=1.0)
    nights, clean = Nights(tmp_path / "nights", settings), Nights(tmp_path / "clean", settings)
    day = nights.deliver(registry(**THREE), add=False).one("select as_of from audit.run")
    late = rows("outcome", {"patient_id": "cemil", "outcome_date": "2023-09-01", "outcome": "progression"})
    after = nights.deliver(late)
    assert after.one("select as_of from audit.run") > day
    whole = clean.run(nights.folder / "night1", nights.folder / "night2", add=False)
    assert content(after) == content(whole)


def test_the_same_delivery_ten_times_equals_once(nights: Nights, tmp_path: Path) -> None:
    once = content(nights.deliver(registry(**THREE), add=False))
    addition = registry(dan=THREE["ann"]).write(tmp_path / "drop")
    after = nights.run(addition)
    expected = content(after)
    assert expected != once
    archived = "select count(*) from archive.biomarker"
    held = after.one(archived)
    for _ in range(9):
        after = nights.run(addition)
    assert content(after) == expected
    assert after.one(archived) == held
    assert judged_anew(after) == 0
    assert after.column("select distinct state from audit.finding") in ([], ["persisting"])


def test_rows_that_are_delivered_again_in_another_file_are_not_kept_twice(nights: Nights) -> None:
    archived = "select count(*) from archive.biomarker"
    held = nights.deliver(registry(**THREE), add=False).one(archived)
    after = nights.deliver(registry(**THREE, dan=THREE["ann"]))
    assert after.one(archived) == held + 2
    assert after.column("select patient_id from extract.patient order by all") == ["ann", "bob", "cemil", "dan"]
    ledger = "select sum(rows_read), sum(rows_accepted), sum(rows_rejected), sum(rows_duplicate) from audit.row_ledger"
    read, accepted, rejected, duplicate = after.one(ledger)
    assert read == accepted + rejected + duplicate
    assert duplicate > 0


def test_a_corrected_row_replaces_its_predecessor_and_both_are_on_record(nights: Nights) -> None:
    nights.deliver(registry(**THREE), add=False)
    corrected = {"patient_id": "ann", "specimen_id": "s1", "specimen_site": "primary", **MUTANT}
    after = nights.deliver(rows("biomarker", corrected))
    assert after.column("select result from extract.biomarker where patient_id = 'ann' and analyte = 'kras'") == [
        "mutated"
    ]
    assert verdict(after, "ann") == "contraindicated"
    assert verdict(after, "bob") != "contraindicated"
    run_id = after.one("select run_id from audit.run")
    history = after.rows(
        """
        select result, superseded_run_id from archive.biomarker
        where patient_id = 'ann' and analyte = 'kras' order by all
        """
    )
    assert history == [("mutated", None), ("not_detected", run_id)]


def test_a_correction_that_comes_together_with_what_it_corrects_is_what_it_is_a_night_later(
    nights: Nights, tmp_path: Path
) -> None:
    dan = {"patient_id": "dan", "centre_id": "home", "country": "ZZ", "sex": "male"}
    assay = {"patient_id": "ann", "specimen_id": "s2", "specimen_site": "primary"}
    first = Registry(raw={"patient": [dan], "biomarker": [assay | WILD]}).write(tmp_path / "first")
    second = Registry(raw={"patient": [dan | {"sex": "female"}], "biomarker": [assay | MUTANT]}).write(tmp_path / "2nd")
    in_turn = Nights(tmp_path / "in_turn")
    for one in (nights, in_turn):
        one.deliver(registry(**THREE), add=False)
    in_turn.run(first)
    expected = content(in_turn.run(second))
    together = nights.run(first, second)
    assert content(together) == expected
    assert together.one("select sex from extract.patient where patient_id = 'dan'") == "female"
    assert together.rows("select check_name from audit.rejected_row") == []
    run_id = together.one("select run_id from audit.run")
    assert together.rows(
        "select sex, superseded_run_id from archive.patient where patient_id = 'dan' order by all"
    ) == [
        ("female", None),
        ("male", run_id),
    ]
    assert content(nights.run(first)) == expected, "it is known, and does not undo its correction"


def test_a_row_of_another_assay_corrects_nothing(nights: Nights) -> None:
    nights.deliver(registry(**THREE), add=False)
    other = {"patient_id": "ann", "specimen_id": "s1", **MUTANT, "method": "ngs"}
    after = nights.deliver(rows("biomarker", other))
    assert after.one("select count(*) from extract.biomarker where patient_id = 'ann' and analyte = 'kras'") == 2


def test_a_patient_of_another_centre_corrects_nobody(nights: Nights) -> None:
    nights.deliver(registry(**THREE), add=False)
    after = nights.deliver(rows("patient", {"patient_id": "ann", "centre_id": "elsewhere", "country": "ZZ"}))
    assert after.one("select centre_id from extract.patient where patient_id = 'ann'") == "home"
    assert "patient_in_two_centres" in after.column("select check_name from audit.finding")


def test_a_row_may_be_accepted_once_its_patient_arrives(nights: Nights) -> None:
    child = rows("outcome", {"patient_id": "dan", "outcome_date": "2023-09-01", "outcome": "progression", "note": "x"})
    nights.deliver(registry(**THREE), add=False)
    before = nights.deliver(child)
    assert before.column("select check_name from audit.rejected_row") == ["patient_missing"]
    record = before.one("select raw_row from audit.rejected_row")
    assert "note" in record
    assert (
        nights.deliver(rows("mdt", {"patient_id": "ann", "mdt_date": "2023-02-20"})).one(
            "select raw_row from audit.rejected_row"
        )
        == record
    ), "the row as it was delivered stays on record"
    after = nights.deliver(registry(dan={}))
    assert after.rows("select * from audit.rejected_row") == []
    assert after.column("select patient_id from extract.outcome") == ["dan"]
    assert ("patient_missing", "resolved") in after.rows("select check_name, state from audit.finding")


def test_a_deleted_patient_is_nowhere_whatever_is_delivered_later(nights: Nights) -> None:
    nights.deliver(registry(**THREE), add=False)
    nights.deliver(rows("biomarker", {"patient_id": "bob", "specimen_id": "s1", **MUTANT}))
    deleted = Registry(raw={"patient": [{"patient_id": "dan", "centre_id": "home", "country": "ZZ"}]})
    folder = deleted.write(nights.folder / "with_list")
    (folder / "deletion.csv").write_text("patient_id,reason\n bob ,consent withdrawn\n,\n")
    after = nights.run(folder)
    assert mentions(after, "bob") == []
    assert after.column("select patient_id from extract.patient order by all") == ["ann", "cemil", "dan"]
    assert after.one("select source_row from audit.deletion") == 1
    assert "deletion_without_id" in after.column("select check_name from audit.finding")
    for add in (True, False):
        again = nights.deliver(registry(**THREE, eve={}), add=add)
        assert mentions(again, "bob") == []
        assert "eve" in again.column("select patient_id from extract.patient")
        reasons = again.rows("select distinct check_name, raw_row from audit.rejected_row")
        assert reasons == [("patient_deleted", "{}")]
        assert (
            again.one("select sum(rows_read - rows_accepted - rows_rejected - rows_duplicate) from audit.row_ledger")
            == 0
        )
        assert again.column("select distinct severity from audit.finding where check_name = 'patient_deleted'") == [
            "warning"
        ]


def test_a_deletion_list_may_come_alone_and_counts_as_no_rejection(nights: Nights, tmp_path: Path) -> None:
    nights.settings = Settings(as_of=SETTINGS.as_of, guidelines=("esmo",), allowed_rejected_share=0.0)
    nights.deliver(registry(**THREE), add=False)
    (tmp_path / "deletions_2026.csv").write_text("patient_id\nann\nbob\n")
    assert nights.run(tmp_path / "deletions_2026.csv").column("select patient_id from extract.patient") == ["cemil"]
    nights.deliver(registry(**THREE), add=False)


def mentions(answers: Answers, patient_id: str) -> list[str]:
    """Return the tables that hold the id in any cell."""
    tables = answers.column("select schema_name || '.' || table_name from duckdb_tables()")
    holds = "select count(*) > 0 from {} as one where contains(to_json(one)::text, $id)"
    return [table for table in tables if answers.one(holds.format(table), id=patient_id)]


def test_a_whole_registry_replaces_what_was_and_keeps_corrected_rows_of_its_patients(nights: Nights) -> None:
    nights.deliver(registry(**THREE), add=False)
    changed = {**THREE, "ann": {"drug_exposure": ANTIBODY, "biomarker": [MUTANT, NRAS]}}
    del changed["cemil"]
    after = nights.deliver(registry(**changed), add=False)
    assert after.column("select patient_id from extract.patient order by all") == ["ann", "bob"]
    assert mentions(after, "cemil") == [], "who is delivered no more leaves no trace"
    assert after.rows(
        "select patient_id, result from archive.biomarker where superseded_run_id is not null order by all"
    ) == [("ann", "not_detected")]
    assert 0 < judged_anew(after) < after.one("select count(*) from cohort.decision")


def test_unchanged_files_of_a_whole_registry_are_not_read_again(
    nights: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    centres = tmp_path / "centres"
    centres.mkdir()
    registry(ann=THREE["ann"]).write(centres / "a")
    registry(bob=THREE["bob"]).write(centres / "b")
    first = content(nights.run(centres, add=False))
    read: list[str] = []

    def noted(format_, group):
        read.append(group.label)
        return original(format_, group)

    original = reading.read_delivery
    monkeypatch.setattr(reading, "read_delivery", noted)
    assert content(nights.run(centres, add=False)) == first
    assert read == []
    path = centres / "b" / "biomarker.csv"
    path.write_text(path.read_text().replace("not_detected", "failed", 1))
    second = content(nights.run(centres, add=False))
    assert read == ["b"]
    assert content(Nights(tmp_path / "clean").run(centres, add=False)) == second


def test_a_night_without_news_tells_the_same_of_every_check_and_every_column(nights: Nights, tmp_path: Path) -> None:
    """Also where a file is not read again: the record keeps every column, the file has only some."""
    told = {
        "checks": "select * exclude (run_id) from audit.check_result order by all",
        "delivered": "from audit.delivered_column order by all",
        "set aside": "from audit.set_aside_count order by all",
        "balance": "select * exclude (run_id) from audit.row_ledger order by all",
    }
    odd = {**ANTIBODY[0], "end_date": "2022-01-01"}
    whole = registry(ann={"drug_exposure": [odd]}, bob=THREE["bob"]).write(tmp_path / "whole")
    (whole / "outcome.csv").write_text("patient_id,outcome_date,outcome\n")
    first = nights.run(whole, add=False)
    before = {name: first.rows(sql) for name, sql in told.items()}
    assert ("not_applicable",) in first.rows("select distinct status from audit.check_result")
    again = nights.run(whole, add=False)
    assert {name: again.rows(sql) for name, sql in told.items()} == before
    added = nights.run(whole, add=True)
    assert {name: added.rows(sql) for name, sql in told.items()} == before


def test_files_are_read_again_after_additions_replaced_rows_of_them(nights: Nights, tmp_path: Path) -> None:
    whole = registry(**THREE).write(tmp_path / "whole")
    first = content(nights.run(whole, add=False))
    nights.deliver(rows("biomarker", {"patient_id": "ann", "specimen_id": "s1", "specimen_site": "primary", **MUTANT}))
    assert content(nights.run(whole, add=False)) == first


def test_nothing_can_be_added_to_a_warehouse_that_is_not_there(nights: Nights) -> None:
    with pytest.raises(SourceError, match="no such warehouse"):
        nights.deliver(registry(**THREE))
