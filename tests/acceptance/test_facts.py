"""Semantics, "Facts" and clinical 3: what each fact of a decision is, from the rows that a registry delivers."""

import pytest

from tests.acceptance.registry import FOLFOX, Answers, Patient, Registry, Row, palliative

REGISTRY = Registry()
START = "2023-03-01"
ALL = "12;13;59;61;117;146"


def decided(patient_id: str, **tables: list[Row]) -> None:
    """Add a patient with one line whose results were all known before it."""
    tables["biomarker"] = [{"report_date": "2023-01-10", **row} for row in tables.get("biomarker", [])]
    REGISTRY.add(patient_id, **{"drug_exposure": palliative(FOLFOX, START), **tables})


def assay(analyte: str, result: str, **cells: object) -> Row:
    return {"analyte": analyte, "result": result, **cells}


def kras(result: str = "mutated", change: str = "", region: str = "", **cells: object) -> Row:
    return assay("kras", result, hgvs_p=change, region_tested=region, **cells)


def nras(result: str = "mutated", change: str = "", region: str = "", **cells: object) -> Row:
    return assay("nras", result, hgvs_p=change, region_tested=region, **cells)


def stain(**proteins: str) -> list[Row]:
    return [assay(name, result, method="ihc") for name, result in proteins.items()]


WILD = [kras("not_detected", region="all"), nras("not_detected", region="all")]
NEGATIVE_BY_EXON = [
    kras("not_detected", region="exon2;exon3;exon4"),
    nras("not_detected", region="exon2"),
    nras("not_detected", region="59;61"),
    nras("not_detected", region="117;146"),
]

# Of each case the rows, then ras, kras_g12c and kras_g12d.
RAS = {
    "untested": ([], None, None, None),
    "all_codons_of_both": (WILD, "wild_type", False, False),
    "all_exons_of_both": (NEGATIVE_BY_EXON, "wild_type", False, False),
    "six_codons": ([kras("not_detected", region=ALL), nras("not_detected", region=ALL)], "wild_type", False, False),
    "kras_only": ([kras("not_detected", region="all")], "partial_wild_type", False, False),
    "kras_exon_2": ([kras("not_detected", region="exon2")], "partial_wild_type", False, False),
    "region_not_stated": ([kras("not_detected"), nras("not_detected")], "partial_wild_type", None, None),
    "codon_146_missing": (
        [kras("not_detected", region="12;13;59;61;117"), nras("not_detected", region="all")],
        "partial_wild_type",
        False,
        False,
    ),
    "g12c": ([kras(change="p.Gly12Cys")], "mutant", True, False),
    "g12c_in_brackets": ([kras(change="p.(Gly12Cys)")], "mutant", True, False),
    "g12c_one_letter": ([kras(change="p.G12C")], "mutant", True, False),
    "g12c_bare": ([kras(change="G12C")], "mutant", True, False),
    "g12d": ([kras(change="G12D")], "mutant", False, True),
    "g13d": ([kras(change="G13D")], "mutant", False, False),
    "a59t": ([kras(change="A59T")], "mutant", False, False),
    "q61k": ([kras(change="Q61K")], "mutant", False, False),
    "k117n": ([kras(change="K117N")], "mutant", False, False),
    "a146t": ([kras(change="A146T")], "mutant", False, False),
    "nras_q61k": ([nras(change="Q61K")], "mutant", None, None),
    "allele_unknown": ([kras()], "mutant", None, None),
    "allele_unknown_beside_g12d": ([kras(), kras(change="G12D")], "mutant", None, True),
    "g12c_and_g12d": ([kras(change="G12C"), kras(change="G12D")], "mutant", True, True),
    "elsewhere_all_tested": (
        [kras(change="L19F", region="all"), nras("not_detected", region="all")],
        "wild_type",
        False,
        False,
    ),
    "elsewhere_not_stated": ([kras(change="Q22K")], None, None, None),
    "elsewhere_partly_tested": ([kras(change="V14I", region="exon2")], "partial_wild_type", False, False),
    "silent_at_a_hotspot": (
        [kras(change="p.Gly12=", region="all"), nras("not_detected", region="all")],
        "wild_type",
        False,
        False,
    ),
    "insertion_at_a_hotspot": ([kras(change="p.Gly10_Ala11insGly")], None, None, None),
    "multi_base_change_over_a_hotspot": ([kras(change="p.Gly12_Gly13delinsAspCys")], "mutant", False, False),
    "duplication_of_a_hotspot": ([kras(change="p.Gly12dup")], "mutant", False, False),
    "mutant_beats_wild_type": ([*WILD, kras(change="G12V")], "mutant", False, False),
    "failed": ([kras("failed"), nras("indeterminate", missing_reason="pending")], None, None, None),
    "plasma_only": ([kras(change="G12C", specimen_site="plasma")], None, None, None),
    "blood_only": ([kras(change="G12C", specimen_site="blood")], None, None, None),
    "liver": ([kras(change="G12C", specimen_site="liver")], "mutant", True, False),
    "hras_is_not_asked": ([*WILD, assay("hras", "mutated", hgvs_p="G12V")], "wild_type", False, False),
    "low_allele_fraction": ([kras(change="G12V", vaf_percent="1.2")], "mutant", False, False),
}
for name, (rows, *_) in RAS.items():
    decided(f"ras_{name}", biomarker=rows)


