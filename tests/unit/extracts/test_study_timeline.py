"""Timelines of a cBioPortal study: treatment, CEA and ECOG, outcomes, surgery, diagnosis."""

from pathlib import Path

import pytest

from crlm_pipeline.extracts.tables import Extract
from tests.unit.extracts.files import checks, table
from tests.unit.extracts.studies import event, patients, rows_of, sample, samples, study, timeline


def unmapped(extract: Extract, name: str = "data_timeline.txt") -> int:
    return next(file.unmapped_count for file in extract.files if file.file_name == name)


def told(extract: Extract, name: str) -> bool:
    return name in {part.table_name for part in extract.tables}


def test_treatment_events_become_exposures_and_radiation_does_not(tmp_path: Path) -> None:
    events = timeline(
        "AGENT TREATMENT_TYPE SUBTYPE",
        event("TREATMENT", "110", "OXALIPLATIN", "Medical Therapy", "Chemotherapy", end="120"),
        event("TREATMENT", "130", "PHOTONS", "Radiation Therapy"),
        event("Treatment", "130", "PHOTONS", "", "Radiation Therapy"),
        event("TREATMENT", "130", "OXALIPLATIN", patient="P9"),
        event("TREATMENT", "", "OXALIPLATIN"),
    )
    extract = study(tmp_path, data_timeline=events)
    exposures = table(extract, "drug_exposure").select("source_row", "patient_id", "drug", "start_date", "end_date")
    assert exposures.rows() == [(2, "P1", "OXALIPLATIN", "2000-01-11", "2000-01-21")]
    assert unmapped(extract) == 4
    assert rows_of(extract, "radiation_not_mapped") == (3, 4)
    assert rows_of(extract, "event_not_dated") == (5, 6)


@pytest.mark.parametrize(
    ("agent", "drugs"),
    [
        ("Fluorouracil, Leucovorin Calcium; Oxaliplatin", ["Fluorouracil", "Leucovorin Calcium", "Oxaliplatin"]),
        ("FOLFOX", ["fluorouracil", "oxaliplatin"]),
        ("mFOLFOX6 + Bevacizumab", ["mFOLFOX6", "Bevacizumab"]),
        ("Trifluridine and Tipiracil", ["Trifluridine and Tipiracil"]),
        ("trifluridine/tipiracil", ["trifluridine/tipiracil"]),
        ("Capecitabine, 6 cycles", ["Capecitabine"]),
        ("Cetuximab, Cetuximab", ["Cetuximab"]),
        (" , ", []),
    ],
)
def test_an_agent_may_hold_several_drugs_or_a_regimen(tmp_path: Path, agent: str, drugs: list[str]) -> None:
    extract = study(tmp_path, data_timeline=timeline("AGENT", event("TREATMENT", "110", agent)))
    assert [drug for drug in (table(extract, "drug_exposure")["drug"] if drugs else [])] == drugs
    assert unmapped(extract) == (0 if drugs else 1)


def test_the_number_of_a_regimen_is_no_line_and_a_registered_line_is(tmp_path: Path) -> None:
    events = timeline(
        "AGENT REGIMEN_NUMBER LINE_OF_TREATMENT TREATMENT_INTENT TREATMENT_SETTING",
        event("Treatment", "110", "Oxaliplatin", "2"),
        event("Treatment", "120", "Irinotecan", "3", "2", "Palliative"),
        event("Treatment", "130", "Capecitabine", "1", "", "Curative", "Adjuvant"),
        event("Treatment", "140", "Cetuximab", "1", "", "Guidance", "Salvage"),
    )
    exposures = table(study(tmp_path, data_timeline=events), "drug_exposure")
    assert exposures.select("line_registered", "intent").rows() == [
        (None, None),
        ("2", "palliative"),
        (None, "adjuvant"),
        (None, None),
    ]


