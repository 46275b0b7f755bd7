"""Extract contract: keys, duplicates, rejected rows and cells, the ledger, and checks across tables."""

from collections.abc import Sequence

import pytest

from tests.acceptance.registry import FOLFOX, Answers, Patient, Registry, Row, drugs, palliative

REGISTRY = Registry()
START = "2023-03-01"


def extract_rows(patient: Patient, table: str) -> int:
    n: int = patient.asked(f"select count(*) from extract.{table} where patient_id = $id")  # noqa: S608
    return n


# Keys and duplicates.


@REGISTRY.patient(drug_exposure=[*drugs("capecitabine", START), *drugs("capecitabine", START)])
def test_a_row_equal_in_every_column_is_a_duplicate_and_no_rejection(patient: Patient) -> None:
    assert extract_rows(patient, "drug_exposure") == 1
    assert patient.rejections() == []


@REGISTRY.patient(drug_exposure=[*drugs("capecitabine", START), *drugs("capecitabine", START, dose_mg="1500")])
def test_a_table_without_a_key_keeps_rows_that_differ(patient: Patient) -> None:
    assert extract_rows(patient, "drug_exposure") == 2


@REGISTRY.patient(patient=[{"sex": "male"}, {"sex": "female"}])
def test_a_second_patient_row_with_other_content_is_rejected(patient: Patient) -> None:
    assert patient.rejections() == [("patient", "row", "key_conflict", "patient_id")]
    assert patient.asked("select sex from extract.patient where patient_id = $id") == "male"


@REGISTRY.patient(patient=[{"centre_id": "first"}, {"centre_id": "second"}])
def test_a_patient_in_two_centres_keeps_the_first_row_with_a_finding(patient: Patient) -> None:
    assert patient.cohort("centre_id") == "first"
    assert [check for _, _, check, _ in patient.rejections()] == ["patient_in_two_centres"]


@REGISTRY.patient(tumour=[{"topography": "C18.0"}, {"topography": "C18.7"}, {"topography": "C18.7", "tumour_id": "2"}])
def test_a_tumour_is_known_by_patient_and_tumour(patient: Patient) -> None:
    assert patient.rejections() == [("tumour", "row", "key_conflict", "tumour_id")]
    assert extract_rows(patient, "tumour") == 2


@REGISTRY.patient(assessment=[{"assessment_date": START, "ecog": 1}, {"assessment_date": START, "ecog": 2}])
def test_an_assessment_is_known_by_patient_and_date(patient: Patient) -> None:
    assert patient.rejections() == [("assessment", "row", "key_conflict", "assessment_date")]
    assert patient.asked("select ecog from extract.assessment where patient_id = $id") == 1


# Required cells and vocabularies.

REJECTED: dict[str, tuple[str, Row, str]] = {
    "no_topography": ("tumour", {"topography": ""}, "topography"),
    "bad_topography": ("tumour", {"topography": "colon"}, "topography"),
    "no_assessment_date": ("assessment", {"assessment_date": ""}, "assessment_date"),
    "bad_assessment_date": ("assessment", {"assessment_date": "01.02.2023"}, "assessment_date"),
    "no_specimen": ("biomarker", {"specimen_id": "", "analyte": "kras", "result": "mutated"}, "specimen_id"),
    "bad_analyte": ("biomarker", {"analyte": "tp53", "result": "mutated"}, "analyte"),
    "bad_result": ("biomarker", {"analyte": "kras", "result": "positive"}, "result"),
    "upper_case": ("biomarker", {"analyte": "KRAS", "result": "mutated"}, "analyte"),
    "no_drug": ("drug_exposure", {"drug": "", "start_date": START}, "drug"),
    "no_start": ("drug_exposure", {"drug": "capecitabine", "start_date": ""}, "start_date"),
    "future_start": ("drug_exposure", {"drug": "capecitabine", "start_date": "2098-01-01"}, "start_date"),
    "bad_procedure": ("procedure", {"procedure": "surgery", "procedure_date": START}, "procedure"),
    "no_mdt_date": ("mdt", {"mdt_date": ""}, "mdt_date"),
    "bad_outcome": ("outcome", {"outcome": "better", "outcome_date": START}, "outcome"),
    "end_before_start": ("drug_exposure", {"drug": "x", "start_date": START, "end_date": "2023-02-28"}, "end_date"),
    "report_before_sample": (
        "biomarker",
        {"analyte": "kras", "result": "mutated", "sample_date": START, "report_date": "2023-02-28"},
        "report_date",
    ),
}
for name, (table, row, _) in REJECTED.items():
    REGISTRY.add(f"rejected_{name}", **{table: [row]})