@pytest.mark.parametrize("name", RAS)
def test_ras_counts_the_six_codons_of_kras_and_nras(answers: Answers, name: str) -> None:
    assert Patient(answers, f"ras_{name}").fact("ras, kras_g12c, kras_g12d") == RAS[name][1:]


def braf(change: str = "", result: str = "mutated", **cells: object) -> Row:
    return assay("braf", result, hgvs_p=change, **cells)


BRAF = {
    "untested": ([], None),
    "not_detected": ([braf(result="not_detected")], "wild_type"),
    "v600e": ([braf("V600E")], "v600e"),
    "v600e_in_words": ([braf("p.(Val600Glu)")], "v600e"),
    **{f"v600{letter}".lower(): ([braf(f"V600{letter}")], "other") for letter in "KDR"},
    "no_change_stated": ([braf()], None),
    "no_change_beside_wild_type": ([braf(), braf(result="not_detected")], None),
    **{f"class_2_{change}".lower(): ([braf(change)], "class_2") for change in ("G469A", "G469V", "K601E", "L597R")},
    "class_2_fusion": ([braf(result="fusion")], "class_2"),
    **{f"class_3_{change}".lower(): ([braf(change)], "class_3") for change in ("D594G", "G466V", "N581S")},
    "in_no_list": ([braf("T599I")], "other"),
    "elsewhere": ([braf("p.?")], "other"),
    "v600e_over_class_2": ([braf("K601E"), braf("V600E")], "v600e"),
    "class_2_over_class_3": ([braf("D594G"), braf("K601E")], "class_2"),
    "class_3_over_other": ([braf("V600K"), braf("D594G")], "class_3"),
    "other_over_wild_type": ([braf("V600K"), braf(result="not_detected")], "other"),
    "plasma": ([braf("V600E", specimen_site="plasma")], None),
}
for name, (rows, _) in BRAF.items():
    decided(f"braf_{name}", biomarker=rows)


@pytest.mark.parametrize("name", BRAF)
def test_braf_is_judged_by_class(answers: Answers, name: str) -> None:
    assert Patient(answers, f"braf_{name}").fact("braf") == BRAF[name][1]


FOUR = {"mlh1": "retained", "pms2": "retained", "msh2": "retained", "msh6": "retained"}
MSI = {
    "untested": ([], None),
    "msi_h": ([assay("msi", "msi_h")], "msi_h"),
    "mss": ([assay("msi", "mss")], "mss"),
    "msi_l": ([assay("msi", "msi_l")], "mss"),
    "failed": ([assay("msi", "failed")], None),
    "indeterminate": ([assay("msi", "indeterminate")], None),
    "four_retained": (stain(**FOUR), "mss"),
    "two_retained": (stain(pms2="retained", msh6="retained"), "mss"),
    "other_two_retained": (stain(mlh1="retained", msh2="retained"), None),
    "three_retained_without_msh6": (stain(mlh1="retained", msh2="retained", pms2="retained"), None),
    "one_retained": (stain(pms2="retained"), None),
    "one_lost": (stain(**{**FOUR, "msh6": "lost"}), "msi_h"),
    "mlh1_and_pms2_lost": (stain(mlh1="lost", pms2="lost"), "msi_h"),
    "agree": ([assay("msi", "msi_h"), *stain(mlh1="lost")], "msi_h"),
    "mss_but_lost": ([assay("msi", "mss"), *stain(mlh1="lost", pms2="lost")], "conflict"),
    "msi_h_but_retained": ([assay("msi", "msi_h"), *stain(**FOUR)], "conflict"),
    "msi_l_but_lost": ([assay("msi", "msi_l"), *stain(msh6="lost")], "conflict"),
    "msi_h_and_mss": ([assay("msi", "msi_h"), assay("msi", "mss", report_date="2023-02-01")], "conflict"),
    "tmb_says_nothing": ([assay("tmb", "high", value="40")], None),
}
for name, (rows, _) in MSI.items():
    decided(f"msi_{name}", biomarker=rows)