def test_cea_and_ecog_of_one_day_are_one_assessment_whatever_timeline_tells_them(tmp_path: Path) -> None:
    labs = timeline(
        "TEST RESULT LR_UNIT_MEASURE",
        event("Lab_Test", "110", "CEA", "12.5", "ng/ml     "),
        event("LAB_TEST", "110", "PSA", "1", "ng/mL"),
    )
    status = timeline(
        "ECOG SUBTYPE",
        event("Diagnosis", "110", "1", "Performance Status"),
        event("Diagnosis", "112", "2.0", "Performance Status"),
    )
    extract = study(tmp_path, labs=labs, status=status)
    assessments = table(extract, "assessment").select("patient_id", "assessment_date", "cea_ng_ml", "ecog").rows()
    assert assessments == [("P1", "2000-01-11", "12.5", "1"), ("P1", "2000-01-13", None, "2")]
    assert (unmapped(extract, "labs.txt"), unmapped(extract, "status.txt")) == (1, 0)
    assert rows_of(extract, "event_not_mapped") == (3,)


@pytest.mark.parametrize(
    ("unit", "is_read"),
    [("ng/mL", True), ("ug/L", True), ("µg/L", True), ("kU/L", False), ("", False)],
)
def test_cea_counts_only_in_a_unit_that_equals_ours(tmp_path: Path, unit: str, is_read: bool) -> None:
    labs = timeline("TEST RESULT UNITS", event("LAB_TEST", "110", "CEA", "5", unit))
    extract = study(tmp_path, labs=labs)
    assert told(extract, "assessment") is is_read
    assert ("cea_unit_unknown" in checks(extract)) is not is_read


def test_a_second_value_of_the_same_day_is_left_to_validation_and_the_same_value_is_not(tmp_path: Path) -> None:
    values = ("5", "7", "5")
    labs = timeline("TEST RESULT UNITS", *(event("LAB_TEST", "110", "CEA", value, "ng/mL") for value in values))
    extract = study(tmp_path, labs=labs)
    assert table(extract, "assessment")["cea_ng_ml"].to_list() == ["5", "7"]
    assert unmapped(extract, "labs.txt") == 0


@pytest.mark.parametrize(("scale", "expected"), [("ECOG", ["2"]), ("KARNOFSKY", None)])
def test_performance_status_by_its_scale(tmp_path: Path, scale: str, expected: list[str] | None) -> None:
    events = timeline("SCORE_TYPE RESULT", event("PERFORMANCE_STATUS", "110", scale, "2"))
    extract = study(tmp_path, events=events)
    assert (table(extract, "assessment")["ecog"].to_list() if expected else None) == expected
    assert told(extract, "assessment") is (expected is not None)


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("Progressing/Worsening/Enlarging", "progression"),
        ("Stable/No change", "stable_disease"),
        ("Improving/Responding", None),  # partial or complete: not told
        ("Mixed", None),
        ("Not stated/Indeterminate", None),
    ],
)
def test_what_a_curator_read_is_an_outcome_only_where_it_can_mean_one(
    tmp_path: Path, words: str, outcome: str | None
) -> None:
    extract = study(tmp_path, notes=timeline("CURATED_CANCER_STATUS", event("MedOnc", "110", words)))
    assert (table(extract, "outcome")["outcome"].to_list() if outcome else None) == ([outcome] if outcome else None)
    assert told(extract, "outcome") is (outcome is not None)
    assert ("event_not_mapped" in checks(extract)) is (outcome is None)


def test_a_model_s_reading_of_a_scan_is_no_outcome(tmp_path: Path) -> None:
    header = "SUBTYPE PROGRESSION NLP_PROGRESSION_PROBABILITY"
    extract = study(tmp_path, scans=timeline(header, event("Diagnosis", "110", "Progression", "Y", "0.9985")))
    assert not told(extract, "outcome")
    assert rows_of(extract, "event_not_mapped") == (2,)


