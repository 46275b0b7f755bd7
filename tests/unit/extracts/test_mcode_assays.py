"""mCODE on FHIR: biomarkers, specimens and reports."""

from pathlib import Path

import pytest

from tests.unit.extracts.fhir_resources import (
    LOINC,
    SNOMED,
    Resource,
    coded,
    component,
    noticed,
    observed,
    only,
    resource,
    rows,
    taken,
    unmapped,
    variant,
)


@pytest.mark.parametrize(
    ("answer", "result", "reason"),
    [
        ("LA9633-4", "mutated", None),
        ("LA9634-2", "not_detected", None),
        ("LA18198-4", "failed", None),
        ("LA11884-6", "indeterminate", None),
        ("LA0000-0", "LA0000-0", None),
    ],
)
def test_the_result_of_a_variant_is_its_presence(tmp_path: Path, answer: str, result: str, reason: str | None) -> None:
    row = only(taken(tmp_path, variant("KRAS", answer)), "biomarker")
    assert (row["analyte"], row["result"], row.get("missing_reason")) == ("kras", result, reason)


def test_a_variant_bears_its_change_share_and_days(tmp_path: Path) -> None:
    extract = taken(
        tmp_path,
        variant(
            "KRAS", "LA9633-4",
            component("48005-3", valueCodeableConcept=coded("http://varnomen.hgvs.org", "p.Gly12Cys")),
            component("48004-6", valueCodeableConcept={"text": "c.34G>T"}),
            component("81258-6", valueQuantity={"value": 0.31}),
            issued="2020-03-09T10:00:00.000+01:00", method={"text": "Next generation sequencing"},
        ),
    )  # fmt: skip
    assert only(extract, "biomarker").items() >= {
        "hgvs_p": "p.Gly12Cys", "hgvs_c": "c.34G>T", "vaf_percent": "31", "sample_date": "2020-03-05",
        "report_date": "2020-03-09", "method": "ngs", "specimen_id": "o1",
    }.items()  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "percent"),
    [({"value": 31, "unit": "%"}, "31"), ({"value": 0.31, "code": "1"}, "31"), ({"value": 0.5, "code": "%"}, "0.5"),
     ({"value": 31}, "31"), ({"value": "x"}, "x")],
)  # fmt: skip
def test_a_share_of_alleles_is_in_percent(tmp_path: Path, quantity: Resource, percent: str) -> None:
    extract = taken(tmp_path, variant("KRAS", "LA9633-4", component("81258-6", valueQuantity=quantity)))
    assert only(extract, "biomarker")["vaf_percent"] == percent


@pytest.mark.parametrize(
    ("gene", "analyte"),
    [
        (coded("http://www.genenames.org/geneId", "HGNC:7989"), "nras"),
        (coded("http://www.genenames.org", "1097"), "braf"),
        ({"text": "braf"}, "braf"),
        (coded("urn:x", "y", "PIK3CA"), "pik3ca"),
    ],
)
def test_a_gene_is_told_by_number_or_symbol(tmp_path: Path, gene: Resource, analyte: str) -> None:
    found = observed("69548-6", valueCodeableConcept=coded(LOINC, "LA9634-2"),
                     component=[component("48018-6", valueCodeableConcept=gene)])  # fmt: skip
    assert only(taken(tmp_path, found), "biomarker")["analyte"] == analyte


@pytest.mark.parametrize(
    ("found", "check"), [(variant("TP53"), "gene_not_in_contract"), (observed("69548-6"), "gene_not_named")]
)
def test_a_variant_of_no_gene_of_the_contract_is_noticed(tmp_path: Path, found: Resource, check: str) -> None:
    extract = taken(tmp_path, found)
    assert not rows(extract, "biomarker")
    assert (noticed(extract), unmapped(extract)) == ({check}, 1)