@pytest.mark.parametrize("name", MSI)
def test_msi_and_repair_proteins_are_merged(answers: Answers, name: str) -> None:
    assert Patient(answers, f"msi_{name}").fact("msi") == MSI[name][1]


def test_msi_h_with_four_retained_proteins_is_kept_and_flagged(answers: Answers) -> None:
    assert "msi_conflict" in Patient(answers, "msi_msi_h_but_retained").warnings("biomarker")


def her2(result: str, **cells: object) -> Row:
    return assay("erbb2", result, **{"method": "ihc", **cells})


ISH = {"method": "ish"}
NGS = {"method": "ngs"}
# Of each case the rows, then the four schemes in the order of the test.
HER2 = {
    "untested": ([], None, None, None, None),
    "ihc_0": ([her2("ihc_0")], "negative", "negative", "negative", "negative"),
    "ihc_1": ([her2("ihc_1")], "negative", "negative", "negative", "negative"),
    "ihc_3": ([her2("ihc_3")], "positive", None, "positive", "positive"),
    "ihc_3_in_10": ([her2("ihc_3", percent_cells="10")], "negative", "negative", "negative", "negative"),
    "ihc_3_in_11": ([her2("ihc_3", percent_cells="11")], "positive", "equivocal", "positive", "positive"),
    "ihc_3_in_49_wide_ish": (
        [her2("ihc_3", percent_cells="49"), her2("amplified", **ISH, ish_ratio="2", ish_percent_cells="50")],
        *("positive", "positive", "positive", "positive"),
    ),
    "ihc_3_in_49_narrow_ish": (
        [her2("ihc_3", percent_cells="49"), her2("amplified", **ISH, ish_ratio="2", ish_percent_cells="49")],
        *("positive", "negative", "positive", "positive"),
    ),
    "ihc_3_in_50": ([her2("ihc_3", percent_cells="50")], "positive", "positive", "positive", "positive"),
    "ihc_2": ([her2("ihc_2", percent_cells="60")], "equivocal", "equivocal", "equivocal", "negative"),
    "ihc_2_ratio_2": (
        [her2("ihc_2", percent_cells="60"), her2("indeterminate", **ISH, ish_ratio="2.0", ish_percent_cells="80")],
        *("positive", "positive", "positive", "negative"),
    ),
    "ihc_2_ratio_below": (
        [her2("ihc_2", percent_cells="60"), her2("not_amplified", **ISH, ish_ratio="1.9", ish_percent_cells="80")],
        *("negative", "negative", "negative", "negative"),
    ),
    "ihc_2_with_ratio_in_one_row": (
        [her2("ihc_2", percent_cells="60", ish_ratio="3", ish_percent_cells="70")],
        *("positive", "positive", "positive", "negative"),
    ),
    "ihc_2_amplified": (
        [her2("ihc_2", percent_cells="40"), her2("amplified", **ISH)],
        *("positive", "negative", "positive", "negative"),
    ),
    "ngs_amplified": ([her2("amplified", **NGS)], "positive", None, None, None),
    "ngs_not_amplified": ([her2("not_amplified", **NGS)], "negative", None, None, None),
    "mutated": ([her2("mutated", **NGS, hgvs_p="p.Val842Ile")], None, None, None, None),
    "not_detected": ([her2("not_detected", **NGS)], None, None, None, None),
}
for name, (rows, *_) in HER2.items():
    decided(f"her2_{name}", biomarker=rows)


@pytest.mark.parametrize("name", HER2)
def test_her2_is_judged_by_four_schemes(answers: Answers, name: str) -> None:
    columns = "her2, her2_heracles, her2_destiny, her2_fda_agnostic"
    assert Patient(answers, f"her2_{name}").fact(columns) == HER2[name][1:]


def primary(topography: str, **cells: object) -> Row:
    return {"topography": topography, **cells}


SIDES = {
    "C18.0": ("right", "high"),
    "C18.1": (None, None),
    "C18.2": ("right", "high"),
    "C18.3": ("right", "high"),
    "C18.4": ("right", "low"),
    "C18.5": ("left", "high"),
    "C18.6": ("left", "high"),
    "C187": ("left", "high"),
    "C18.8": (None, None),
    "C18.9": (None, None),
    "C26.0": (None, None),
    "C19.9": ("left", "high"),
    "C20.9": ("left", "high"),
}
for code in SIDES:
    decided(f"side_{code}", tumour=[primary(code)])
