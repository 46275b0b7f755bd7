"""Semantics, "Series and editions", "Unknown", "Order of judgement", "Labels", "Pathway": verdicts from rows."""

from dataclasses import replace

import pytest

from tests.acceptance.registry import (
    FOLFIRI,
    FOLFOX,
    SETTINGS,
    Answers,
    Patient,
    Registry,
    Row,
    joined,
    palliative,
)

REGISTRY = Registry(replace(SETTINGS, guidelines=()))

START = "2023-02-01"
KNOWN = "2022-06-01"
RAS_WILD = [
    {"analyte": gene, "result": "not_detected", "region_tested": "all", "report_date": KNOWN}
    for gene in ("kras", "nras")
]
RAS_MUTANT = [{"analyte": "kras", "result": "mutated", "hgvs_p": "p.Gly12Val", "report_date": KNOWN}]
BRAF_WILD = [{"analyte": "braf", "result": "not_detected", "report_date": KNOWN}]
V600E = [{"analyte": "braf", "result": "mutated", "hgvs_p": "p.Val600Glu", "report_date": KNOWN}]
MSS = [{"analyte": "msi", "result": "mss", "report_date": KNOWN}]
MSI_H = [{"analyte": "msi", "result": "msi_h", "report_date": KNOWN}]
WILD = [*RAS_WILD, *BRAF_WILD, *MSS]
MUTANT = [*RAS_MUTANT, *BRAF_WILD, *MSS]
LEFT, RIGHT = [{"topography": "C18.7"}], [{"topography": "C18.0"}]
FIT = [{"assessment_date": "2023-01-20", "ecog": 0, "resectability": "never"}]
ANTI_EGFR = FOLFOX + " + cetuximab"
BEVACIZUMAB = FOLFOX + " + bevacizumab"


def of(country: str, **cells: object) -> list[Row]:
    return [{"country": country, **cells}]


LINE_0 = palliative("capecitabine", "2023-03-01", "2023-06-01", intent="adjuvant")


# Countries and editions.

COUNTRIES = {
    "US": {"asco", "crlm_editorial", "esmo", "evidence", "fda"},
    "DE": {"asco", "crlm_editorial", "esmo", "evidence", "ema"},
    "NO": {"asco", "crlm_editorial", "esmo", "evidence", "ema"},
    "NL": {"asco", "crlm_editorial", "esmo", "evidence", "ema", "netherlands"},
    "GB": {"asco", "crlm_editorial", "esmo", "evidence"},
    "ZZ": {"asco", "crlm_editorial", "esmo", "evidence"},
}
for country in COUNTRIES:
    REGISTRY.add(
        f"in_{country}",
        patient=of(country),
        tumour=LEFT,
        biomarker=WILD,
        assessment=[{"assessment_date": "2024-03-01", "resectability": "upfront", "ecog": 0, "crlm_count": 1}],
        procedure=[{"procedure": "resection", "procedure_date": "2024-03-10"}],
        drug_exposure=palliative(ANTI_EGFR, "2024-02-01", "2024-02-20"),
    )


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_series_that_does_not_apply_in_the_country_has_no_row(answers: Answers, country: str) -> None:
    series = answers.column(
        "select distinct guideline from cohort.verdict where decision_id = $id", id=f"in_{country}/systemic/1"
    )
    assert set(series) == COUNTRIES[country]


def test_nccn_judges_only_when_asked_for(answers: Answers) -> None:
    assert answers.one("select count(*) from cohort.verdict where guideline = 'nccn'") == 0


EDITIONS = {
    "2016-07-04": (None, "not_in_force", False, False),
    "2016-07-05": ("esmo_2016_07", "concordant_preferred", False, False),
    "2022-10-24": ("esmo_2016_07", "concordant_preferred", False, False),
    "2022-10-25": ("esmo_2016_07", "concordant_preferred", True, False),
    "2023-01-22": ("esmo_2016_07", "concordant_preferred", True, False),
    "2023-01-23": ("esmo_2022_10", "discordant_not_recommended", False, False),
    "2023-07-27": ("esmo_2022_10", "discordant_not_recommended", False, False),
    "2023-07-28": ("esmo_2022_10", "discordant_not_recommended", False, True),
}
for start in EDITIONS:
    known = [{**row, "report_date": "2016-01-01"} for row in WILD]
    REGISTRY.add(
        f"from_{start}",
        tumour=[{**RIGHT[0], "diagnosis_date": "2015-01-01"}],
        biomarker=known,
        drug_exposure=palliative(ANTI_EGFR, start),
    )