@pytest.mark.parametrize(
    ("answer", "change", "result"),
    [("LA9633-4", "SO:0001742", "amplified"), ("LA9634-2", "SO:0001742", "not_amplified"),
     ("LA9633-4", "SO:0001565", "fusion"), ("LA9634-2", "SO:0001565", "not_detected"),
     ("LA9633-4", "SO:0001483", "mutated"), ("LA18198-4", "SO:0001742", "failed")],
)  # fmt: skip
def test_amplification_and_fusion_are_told_from_mutation(tmp_path: Path, answer: str, change: str, result: str) -> None:
    kind = component("48019-4", valueCodeableConcept=coded("http://www.sequenceontology.org", change))
    assert only(taken(tmp_path, variant("ERBB2", answer, kind)), "biomarker")["result"] == result


@pytest.mark.parametrize(
    ("elements", "result", "reason"),
    [
        ({}, "indeterminate", "not_recorded"),
        ({"status": "registered"}, "indeterminate", "pending"),
        ({"dataAbsentReason": coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-performed")},
         "indeterminate", "not_done"),
        ({"dataAbsentReason": coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "asked-declined")},
         "indeterminate", "refused"),
        ({"valueCodeableConcept": coded(LOINC, "LA14122-8")}, "mss", None),
        ({"valueCodeableConcept": coded(LOINC, "LA26203-2")}, "msi_h", None),
        ({"valueCodeableConcept": {"text": "MSI-L"}}, "msi_l", None),
        ({"valueString": "Stable"}, "mss", None),
        ({"valueCodeableConcept": coded(LOINC, "LA11884-6")}, "indeterminate", None),
        ({"valueCodeableConcept": {"text": "perhaps"}}, "perhaps", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("code", ["81695-9", "43368-0", "62862-8"])
def test_no_answer_is_never_a_negative_one(
    tmp_path: Path, code: str, elements: Resource, result: str, reason: str | None
) -> None:
    row = only(taken(tmp_path, observed(code, **elements)), "biomarker")
    assert (row["analyte"], row["result"], row.get("missing_reason")) == ("msi", result, reason)


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_an_assay_that_was_not_made_makes_no_row_and_is_noticed(tmp_path: Path, status: str) -> None:
    extract = taken(tmp_path, variant("KRAS", status=status))
    assert not rows(extract, "biomarker")
    assert noticed(extract) == {"observation_not_made"}


@pytest.mark.parametrize(
    ("code", "elements", "expected"),
    [
        ("72383-3", {"valueString": "2+"}, {"result": "ihc_2", "method": "ihc"}),
        ("72383-3", {"valueCodeableConcept": {"text": "3+"}}, {"result": "ihc_3"}),
        ("48676-1", {"valueInteger": 0}, {"result": "ihc_0"}),
        ("48676-1", {"valueCodeableConcept": {"text": "Positive"}}, {"result": "Positive"}),
        ("49683-6", {"valueQuantity": {"value": 2.0}}, {"result": "amplified", "ish_ratio": "2.0", "method": "ish"}),
        ("49683-6", {"valueQuantity": {"value": 1.99}}, {"result": "not_amplified", "ish_ratio": "1.99"}),
        (
            "49683-6",
            {
                "valueQuantity": {"value": 1.9},
                "interpretation": [coded("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "POS")],
            },
            {"result": "amplified"},
        ),
        ("49683-6", {"valueQuantity": {"value": 2.5, "comparator": "<"}}, {"result": "indeterminate"}),
        ("74860-8", {"valueQuantity": {"value": 7}}, {"result": "indeterminate", "copy_number": "7"}),
        ("94076-7", {"valueQuantity": {"value": 10}}, {"analyte": "tmb", "result": "high", "value": "10"}),
        ("94076-7", {"valueQuantity": {"value": 9.9}}, {"analyte": "tmb", "result": "low", "value": "9.9"}),
    ],
)
def test_her2_and_burden_keep_their_numbers(
    tmp_path: Path, code: str, elements: Resource, expected: dict[str, str]
) -> None:
    assert only(taken(tmp_path, observed(code, **elements)), "biomarker").items() >= expected.items()


@pytest.mark.parametrize(
    ("name", "value", "analyte", "result"),
    [("MLH1 protein expression", {"text": "Lost"}, "mlh1", "lost"), ("MSH6 [Presence]", {"text": "Retained"}, "msh6",
     "retained"), ("DPYD phenotype", coded(LOINC, "LA10317-8"), "dpyd", "dpd_partial")],
)  # fmt: skip
def test_repair_proteins_and_dpyd_are_told_by_name(
    tmp_path: Path, name: str, value: Resource, analyte: str, result: str
) -> None:
    row = only(taken(tmp_path, observed("0", code={"text": name}, valueCodeableConcept=value)), "biomarker")
    assert (row["analyte"], row["result"]) == (analyte, result)


@pytest.mark.parametrize(
    ("described", "region"),
    [("Codons 12, 13, 59, 61, 117 and 146", "12;13;59;61;117;146"), ("exon 2 (codons 12/13)", "12;13"),
     ("exons 2, 3 and 4", "exon2;exon3;exon4"), ("the whole gene", None)],
)  # fmt: skip
def test_a_region_studied_completes_the_result_of_its_gene_and_specimen(
    tmp_path: Path, described: str, region: str | None
) -> None:
    gene = component("48018-6", valueCodeableConcept={"text": "KRAS"})
    studied = observed("53041-0", "r", component=[gene, component("81293-3", valueString=described)],
                       specimen={"reference": "Specimen/s1"})  # fmt: skip
    assays = [variant("KRAS", "LA9634-2", specimen={"reference": f"Specimen/{s}"}, id=s) for s in ("s1", "s2")]
    extract = taken(tmp_path, *assays, studied)
    assert [row.get("region_tested") for row in rows(extract, "biomarker")] == [region, None]
    assert unmapped(extract) == 0


def test_a_region_studied_without_a_result_says_nothing(tmp_path: Path) -> None:
    gene = component("48018-6", valueCodeableConcept={"text": "KRAS"})
    extract = taken(tmp_path, observed("53041-0", component=[gene]))
    assert not rows(extract, "biomarker")
    assert noticed(extract) == {"region_without_result"}


def test_a_report_lends_specimen_and_day_to_its_results(tmp_path: Path) -> None:
    specimen = resource(
        "Specimen", "s1", collection={"collectedDateTime": "2020-03-02", "bodySite": coded(SNOMED, "60184004")}
    )
    report = resource("DiagnosticReport", "r1", issued="2020-03-12T00:00:00Z", specimen=[{"reference": "Specimen/s1"}],
                      result=[{"reference": "Observation/o1"}])  # fmt: skip
    extract = taken(tmp_path, variant("KRAS"), specimen, report)
    assert only(extract, "biomarker").items() >= {
        "specimen_id": "s1", "specimen_site": "primary", "sample_date": "2020-03-02", "report_date": "2020-03-12",
    }.items()  # fmt: skip
    assert unmapped(extract) == 0


@pytest.mark.parametrize(
    ("elements", "site"),
    [
        ({"collection": {"bodySite": coded(SNOMED, "10200004")}}, "liver"),
        ({"type": coded(SNOMED, "119361006")}, "plasma"),
        ({"type": {"text": "Whole blood"}}, "blood"),
        ({"collection": {"bodySite": coded(SNOMED, "39607008")}}, "other_metastasis"),
        ({"type": {"text": "Tissue"}}, None),
    ],
)
def test_the_place_of_a_specimen_is_that_of_its_fluid_or_site(
    tmp_path: Path, elements: Resource, site: str | None
) -> None:
    assay = variant("KRAS", specimen={"reference": "Specimen/s1"})
    assert (
        only(taken(tmp_path, assay, resource("Specimen", "s1", **elements)), "biomarker").get("specimen_site") == site
    )