decided("side_both", tumour=[primary("C18.0"), primary("C18.7", tumour_id="2")])
decided("side_same", tumour=[primary("C18.6"), primary("C18.7", tumour_id="2")])


@pytest.mark.parametrize("code", SIDES)
def test_the_side_follows_the_topography(answers: Answers, code: str) -> None:
    assert Patient(answers, f"side_{code}").fact("side, side_certainty") == SIDES[code]


def test_two_primaries_on_both_sides_have_none(answers: Answers) -> None:
    assert Patient(answers, "side_both").fact("side") is None
    assert Patient(answers, "side_same").fact("side") == "left"


def work_up(**cells: object) -> list[Row]:
    return [{"assessment_date": "2023-02-01", **cells}]


def liver(name: str, diagnosis: str = "2022-06-01", nodes: object = "", **cells: object) -> None:
    tumour = {"diagnosis_date": diagnosis, "nodes_positive": nodes}
    decided(name, tumour=[tumour], assessment=work_up(**cells))


FLR = {
    "recorded": ({"flr_percent": "31.5"}, 31.5),
    "from_volumes": ({"flr_ml": "300", "tlv_ml": "1200"}, 25.0),
    "recorded_wins": ({"flr_percent": "40", "flr_ml": "300", "tlv_ml": "1200"}, 40.0),
    "one_volume": ({"flr_ml": "300"}, None),
    "5": ({"flr_percent": "5"}, 5.0),
    "100": ({"flr_percent": "100"}, 100.0),
    "below_5": ({"flr_percent": "4.9"}, None),
    "above_100": ({"flr_percent": "100.1"}, None),
}
for name, (cells, _) in FLR.items():
    liver(f"flr_{name}", **cells)


@pytest.mark.parametrize("name", FLR)
def test_the_future_liver_remnant_is_recorded_or_derived(answers: Answers, name: str) -> None:
    assert Patient(answers, f"flr_{name}").fact("flr_percent") == FLR[name][1]


HIGH = {"mets_diagnosis_date": "2023-01-20", "crlm_count": 2, "crlm_max_mm": 51, "cea_ng_ml": 201}
FONG = {
    "all_met": ({**HIGH, "nodes": 1}, (5, 5)),
    "all_at_their_limit": (
        {
            "nodes": 0,
            "diagnosis": "2022-01-20",
            "mets_diagnosis_date": "2023-01-20",
            "crlm_count": 1,
            "crlm_max_mm": 50,
            "cea_ng_ml": 200,
        },
        (0, 0),
    ),
    "a_day_less_than_12_months": ({**HIGH, "nodes": 0, "diagnosis": "2022-01-21"}, (4, 4)),
    "nodes_unknown": (HIGH, (4, 5)),
    "cea_and_count_unknown": ({**HIGH, "nodes": 0, "cea_ng_ml": "", "crlm_count": ""}, (2, 4)),
    "nothing_known": ({"diagnosis": ""}, (0, 5)),
    "not_countable": ({**HIGH, "nodes": 0, "crlm_count": 99}, (4, 4)),
}
for name, (cells, _) in FONG.items():
    liver(f"fong_{name}", **cells)


@pytest.mark.parametrize("name", FONG)
def test_the_risk_score_is_a_range_and_equalities_do_not_score(answers: Answers, name: str) -> None:
    assert Patient(answers, f"fong_{name}").fact("fong_score_min, fong_score_max") == FONG[name][1]


BURDEN = {
    "3_4_5": ({"crlm_count": 3, "crlm_max_mm": 40}, 5.0),
    "count_unknown": ({"crlm_max_mm": 40}, None),
    "size_unknown": ({"crlm_count": 3}, None),
    "not_countable": ({"crlm_count": 99, "crlm_max_mm": 40}, None),
}
for name, (cells, _) in BURDEN.items():
    liver(f"burden_{name}", **cells)


@pytest.mark.parametrize("name", BURDEN)
def test_the_tumour_burden_score_needs_number_and_size(answers: Answers, name: str) -> None:
    assert Patient(answers, f"burden_{name}").fact("tumour_burden_score") == BURDEN[name][1]