def test_a_status_in_the_words_of_recist_is_an_outcome_and_does_not_hide_the_death(tmp_path: Path) -> None:
    events = timeline(
        "STATUS",
        event("STATUS", "120", "Partial Response"),
        event("STATUS", "130", "DECEASED"),
        event("STATUS", "140", "Progressive Disease"),
        event("STATUS", "150", "a word"),
    )
    clinical = patients(("P1", "Male", "", "", "60"), descriptions="x")
    extract = study(tmp_path, events=events, data_clinical_patient=clinical)
    outcomes = table(extract, "outcome").select("outcome_date", "outcome").rows()
    assert outcomes == [("2000-01-21", "partial_response"), ("2000-02-10", "progression")]
    assert table(extract, "patient").select("vital_status", "death_date").rows() == [("dead", "2000-01-31")]


def test_survival_since_sequencing_counts_from_it_and_not_from_the_specimen(tmp_path: Path) -> None:
    events = timeline("", ("P1", "110", "", "SEQUENCING", "S1"))
    clinical = patients(("P1", "Male", "2", "1:DECEASED", "60"))  # 61 days
    row = table(study(tmp_path, events=events, data_clinical_patient=clinical), "patient").row(0, named=True)
    assert row["death_date"] == "2000-03-12"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Right hepatectomy", ["resection"]),
        ("LIVER WEDGE RESECTION", ["resection"]),
        ("Hemihepatectomy and radiofrequency ablation", ["resection", "rfa"]),
        ("Two-stage hepatectomy", ["two_stage"]),
        ("Microwave ablation of liver", ["mwa"]),
        ("Radioembolization of liver", ["sirt"]),
        ("Portal vein embolisation", ["pve"]),
        ("Ablation of liver", []),  # by which technique?
        ("Liver biopsy", []),
        ("Attempted hepatectomy", []),
        ("Resection of hepatic flexure", []),
        ("Radiofrequency ablation of lung, liver spared", []),
        ("Microwave ablation", []),
        ("Hemicolectomy", []),
        ("", []),
    ],
)
def test_surgery_of_the_liver_is_a_procedure_only_where_the_words_are_clear(
    tmp_path: Path, words: str, expected: list[str]
) -> None:
    extract = study(tmp_path, surgery=timeline("SUBTYPE", event("SURGERY", "130", words)))
    found = table(extract, "procedure").select("procedure_date", "procedure").rows() if expected else []
    assert found == [("2000-01-31", procedure) for procedure in expected]
    assert ("surgery_not_mapped" in checks(extract)) is not expected
    assert told(extract, "procedure") is bool(expected)


CHORD = "ADENOCARCINOMA | COLON, SIGMOID (M8140/3 | C187)"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("Primary", CHORD, ""), ("1999-11-12", "8140/3")),
        (("Primary", CHORD.replace("C187", "C509"), ""), (None, None)),
        (("", "", "Yes"), ("1999-11-12", None)),
        (("", "", "No"), (None, None)),
        (("Progression", "", ""), (None, None)),
    ],
)
def test_the_diagnosis_of_a_colorectal_or_index_cancer_dates_the_tumour(
    tmp_path: Path, cells: tuple[str, ...], expected: tuple[str | None, str | None]
) -> None:
    events = timeline("SUBTYPE DX_DESCRIPTION INDEX_CANCER", event("Diagnosis", "50", *cells))
    tumours = table(study(tmp_path, events=events), "tumour").select("diagnosis_date", "morphology")
    assert tumours.rows() == [expected]


def test_of_two_tumours_a_timeline_does_not_tell_which_was_diagnosed(tmp_path: Path) -> None:
    events = timeline("SUBTYPE DX_DESCRIPTION", event("Diagnosis", "50", "Primary", CHORD))
    clinical = samples(sample(), sample(name="S2", primary_site="Rectum"))
    tumours = table(study(tmp_path, events=events, data_clinical_sample=clinical), "tumour")
    assert tumours["diagnosis_date"].to_list() == [None, None]


@pytest.mark.parametrize("day", ["1e300", "nan", "-400000", "soon"])
def test_a_day_beyond_any_life_has_no_place_in_time(tmp_path: Path, day: str) -> None:
    extract = study(tmp_path, events=timeline("AGENT", event("TREATMENT", day, "Oxaliplatin")))
    assert not told(extract, "drug_exposure")
    assert rows_of(extract, "event_not_dated") == (2,)