@pytest.mark.parametrize("start", EDITIONS)
def test_the_edition_of_the_day_judges_and_for_90_days_the_kinder_one(answers: Answers, start: str) -> None:
    columns = "edition_id, verdict, is_within_grace, is_edition_superseded"
    assert Patient(answers, f"from_{start}").verdict("systemic/1", "esmo", columns) == EDITIONS[start]


def test_both_editions_are_listed_within_grace(answers: Answers) -> None:
    listed = """
        select distinct edition_id from cohort.recommendation
        where decision_id = $id and guideline = 'esmo' order by all
    """
    both = ["esmo_2016_07", "esmo_2022_10"]
    assert answers.column(listed, id="from_2023-01-22/systemic/1") == both
    assert answers.column(listed, id="from_2023-01-23/systemic/1") == both[1:]


# Unknown.


@REGISTRY.patient(
    tumour=LEFT, biomarker=[*RAS_WILD, *BRAF_WILD], drug_exposure=palliative(ANTI_EGFR, START), assessment=FIT
)
def test_an_unknown_that_decides_makes_the_decision_not_evaluable_and_is_named(patient: Patient) -> None:
    verdict, missing, unlocking, would_be = patient.verdict(
        "systemic/1", "esmo", "verdict, missing_facts, unlocking_facts, would_be"
    )
    assert (verdict, missing, unlocking) == ("not_evaluable", ["msi"], ["msi"])
    assert would_be


@REGISTRY.patient(tumour=LEFT, biomarker=WILD, drug_exposure=palliative(ANTI_EGFR, START))
def test_a_missing_ecog_does_not_make_a_decision_not_evaluable(patient: Patient) -> None:
    assert patient.verdict("systemic/1", "esmo") == "concordant_preferred"
    assert patient.fact("is_fitness_known") is False


@REGISTRY.patient(
    tumour=LEFT,
    biomarker=[RAS_WILD[0], *BRAF_WILD, *MSS],
    drug_exposure=palliative(BEVACIZUMAB, START),
    assessment=FIT,
)
def test_partial_wild_type_counts_as_unknown_to_the_ladder(patient: Patient) -> None:
    assert patient.fact("ras") == "partial_wild_type"
    held = (
        "select distinct rule_id from cohort.recommendation where decision_id = $id and guideline = 'esmo' order by all"
    )
    rules = patient.answers.column(held, id=f"{patient.patient_id}/systemic/1")
    assert {"esmo.f05", "esmo.f06"} <= set(rules)


@REGISTRY.patient(tumour=LEFT, biomarker=[RAS_WILD[0], *BRAF_WILD, *MSS], drug_exposure=palliative(ANTI_EGFR, START))
def test_a_safety_rule_that_asks_for_unknown_fires_on_partial_wild_type(patient: Patient) -> None:
    assert patient.verdict("systemic/1", "esmo", "verdict, rule_id") == ("contraindicated", "esmo.x02")


@REGISTRY.patient(tumour=LEFT, drug_exposure=palliative("pembrolizumab", START))
def test_a_checkpoint_inhibitor_before_msi_is_known_is_not_recommended(patient: Patient) -> None:
    assert patient.verdict("systemic/1", "esmo", "verdict, rule_id") == ("discordant_not_recommended", "esmo.x06u")


@REGISTRY.patient(
    tumour=LEFT,
    biomarker=[*MSI_H, {"analyte": "msi", "result": "mss", "report_date": KNOWN}, *BRAF_WILD, *RAS_WILD],
    drug_exposure=palliative("pembrolizumab", START),
)
def test_a_conflict_is_not_unknown_to_a_safety_rule(patient: Patient) -> None:
    assert patient.fact("msi") == "conflict"
    fired = patient.answers.column(
        "select rule_id from cohort.safety_finding where decision_id = $id and verdict is not null",
        id=f"{patient.patient_id}/systemic/1",
    )
    assert "esmo.x06u" not in fired
    assert patient.verdict("systemic/1", "esmo") == "not_evaluable"