SYNCHRONOUS = {
    "same_day": (("2023-01-01", "2023-01-01"), True),
    "before": (("2023-01-10", "2023-01-01"), True),
    "31_days": (("2022-12-01", "2023-01-01"), True),
    "32_days": (("2022-11-30", "2023-01-01"), False),
    "diagnosis_unknown": (("", "2023-01-01"), None),
    "metastasis_unknown": (("2023-01-01", ""), None),
}
for name, ((diagnosis, metastasis), _) in SYNCHRONOUS.items():
    liver(f"synchronous_{name}", diagnosis, mets_diagnosis_date=metastasis)


@pytest.mark.parametrize("name", SYNCHRONOUS)
def test_synchronous_is_within_31_days(answers: Answers, name: str) -> None:
    assert Patient(answers, f"synchronous_{name}").fact("is_synchronous") is SYNCHRONOUS[name][1]


OLIGO = {
    "three_organs_five_lesions": (("liver;lung;bone", 5), True),
    "four_organs": (("liver;lung;bone;brain", 5), False),
    "six_lesions": (("liver", 6), False),
    "not_countable": (("liver", 99), False),
    "count_unknown": (("liver", ""), None),
    "sites_unknown": (("", 5), None),
    "count_unknown_four_organs": (("liver;lung;bone;brain", ""), False),
    "sites_unknown_six_lesions": (("", 6), False),
}
for name, ((sites, count), _) in OLIGO.items():
    liver(f"oligo_{name}", mets_sites=sites, crlm_count=count)


@pytest.mark.parametrize("name", OLIGO)
def test_oligometastatic_is_at_most_three_organs_and_five_lesions(answers: Answers, name: str) -> None:
    assert Patient(answers, f"oligo_{name}").fact("is_oligometastatic") is OLIGO[name][1]


FITNESS = {0: "fit", 1: "fit", 2: "vulnerable", 3: "unfit", 4: "unfit", "": None}
for ecog in FITNESS:
    decided(f"ecog_{ecog}", patient=[{"birth_year": 1930}], assessment=work_up(ecog=ecog))


@pytest.mark.parametrize("ecog", FITNESS)
def test_fitness_follows_ecog_whatever_the_age(answers: Answers, ecog: object) -> None:
    known = (FITNESS[ecog], ecog != "")
    assert Patient(answers, f"ecog_{ecog}").fact("fitness, is_fitness_known") == known


# Of each case the assay, the contraindication and what they come to.
DPD = {
    "untested": ("", "", None),
    "normal": ("dpd_normal", "", "normal"),
    "partial": ("dpd_partial", "", "partial"),
    "complete": ("dpd_complete", "", "complete"),
    "recorded": ("", "dpd_partial", "partial"),
    "recorded_worse": ("dpd_partial", "dpd_complete", "complete"),
    "assay_worse": ("dpd_complete", "dpd_partial", "complete"),
    "recorded_against_normal": ("dpd_normal", "dpd_partial", "partial"),
}
for name, (result, contraindication, _) in DPD.items():
    decided(
        f"dpd_{name}",
        biomarker=[assay("dpyd", result, specimen_site="blood")] if result else [],
        assessment=work_up(contraindications=contraindication),
    )


@pytest.mark.parametrize("name", DPD)
def test_dpd_is_the_worse_of_biomarker_and_contraindications(answers: Answers, name: str) -> None:
    assert Patient(answers, f"dpd_{name}").fact("dpd") == DPD[name][2]


PLASMA = {
    "mutant": ([kras(change="G12D", specimen_site="plasma")], "mutant"),
    "tissue_only": ([kras(change="G12D")], None),
    "latest_sample": (
        [
            kras(change="G12D", specimen_site="plasma", sample_date="2022-10-01", report_date="2022-10-10"),
            kras("not_detected", region="all", specimen_site="plasma", sample_date="2023-01-01"),
            nras("not_detected", region="all", specimen_site="plasma", sample_date="2023-01-01"),
        ],
        "wild_type",
    ),
}
for name, (rows, _) in PLASMA.items():
    decided(f"plasma_{name}", biomarker=rows)


@pytest.mark.parametrize("name", PLASMA)
def test_plasma_feeds_ras_plasma_alone(answers: Answers, name: str) -> None:
    assert Patient(answers, f"plasma_{name}").fact("ras_plasma") == PLASMA[name][1]


def test_every_fact_of_a_decision_has_the_rows_it_rests_on(answers: Answers) -> None:
    places = answers.rows(
        """
        select table_name, reason from cohort.fact_source
        where decision_id = 'msi_msi_h_but_retained/systemic/1' and fact = 'msi'
        """
    )
    assert len(places) == 5