SET_ASIDE: dict[str, tuple[str, Row, str]] = {
    "intent": ("drug_exposure", {"drug": "x", "start_date": START, "intent": "salvage"}, "intent"),
    "end_date": ("drug_exposure", {"drug": "x", "start_date": START, "end_date": "soon"}, "end_date"),
    "future_end": ("drug_exposure", {"drug": "x", "start_date": START, "end_date": "2098-01-01"}, "end_date"),
    "line": ("drug_exposure", {"drug": "x", "start_date": START, "line_registered": "first"}, "line_registered"),
    "ecog_word": ("assessment", {"assessment_date": START, "ecog": "good"}, "ecog"),
    "ecog_5": ("assessment", {"assessment_date": START, "ecog": "5"}, "ecog"),
    "boolean": ("assessment", {"assessment_date": START, "is_bilobar": "yes"}, "is_bilobar"),
    "list": ("assessment", {"assessment_date": START, "mets_sites": "liver;skin"}, "mets_sites"),
    "lesion_0": ("assessment", {"assessment_date": START, "crlm_max_mm": "0.9"}, "crlm_max_mm"),
    "lesion_301": ("assessment", {"assessment_date": START, "crlm_max_mm": "301"}, "crlm_max_mm"),
    "flr_4": ("assessment", {"assessment_date": START, "flr_percent": "4.9"}, "flr_percent"),
    "flr_101": ("assessment", {"assessment_date": START, "flr_percent": "100.1"}, "flr_percent"),
    "count_100": ("assessment", {"assessment_date": START, "crlm_count": "100"}, "crlm_count"),
    "nodes_91": ("tumour", {"nodes_positive": "91"}, "nodes_positive"),
    "margin": ("tumour", {"resection_margin": "rx"}, "resection_margin"),
    "diagnosis": ("tumour", {"diagnosis_date": "2023-13-01"}, "diagnosis_date"),
    "method": ("biomarker", {"analyte": "kras", "result": "mutated", "method": "magic"}, "method"),
    "region": ("biomarker", {"analyte": "kras", "result": "mutated", "region_tested": "exon5"}, "region_tested"),
    "bead": ("procedure", {"procedure": "sirt", "procedure_date": START, "bead_type": "wood"}, "bead_type"),
    "mdt_type": ("mdt", {"mdt_date": START, "mdt_type": "lung"}, "mdt_type"),
    "birth_year": ("patient", {"birth_year": "1899"}, "birth_year"),
    "sex": ("patient", {"sex": "f"}, "sex"),
}
for name, (table, row, _) in SET_ASIDE.items():
    REGISTRY.add(f"aside_{name}", **{table: [row]})


@pytest.mark.parametrize("name", REJECTED)
def test_a_bad_value_in_a_required_column_or_an_impossible_row_rejects_the_row(answers: Answers, name: str) -> None:
    table, _, column = REJECTED[name]
    patient = Patient(answers, f"rejected_{name}")
    assert [(where, scope, col) for where, scope, _, col in patient.rejections()] == [(table, "row", column)]
    assert extract_rows(patient, table) == 0
    assert patient.cohort("patient_id") == patient.patient_id


@pytest.mark.parametrize("name", SET_ASIDE)
def test_a_bad_value_in_any_other_column_is_set_aside_and_the_row_kept(answers: Answers, name: str) -> None:
    table, _, column = SET_ASIDE[name]
    patient = Patient(answers, f"aside_{name}")
    assert [(where, scope, col) for where, scope, _, col in patient.rejections()] == [(table, "cell", column)]
    assert patient.asked(f"select {column} from extract.{table} where patient_id = $id") is None  # noqa: S608


def bad_patients() -> dict[str, Row]:
    return {
        "no_country": {"country": ""},
        "no_such_country": {"country": "XX"},
        "uk": {"country": "UK"},
        "lower_case_country": {"country": "nl"},
        "no_centre": {"centre_id": ""},
    }


for name, row in bad_patients().items():
    REGISTRY.add(f"bad_{name}", patient=[row], drug_exposure=palliative(FOLFOX, START))


@pytest.mark.parametrize("name", bad_patients())
def test_the_rows_of_a_rejected_patient_are_rejected_too(answers: Answers, name: str) -> None:
    patient = Patient(answers, f"bad_{name}")
    assert [(table, check) for table, _, check, _ in patient.rejections()][:2] == [
        ("drug_exposure", "patient_missing"),
        ("drug_exposure", "patient_missing"),
    ]
    assert answers.rows("select * from cohort.patient where patient_id = $id", id=patient.patient_id) == []


REGISTRY.raw["outcome"] = [{"patient_id": "nobody", "outcome": "progression", "outcome_date": START}]


def test_a_row_whose_patient_is_missing_is_rejected(answers: Answers) -> None:
    assert Patient(answers, "nobody").rejections() == [("outcome", "row", "patient_missing", "patient_id")]


# Odd but possible rows are kept with a warning; impossible ones are not.


@REGISTRY.patient(
    patient=[{"vital_status": "dead", "death_date": START}],
    drug_exposure=[*drugs("capecitabine", START), *drugs("oxaliplatin", "2023-03-02")],
    procedure=[{"procedure": "rfa", "procedure_date": "2023-03-02"}],
)
def test_no_treatment_starts_after_death(patient: Patient) -> None:
    assert [(table, scope) for table, scope, _, _ in patient.rejections()] == [
        ("drug_exposure", "row"),
        ("procedure", "row"),
    ]
    assert extract_rows(patient, "drug_exposure") == 1