@REGISTRY.patient(
    tumour=LEFT, biomarker=[*RAS_WILD, *BRAF_WILD], drug_exposure=palliative("sotorasib + cetuximab", START)
)
def test_a_safety_rule_that_cannot_be_checked_is_kept_without_a_verdict(patient: Patient) -> None:
    rows = patient.answers.rows(
        "select verdict, reason from cohort.safety_finding where decision_id = $id and verdict is null",
        id=f"{patient.patient_id}/systemic/1",
    )
    assert all(reason.lower().startswith("cannot be checked") for _, reason in rows)


@REGISTRY.patient(
    tumour=LEFT,
    biomarker=[*MSS, *V600E],
    drug_exposure=palliative("encorafenib + cetuximab", "2023-06-01"),
)
def test_an_untested_ras_is_contraindicated_even_with_a_braf_inhibitor(patient: Patient) -> None:
    assert patient.verdict("systemic/1", "esmo", "verdict, rule_id") == ("contraindicated", "esmo.x02")


@REGISTRY.patient(
    tumour=LEFT,
    biomarker=[*MSS, *BRAF_WILD, {"analyte": "kras", "result": "mutated", "hgvs_p": "G12C", "report_date": KNOWN}],
    drug_exposure=joined(
        palliative(FOLFOX, "2022-07-01", "2022-10-01"),
        palliative(FOLFIRI, "2022-11-01", "2023-01-01"),
        palliative("sotorasib + panitumumab", START),
    ),
)
def test_an_antibody_beside_a_g12c_inhibitor_is_no_contraindication(patient: Patient) -> None:
    assert patient.verdict("systemic/3", "esmo") not in {"contraindicated", "discordant_not_recommended"}


# Order of judgement.


@REGISTRY.patient(
    tumour=LEFT,
    biomarker=MUTANT,
    drug_exposure=[*palliative(FOLFOX, START), *palliative("cetuximab", START, trial_id="NCT1")],
)
def test_a_trial_on_any_drug_takes_the_decision_out_before_safety_is_judged(patient: Patient) -> None:
    assert patient.verdict("systemic/1", "esmo") == "out_of_scope"
    fired = patient.answers.column(
        "select rule_id from cohort.safety_finding where decision_id = $id and verdict is not null",
        id=f"{patient.patient_id}/systemic/1",
    )
    assert "esmo.x01" in fired


DEVIATIONS = {
    "trial_60": ("2022-12-03", "trial", BEVACIZUMAB, WILD, "out_of_scope"),
    "trial_61": ("2022-12-02", "trial", BEVACIZUMAB, WILD, "concordant_alternative"),
    "reason_60": ("2022-12-03", "patient_choice", "capecitabine", WILD, "out_of_scope"),
    "reason_same_day": (START, "urgent", "capecitabine", WILD, "out_of_scope"),
    "reason_61": ("2022-12-02", "patient_choice", "capecitabine", WILD, "discordant_not_given"),
    "reason_later": ("2023-02-02", "patient_choice", "capecitabine", WILD, "discordant_not_given"),
    "reason_covers_not_recommended": (START, "comorbidity", "pembrolizumab", MUTANT, "out_of_scope"),
    "reason_never_covers_contraindicated": (START, "access", ANTI_EGFR, MUTANT, "contraindicated"),
    "reason_leaves_concordant": (START, "toxicity", ANTI_EGFR, WILD, "concordant_preferred"),
}
for name, (day, reason, regimen, biomarker, _) in DEVIATIONS.items():
    REGISTRY.add(
        f"mdt_{name}",
        tumour=LEFT,
        biomarker=biomarker,
        assessment=FIT,
        drug_exposure=palliative(regimen, START),
        mdt=[{"mdt_date": day, "deviation_reason": reason}],
    )


