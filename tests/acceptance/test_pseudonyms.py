"""Ids become pseudonyms on the way in: none is in the file, and patients still merge, are corrected and deleted."""

from pathlib import Path

import pytest

from crlm_pipeline.errors import UsageError
from tests.acceptance.registry import Registry
from tests.acceptance.test_additions import MUTANT, THREE, Nights, mentions, registry, rows

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return key_file(tmp_path / "key", KEY)


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path / "nights")


def key_file(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


IDS = {"QZXanna": THREE["ann"], "QZXbert": THREE["bob"]}


def test_no_id_is_in_the_file_and_the_same_patient_of_two_sources_merges(nights: Nights, key: Path) -> None:
    nights.deliver(registry(**IDS), add=False, key=key)
    after = nights.deliver(rows("outcome", {"patient_id": " QZXanna ", "outcome_date": "2023-09-01", "outcome": "?"},
                                {"patient_id": "QZXanna", "outcome_date": "2023-09-01", "outcome": "progression"}),
                           key=key)  # fmt: skip
    assert after.one("select count(*) from extract.outcome inner join extract.patient using (patient_id)") == 1
    assert after.one("select count(*) from audit.rejected_row") == 1, "its record stands without the id"
    assert mentions(after, "QZX") == []
    assert b"QZX" not in nights.warehouse.read_bytes()
    assert all(len(one) == 32 for one in after.column("select patient_id from extract.patient"))


def test_corrections_and_deletions_find_their_patients(nights: Nights, key: Path) -> None:
    nights.deliver(registry(**IDS), add=False, key=key)
    corrected = {"patient_id": "QZXanna", "specimen_id": "s1", "specimen_site": "primary", **MUTANT}
    after = nights.deliver(rows("biomarker", corrected), key=key)
    assert sorted(after.column("select result from extract.biomarker where analyte = 'kras'")) == [
        "mutated", "not_detected",
    ]  # fmt: skip
    assert after.one("select count(*) from archive.biomarker where superseded_run_id is not null") == 1
    folder = Registry().write(nights.folder / "list")
    (folder / "deletion.csv").write_text("patient_id\nQZXanna\n")
    assert nights.run(folder, key=key).one("select count(*) from extract.patient") == 1


def test_another_key_or_none_is_refused_where_ids_must_meet(nights: Nights, key: Path, tmp_path: Path) -> None:
    before = nights.deliver(registry(**IDS), add=False, key=key).column("select patient_id from extract.patient")
    other = key_file(tmp_path / "other", KEY[::-1])
    for wrong in (other, None):
        with pytest.raises(UsageError, match="another key"):
            nights.deliver(registry(**IDS), key=wrong)
    after = nights.deliver(registry(**IDS), add=False, key=other).column("select patient_id from extract.patient")
    assert len(after) == 2
    assert not set(after) & set(before), "the same files are read again with the other key"


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [(KEY[1:], 0o600, "at least 32 bytes"), (KEY, 0o640, "others may read"), (KEY, 0o604, "others may read")],
)
def test_a_key_that_is_too_short_or_open_to_others_is_refused(
    nights: Nights, tmp_path: Path, text: str, mode: int, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem) as refusal:
        nights.deliver(registry(**IDS), add=False, key=key_file(tmp_path / "bad", text, mode))
    assert text not in str(refusal.value)


def test_a_key_that_is_not_there_is_refused(nights: Nights, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        nights.deliver(registry(**IDS), add=False, key=tmp_path / "nothing")
