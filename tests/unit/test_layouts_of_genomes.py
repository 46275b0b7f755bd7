"""The synthetic registry as a cBioPortal study and as a MAF folder: what is read back is what was written."""

from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.extracts import codons, hgvs
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.synthetic import write_sample
from crlm_pipeline.synthetic.layouts import genomics
from crlm_pipeline.synthetic.people import BRAF_OTHER, KRAS, NRAS
from tests.unit.extracts.files import table

PATIENTS, SEED = 150, 11
OF_KNOWN_SEQUENCE = [
    *(("KRAS", change) for change in KRAS),
    *(("NRAS", change) for change in NRAS),
    ("BRAF", "V600E"),
    ("BRAF", "V600K"),
]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("layouts")
    for layout in ("canonical", "cbioportal", "maf_folder"):
        write_sample(root / layout, PATIENTS, SEED, layout)
    return {layout: root / layout for layout in ("canonical", "cbioportal", "maf_folder")}


def rows(written: dict[str, Path], layout: str, name: str) -> pl.DataFrame:
    return table(read_sources([written[layout]]), name)


@pytest.mark.parametrize(("gene", "change"), OF_KNOWN_SEQUENCE)
def test_a_variant_stands_where_its_gene_has_that_codon(gene: str, change: str) -> None:
    _, start, reference, alternative = genomics.place(gene, change)
    told = codons.protein_change(gene, "GRCh37", start, reference, alternative)
    assert told is not None
    assert hgvs.parse(told) == hgvs.parse(change)


@pytest.mark.parametrize(
    ("gene", "change", "expected"),
    [
        ("KRAS", "G12C", ("12", 25398285, "C", "A")),
        ("KRAS", "G13D", ("12", 25398281, "C", "T")),
        ("BRAF", "V600E", ("7", 140453136, "A", "T")),
        ("BRAF", "V600K", ("7", 140453136, "AC", "TT")),
    ],
)
def test_the_places_are_those_of_public_catalogues(gene: str, change: str, expected: tuple[str, int, str, str]) -> None:
    assert genomics.place(gene, change) == expected


@pytest.mark.parametrize("change", BRAF_OTHER)
def test_every_other_braf_variant_of_the_registry_has_a_place(change: str) -> None:
    chromosome, start, _, _ = genomics.place("BRAF", change)
    assert (chromosome, 140433813 <= start <= 140624564) == ("7", True)


def test_a_variant_of_unknown_sequence_is_refused() -> None:
    with pytest.raises(KeyError):
        genomics.place("BRAF", "L10F")


@pytest.mark.parametrize("layout", ["cbioportal", "maf_folder"])
def test_sequenced_variants_come_back_with_their_protein_change(written: dict[str, Path], layout: str) -> None:
    sequenced = genomics.sequenced(rows(written, "canonical", "biomarker")).filter(pl.col("result") == "mutated")
    back = rows(written, layout, "biomarker").filter(result="mutated", method="ngs")
    assert sequenced.height == back.height > 10
    expected, found = (
        sorted(
            frame.join(hgvs.parse_all(frame["hgvs_p"]), on="hgvs_p").select("patient_id", "analyte", "normal").rows()
        )
        for frame in (sequenced, back)
    )
    assert found == expected


def test_nobody_of_a_study_is_negative_who_was_not_sequenced_negative(written: dict[str, Path]) -> None:
    canonical = genomics.sequenced(rows(written, "canonical", "biomarker")).filter(pl.col("result") == "not_detected")
    negative = rows(written, "cbioportal", "biomarker").filter(result="not_detected")
    key = ["patient_id", "analyte"]
    expected = canonical.filter(pl.col("analyte") != "pole").select(key)
    assert sorted(negative.select(key).rows()) == sorted(expected.rows())


def test_amplification_by_a_panel_comes_back_and_staining_does_not(written: dict[str, Path]) -> None:
    erbb2 = rows(written, "canonical", "biomarker").filter(analyte="erbb2")
    by_panel = erbb2.filter(pl.col("method") == "ngs")
    back = rows(written, "cbioportal", "biomarker").filter(analyte="erbb2")
    assert by_panel.height > 0
    assert by_panel.height < erbb2.height
    assert sorted(back.select("patient_id", "result").rows()) == sorted(by_panel.select("patient_id", "result").rows())


def days_since_sample(written: dict[str, Path], layout: str, name: str, column: str) -> list[tuple[object, ...]]:
    """Return patient and days from the first sample to each event, sorted."""
    samples = rows(written, layout, "biomarker").drop_nulls("sample_date")
    first = samples.group_by("patient_id").agg(pl.col("sample_date").min())
    events = rows(written, layout, name).join(first, on="patient_id")
    day, sample = (pl.col(date).str.to_date("%Y-%m-%d", strict=False) for date in (column, "sample_date"))
    return sorted(events.select("patient_id", days=(day - sample).dt.total_days()).drop_nulls().rows())


@pytest.mark.parametrize(
    ("name", "column"), [("drug_exposure", "start_date"), ("outcome", "outcome_date"), ("patient", "death_date")]
)
def test_the_time_between_events_survives_the_pseudo_calendar(written: dict[str, Path], name: str, column: str) -> None:
    canonical = days_since_sample(written, "canonical", name, column)
    of_patients = {patient for patient, _ in days_since_sample(written, "cbioportal", name, column)}
    assert days_since_sample(written, "cbioportal", name, column) == [
        (patient, days) for patient, days in canonical if patient in of_patients
    ]
    assert len(of_patients) > 20