@pytest.mark.parametrize("name", DEVIATIONS)
def test_a_recorded_reason_within_60_days_takes_a_discordant_decision_out(answers: Answers, name: str) -> None:
    assert Patient(answers, f"mdt_{name}").verdict("systemic/1", "esmo") == DEVIATIONS[name][-1]


SCOPE: dict[str, dict[str, list[Row]]] = {
    "minor": {"patient": of("ZZ", birth_year=2006)},
    "anus": {"tumour": [{"topography": "C21.0"}]},
    "neuroendocrine": {"tumour": [{"topography": "C18.7", "morphology": "8246/3"}]},
}
for name, tables in SCOPE.items():
    REGISTRY.add(f"scope_{name}", drug_exposure=palliative(FOLFOX, START), **tables)


@pytest.mark.parametrize("name", SCOPE)
def test_minors_and_other_tumours_are_out_of_scope(answers: Answers, name: str) -> None:
    assert Patient(answers, f"scope_{name}").verdict("systemic/1", "esmo") == "out_of_scope"


@REGISTRY.patient(patient=of("ZZ", birth_year=2005), drug_exposure=palliative(FOLFOX, START))
def test_the_year_of_the_18th_birthday_is_in_scope(patient: Patient) -> None:
    assert patient.verdict("systemic/1", "esmo") != "out_of_scope"


@REGISTRY.patient(
    tumour=LEFT,
    biomarker=[*V600E, *MSS, *RAS_WILD],
    assessment=FIT,
    drug_exposure=palliative(ANTI_EGFR, START),
)
def test_a_safety_rule_that_advises_against_is_the_verdict(patient: Patient) -> None:
    assert patient.verdict("systemic/1", "esmo", "verdict, rule_id") == ("discordant_not_recommended", "esmo.x03")


@REGISTRY.patient(
    tumour=LEFT,
    biomarker=[*MSI_H, *BRAF_WILD, *RAS_WILD],
    assessment=[{**FIT[0], "contraindications": "autoimmune"}],
    drug_exposure=palliative(ANTI_EGFR, START),
)
def test_a_rule_without_an_option_left_is_passed_over(patient: Patient) -> None:
    assert patient.verdict("systemic/1", "esmo", "verdict, rule_id") == ("concordant_preferred", "esmo.f06")


@REGISTRY.patient(
    tumour=LEFT,
    biomarker=[*MSI_H, *BRAF_WILD, *RAS_WILD],
    assessment=FIT,
    drug_exposure=palliative(ANTI_EGFR, START),
)
def test_a_recommended_class_not_given_is_discordant(patient: Patient) -> None:
    assert patient.verdict("systemic/1", "esmo", "verdict, rule_id") == ("discordant_not_given", "esmo.f01a")


# Labels.

LABELS = {
    "listed_in_wording": ("US", "encorafenib + cetuximab", "2023-06-01", "on_label"),
    "not_yet_approved": ("US", "adagrasib + cetuximab", "2024-01-15", "off_label"),
    "no_listed_drug": ("US", FOLFOX, "2023-06-01", "no_rule"),
    "never_approved_there": ("DE", "adagrasib + cetuximab", "2024-08-01", "off_label"),
}
for name, (country, regimen, start, _) in LABELS.items():
    REGISTRY.add(
        f"label_{name}",
        patient=of(country),
        tumour=LEFT,
        biomarker=[
            *MSS,
            *(V600E if "encorafenib" in regimen else BRAF_WILD),
            *(
                RAS_WILD
                if "encorafenib" in regimen
                else [{"analyte": "kras", "result": "mutated", "hgvs_p": "G12C", "report_date": KNOWN}]
            ),
        ],
        drug_exposure=joined(
            palliative(FOLFOX, "2022-07-01", "2022-09-01"),
            palliative(FOLFIRI, "2022-11-01", "2023-01-01"),
            palliative(regimen, start),
        ),
    )


@pytest.mark.parametrize("name", LABELS)
def test_a_regimen_is_on_label_when_every_listed_drug_is(answers: Answers, name: str) -> None:
    country, _, _, verdict = LABELS[name]
    series = "fda" if country == "US" else "ema"
    assert Patient(answers, f"label_{name}").verdict("systemic/3", series) == verdict


# Shape of the answers.