DIAGNOSED = [{"diagnosis_date": "2023-03-01"}, {"diagnosis_date": "2023-06-01", "tumour_id": "2"}]
ODD: dict[str, tuple[str, dict[str, Sequence[Row]]]] = {
    "metastasis_32_days_before": (
        "assessment",
        {"tumour": DIAGNOSED, "assessment": [{"assessment_date": START, "mets_diagnosis_date": "2023-01-28"}]},
    ),
    "minor": ("tumour", {"patient": [{"birth_year": 2006}], "tumour": DIAGNOSED[:1]}),
    "anus": ("tumour", {"tumour": [{"topography": "C21.1"}]}),
    "neuroendocrine": ("tumour", {"tumour": [{"morphology": "8240/3"}]}),
    "codon_12": ("biomarker", {"biomarker": [{"analyte": "kras", "result": "not_detected", "hgvs_p": "p.Gly12Asp"}]}),
    "backwards": (
        "drug_exposure",
        {
            "drug_exposure": [
                *palliative("capecitabine", START, line_registered=2),
                *palliative("irinotecan", "2023-06-01", line_registered=1),
            ]
        },
    ),
}
for name, (_, tables) in ODD.items():
    REGISTRY.add(f"odd_{name}", **tables)
NOT_ODD: dict[str, tuple[str, dict[str, Sequence[Row]]]] = {
    "metastasis_31_days_before": (
        "assessment",
        {"tumour": DIAGNOSED, "assessment": [{"assessment_date": START, "mets_diagnosis_date": "2023-01-29"}]},
    ),
    "of_age": ("tumour", {"patient": [{"birth_year": 2005}], "tumour": DIAGNOSED[:1]}),
    "adenocarcinoma": ("tumour", {"tumour": [{"morphology": "8140/3"}, {"morphology": "8480/3", "tumour_id": "2"}]}),
}
for name, (_, tables) in NOT_ODD.items():
    REGISTRY.add(f"not_odd_{name}", **tables)


@pytest.mark.parametrize("name", ODD)
def test_odd_rows_are_kept_with_a_warning(answers: Answers, name: str) -> None:
    table, tables = ODD[name]
    patient = Patient(answers, f"odd_{name}")
    assert patient.warnings(table) != []
    assert patient.rejections() == []
    assert extract_rows(patient, table) == len(tables[table])


@pytest.mark.parametrize("name", NOT_ODD)
def test_what_is_within_its_bounds_is_not_odd(answers: Answers, name: str) -> None:
    assert Patient(answers, f"not_odd_{name}").warnings(NOT_ODD[name][0]) == []


# The ledger.


def test_the_ledger_balances_and_agrees_with_the_extract(answers: Answers) -> None:
    ledger = answers.rows(
        "select table_name, rows_read, rows_accepted, rows_rejected, rows_duplicate from audit.row_ledger order by all"
    )
    assert [table for table, *_ in ledger] == sorted(
        table for table in REGISTRY.patients["odd_minor"] | REJECTED_TABLES
    )
    for table, read, accepted, rejected, duplicate in ledger:
        assert read == accepted + rejected + duplicate == len(REGISTRY.rows(table))
        assert answers.one(f"select count(*) from extract.{table}") == accepted  # noqa: S608
        rejected_rows = """
            select count(distinct (source_file_id, source_row)) from audit.rejected_row
            where table_name = $table_name and scope = 'row'
        """
        assert answers.one(rejected_rows, table_name=table) == rejected


REJECTED_TABLES = dict.fromkeys(table for table, _, _ in REJECTED.values())


def test_a_rejection_names_file_row_and_check_and_no_value(answers: Answers) -> None:
    rows = answers.rows(
        """
        select rejected.source_row, rejected.message, rejected.raw_row, file.file_name
        from audit.rejected_row as rejected
        inner join audit.source_file as file using (source_file_id)
        where contains(raw_row, 'rejected_bad_result')
        """
    )
    ((source_row, message, raw_row, file_name),) = rows
    delivered = REGISTRY.rows("biomarker")
    assert delivered[source_row - 1]["patient_id"] == "rejected_bad_result"
    assert file_name.endswith("biomarker.csv")
    assert "positive" in raw_row
    assert "positive" not in message


def test_findings_count_their_rows(answers: Answers) -> None:
    wrong = answers.rows(
        """
        select finding.finding_id, finding.row_count, count(place.source_row)
        from audit.finding as finding
        left join audit.finding_row as place using (finding_id)
        where finding.state != 'resolved' and finding.table_name is not null
        group by all
        having finding.row_count != count(place.source_row)
        """
    )
    assert wrong == []


@REGISTRY.patient(drug_exposure=drugs("capecitabine", START, favourite_colour="blue"))
def test_an_unknown_column_is_kept_out_with_a_finding(patient: Patient) -> None:
    assert extract_rows(patient, "drug_exposure") == 1
    checks = patient.answers.column("select check_name from audit.finding where table_name = 'drug_exposure'")
    assert any("column" in check for check in checks)