def test_every_decision_has_one_verdict_per_series_that_applies(answers: Answers) -> None:
    n, n_distinct = answers.one("select count(*), count(distinct (decision_id, guideline)) from cohort.verdict")
    assert n == n_distinct
    everywhere = "select count(*) from cohort.verdict where guideline = 'esmo'"
    assert answers.one(everywhere) == answers.one("select count(*) from cohort.decision")


def test_facts_are_missing_only_where_a_decision_is_not_evaluable(answers: Answers) -> None:
    assert (
        answers.one("select count(*) from cohort.verdict where verdict != 'not_evaluable' and len(missing_facts) > 0")
        == 0
    )
    assert (
        answers.one(
            """
        select count(*) from cohort.verdict
        where verdict = 'not_evaluable' and (
            len(missing_facts) = 0 or len(unlocking_facts) = 0 or missing_facts != list_sort(missing_facts)
            or not list_has_all(missing_facts, unlocking_facts)
        )
        """
        )
        == 0
    )


def test_missing_facts_are_columns_of_the_decision_and_unknown_there(answers: Answers) -> None:
    names = set(answers.column("select distinct unnest(missing_facts) from cohort.verdict"))
    columns = set(answers.column("select column_name from information_schema.columns where table_name = 'decision'"))
    assert names <= columns


def test_rule_ids_are_the_series_and_the_clinical_id(answers: Answers) -> None:
    wrong = answers.column(
        """
        select distinct rule_id from cohort.verdict
        where rule_id is not null and not regexp_full_match(rule_id, guideline || '\\.[a-z0-9_]+')
        """
    )
    assert wrong == []


def test_every_rule_named_is_in_the_guideline_tables(answers: Answers) -> None:
    lost = answers.column(
        """
        select distinct rule_id from (
            select edition_id, rule_id from cohort.verdict where rule_id is not null
            union all select edition_id, rule_id from cohort.safety_finding
            union all select edition_id, rule_id from cohort.recommendation
        ) anti join guideline.rule using (edition_id, rule_id)
        """
    )
    assert lost == []


def test_every_metastatic_patient_is_annotated_in_every_series_that_applies(answers: Answers) -> None:
    lost = answers.rows(
        """
        select patient.patient_id from cohort.patient as patient
        anti join cohort.patient_pathway as pathway
            on patient.patient_id = pathway.patient_id and pathway.guideline = 'esmo'
        where patient.is_metastatic
        """
    )
    assert lost == []


@REGISTRY.patient(
    tumour=LEFT, biomarker=WILD, assessment=FIT, drug_exposure=palliative("pembrolizumab", START, "2023-06-01")
)
def test_a_pathway_stands_on_the_next_decision(patient: Patient) -> None:
    row = patient.asked(
        "select basis, pathway is not null from cohort.patient_pathway where patient_id = $id and guideline = 'esmo'"
    )
    assert row == ("next", True)


@REGISTRY.patient(tumour=LEFT, biomarker=[*RAS_WILD, *BRAF_WILD], drug_exposure=LINE_0, assessment=FIT)
def test_candidates_of_different_pathways_are_test_first(patient: Patient) -> None:
    row = patient.asked(
        """
        select basis, pathway, certainty, missing_facts from cohort.patient_pathway
        where patient_id = $id and guideline = 'esmo'
        """
    )
    assert row == ("next", "test_first", "provisional", ["msi"])


# Required tests.


@REGISTRY.patient(
    tumour=LEFT,
    biomarker=[
        {**MSS[0], "report_date": START},
        {**RAS_WILD[0], "report_date": "2023-02-02"},
        {**RAS_WILD[1], "report_date": "2023-02-02"},
    ],
    drug_exposure=palliative(FOLFOX, START),
)
def test_a_required_test_is_in_time_late_or_missing(patient: Patient) -> None:
    status = dict(
        patient.answers.rows(
            """
            select analyte, status from cohort.required_test
            where decision_id = $id and guideline = 'esmo' and analyte in ('msi', 'extended_ras', 'braf')
            """,
            id=f"{patient.patient_id}/systemic/1",
        )
    )
    assert status == {"msi": "in_time", "extended_ras": "late", "braf": "missing"}
