"""What assay results say: RAS by codons, BRAF by class, mismatch repair merged, HER2 by scheme, the rarer markers."""

from functools import reduce
from operator import or_
from typing import Any

import polars as pl
import pytest

from crlm_pipeline.cohort.facts import rare_markers, ras
from crlm_pipeline.cohort.facts.biomarkers import WORDS, decision_facts, results, tissue_facts
from crlm_pipeline.cohort.facts.braf import Braf
from crlm_pipeline.cohort.facts.evidence import has
from schemas.extract import Biomarker
from tests.unit.cohort.registry import Row, frame


def facts(*rows: Row) -> dict[str, Any]:
    """Return what these results say together."""
    known = results(frame(Biomarker, rows))
    words = {word: [reduce(or_, known[word].to_list(), 0)] for word in (*WORDS, "ras_plasma")}
    contraindications = pl.lit([], dtype=pl.List(pl.String))
    return (
        pl.DataFrame(words, schema=dict.fromkeys(words, pl.Int32))
        .select(
            *tissue_facts(),
            *decision_facts(),
            ras.gene_status("kras").alias("kras"),
            ras.gene_status("nras").alias("nras"),
            rare_markers.dpd(contraindications).alias("dpd"),
            has("braf", Braf.TESTED).alias("is_braf_tested"),
        )
        .row(0, named=True)
    )


def negative(gene: str, *regions: str) -> Row:
    return {"analyte": gene, "result": "not_detected", "region_tested": list(regions) or None}


def mutated(gene: str, hgvs_p: str | None = None, *regions: str) -> Row:
    return {"analyte": gene, "result": "mutated", "hgvs_p": hgvs_p, "region_tested": list(regions) or None}


NRAS_WILD = negative("nras", "all")


class TestRas:
    def test_nothing_tested_is_unknown(self):
        assert facts()["ras"] is None

    def test_all_six_codons_of_both_genes_are_wild_type(self):
        assert facts(negative("kras", "all"), NRAS_WILD)["ras"] == "wild_type"

    @pytest.mark.parametrize("missing", ["12", "13", "59", "61", "117", "146"])
    def test_one_codon_not_examined_is_partial(self, missing):
        codons = [codon for codon in ("12", "13", "59", "61", "117", "146") if codon != missing]
        assert facts(negative("kras", *codons), NRAS_WILD)["ras"] == "partial_wild_type"

    def test_exons_stand_for_their_codons(self):
        assert facts(negative("kras", "exon2", "exon3", "exon4"), NRAS_WILD)["ras"] == "wild_type"
        assert facts(negative("kras", "exon2", "exon3"), NRAS_WILD)["ras"] == "partial_wild_type"

    def test_several_assays_of_a_gene_add_up(self):
        assert facts(negative("kras", "exon2"), negative("kras", "exon3", "exon4"), NRAS_WILD)["ras"] == "wild_type"

    def test_nras_not_tested_is_partial(self):
        assert facts(negative("kras", "all"))["ras"] == "partial_wild_type"

    def test_a_negative_result_of_an_unstated_region_is_partial(self):
        assert facts(negative("kras"), NRAS_WILD)["ras"] == "partial_wild_type"
        assert facts(negative("kras"))["kras"] == "partial_wild_type"

    @pytest.mark.parametrize(
        "change",
        ["p.Gly12Asp", "p.(Gly13Asp)", "A59T", "p.Q61K", "p.K117N", "p.A146T", "p.G12_G13insG", "p.T58_A59insT"],
    )
    def test_a_change_that_touches_a_codon_is_mutant(self, change):
        assert facts(mutated("kras", change, "all"), NRAS_WILD)["ras"] == "mutant"

    @pytest.mark.parametrize("change", ["p.G12=", "p.Q61Q", "p.A146A"])
    def test_a_silent_change_is_no_mutation(self, change):
        assert facts(mutated("kras", change, "all"), NRAS_WILD)["ras"] == "wild_type"

    def test_a_mutation_elsewhere_says_nothing_and_the_region_decides(self):
        assert facts(mutated("kras", "p.L19F"))["ras"] is None
        assert facts(mutated("kras", "p.L19F", "exon2"), NRAS_WILD)["ras"] == "partial_wild_type"
        assert facts(mutated("kras", "p.L19F", "all"), NRAS_WILD)["ras"] == "wild_type"
        assert facts(mutated("kras", "p.?", "all"), NRAS_WILD)["ras"] == "wild_type"

    def test_mutated_without_a_change_is_mutant_with_unknown_allele(self):
        known = facts(mutated("kras"), NRAS_WILD)
        assert (known["ras"], known["kras_g12c"], known["kras_g12d"]) == ("mutant", None, None)

    def test_one_mutant_result_beats_any_wild_type(self):
        assert facts(negative("kras", "all"), NRAS_WILD, mutated("kras", "p.G12V"))["ras"] == "mutant"

    def test_an_nras_mutation_is_ras_mutant_and_leaves_kras_as_it_is(self):
        known = facts(negative("kras", "all"), mutated("nras", "p.Q61K"))
        assert (known["ras"], known["kras"], known["nras"]) == ("mutant", "wild_type", "mutant")
        assert known["kras_g12c"] is False

    def test_hras_does_not_count(self):
        assert facts(mutated("hras", "p.G12V"))["ras"] is None

    @pytest.mark.parametrize("result", ["failed", "indeterminate"])
    def test_a_failed_test_is_unknown(self, result):
        assert facts({"analyte": "kras", "result": result, "region_tested": ["all"]})["ras"] is None


class TestKrasAllele:
    def test_g12c_and_g12d_are_told_apart(self):
        c, d = facts(mutated("kras", "p.Gly12Cys")), facts(mutated("kras", "p.(Gly12Asp)"))
        assert (c["kras_g12c"], c["kras_g12d"], d["kras_g12c"], d["kras_g12d"]) == (True, False, False, True)

    def test_wild_type_is_false_and_untested_unknown(self):
        assert facts(negative("kras", "all"), NRAS_WILD)["kras_g12c"] is False
        assert facts()["kras_g12c"] is None
        assert facts(negative("kras"))["kras_g12c"] is None

    def test_another_known_allele_is_false_unless_a_second_mutation_is_not_spelled_out(self):
        assert facts(mutated("kras", "p.G13D"))["kras_g12c"] is False
        assert facts(mutated("kras", "p.G13D"), mutated("kras"))["kras_g12c"] is None
        assert facts(mutated("kras", "p.G12C"), mutated("kras"))["kras_g12c"] is True

    def test_a_change_of_two_codons_is_no_g12c(self):
        assert facts(mutated("kras", "p.G12_G13delinsCD"))["kras_g12c"] is False


class TestBraf:
    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ("p.V600E", "v600e"),
            ("p.Val600Glu", "v600e"),
            ("p.V600K", "other"),
            ("p.V600R", "other"),
            ("p.K601E", "class_2"),
            ("p.K601N", "other"),
            ("p.G469A", "class_2"),
            ("p.G469E", "other"),
            ("p.L597R", "class_2"),
            ("p.D594G", "class_3"),
            ("p.G466V", "class_3"),
            ("p.N581S", "class_3"),
            ("p.?", "other"),
            (None, None),
        ],
    )
    def test_a_change_has_its_class(self, change, status):
        assert facts(mutated("braf", change))["braf"] == status

    def test_the_first_class_of_several_rows_counts(self):
        rows = [mutated("braf", "p.R999K"), mutated("braf", "p.D594G"), mutated("braf", "p.K601E")]
        assert facts(*rows)["braf"] == "class_2"
        assert facts(*rows, mutated("braf", "p.V600E"))["braf"] == "v600e"
        assert facts(*rows[:2])["braf"] == "class_3"

    def test_a_fusion_is_class_2(self):
        assert facts({"analyte": "braf", "result": "fusion"})["braf"] == "class_2"

    def test_mutated_without_a_change_is_unknown_but_tested_even_beside_a_negative(self):
        known = facts(mutated("braf"), negative("braf"))
        assert (known["braf"], known["is_braf_tested"]) == (None, True)

    def test_not_detected_is_wild_type_and_silent_says_nothing(self):
        assert facts(negative("braf"))["braf"] == "wild_type"
        assert facts(mutated("braf", "p.V600="))["braf"] is None


def stained(**proteins: str) -> list[Row]:
    return [{"analyte": name, "method": "ihc", "result": result} for name, result in proteins.items()]


class TestMismatchRepair:
    @pytest.mark.parametrize(
        ("result", "status"), [("msi_h", "msi_h"), ("mss", "mss"), ("msi_l", "mss"), ("failed", None)]
    )
    def test_instability_alone(self, result, status):
        assert facts({"analyte": "msi", "result": result})["msi"] == status

    def test_four_retained_proteins_or_the_two_protein_screen_are_stable(self):
        four = dict.fromkeys(("mlh1", "pms2", "msh2", "msh6"), "retained")
        assert facts(*stained(**four))["msi"] == "mss"
        assert facts(*stained(pms2="retained", msh6="retained"))["msi"] == "mss"

    def test_fewer_proteins_are_unknown(self):
        assert facts(*stained(mlh1="retained", msh2="retained"))["msi"] is None
        assert facts(*stained(pms2="retained"))["msi"] is None

    def test_one_lost_protein_is_unstable_whatever_else_was_retained(self):
        assert facts(*stained(mlh1="lost", pms2="retained", msh2="retained", msh6="retained"))["msi"] == "msi_h"

    def test_disagreeing_methods_are_a_conflict(self):
        assert facts(*stained(msh6="lost"), {"analyte": "msi", "result": "mss"})["msi"] == "conflict"
        screen = stained(pms2="retained", msh6="retained")
        assert facts(*screen, {"analyte": "msi", "result": "msi_h"})["msi"] == "conflict"
        assert facts({"analyte": "msi", "result": "mss"}, {"analyte": "msi", "result": "msi_h"})["msi"] == "conflict"

    def test_a_protein_lost_in_one_specimen_and_retained_in_another_is_a_conflict(self):
        known = facts(*stained(mlh1="lost"), *stained(mlh1="retained"))
        assert (known["msi"], known["is_mlh1_lost"]) == ("conflict", None)

    def test_loss_of_mlh1_is_a_fact_of_its_own(self):
        assert facts(*stained(mlh1="lost"))["is_mlh1_lost"] is True
        assert facts(*stained(mlh1="retained"))["is_mlh1_lost"] is False
        assert facts(*stained(msh2="lost"))["is_mlh1_lost"] is None


def her2(result: str, **cells: Any) -> Row:
    return {"analyte": "erbb2", "result": result, **cells}


SCHEMES = ("her2", "her2_heracles", "her2_destiny", "her2_fda_agnostic")
POSITIVE, NEGATIVE, EQUIVOCAL = "positive", "negative", "equivocal"


class TestHer2:
    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ([], (None, None, None, None)),
            ([her2("ihc_0")], (NEGATIVE, NEGATIVE, NEGATIVE, NEGATIVE)),
            ([her2("ihc_1")], (NEGATIVE, NEGATIVE, NEGATIVE, NEGATIVE)),
            ([her2("ihc_3")], (POSITIVE, None, POSITIVE, POSITIVE)),
            ([her2("ihc_3", percent_cells=10.0)], (NEGATIVE, NEGATIVE, NEGATIVE, NEGATIVE)),
            ([her2("ihc_3", percent_cells=10.1)], (POSITIVE, EQUIVOCAL, POSITIVE, POSITIVE)),
            ([her2("ihc_3", percent_cells=49.9)], (POSITIVE, EQUIVOCAL, POSITIVE, POSITIVE)),
            ([her2("ihc_3", percent_cells=50.0)], (POSITIVE, POSITIVE, POSITIVE, POSITIVE)),
            ([her2("ihc_2")], (EQUIVOCAL, None, EQUIVOCAL, NEGATIVE)),
            ([her2("ihc_2", percent_cells=50.0)], (EQUIVOCAL, EQUIVOCAL, EQUIVOCAL, NEGATIVE)),
            ([her2("ihc_2", percent_cells=49.9)], (EQUIVOCAL, NEGATIVE, EQUIVOCAL, NEGATIVE)),
            ([her2("ihc_2"), her2("amplified", method="ish")], (POSITIVE, None, POSITIVE, NEGATIVE)),
            ([her2("ihc_2"), her2("not_amplified", method="ish")], (NEGATIVE, NEGATIVE, NEGATIVE, NEGATIVE)),
            ([her2("ihc_2", ish_ratio=2.0)], (POSITIVE, None, POSITIVE, NEGATIVE)),
            ([her2("ihc_2", ish_ratio=1.99)], (NEGATIVE, NEGATIVE, NEGATIVE, NEGATIVE)),
            (
                [
                    her2("ihc_2", percent_cells=60.0),
                    her2("amplified", method="ish", ish_ratio=2.4, ish_percent_cells=50.0),
                ],
                (POSITIVE, POSITIVE, POSITIVE, NEGATIVE),
            ),
            (
                [
                    her2("ihc_2", percent_cells=60.0),
                    her2("amplified", method="ish", ish_ratio=2.4, ish_percent_cells=49.0),
                ],
                (POSITIVE, NEGATIVE, POSITIVE, NEGATIVE),
            ),
            ([her2("amplified", method="ngs")], (POSITIVE, None, None, None)),
            ([her2("not_amplified", method="ngs")], (NEGATIVE, None, None, None)),
            ([her2("not_amplified", method="ish")], (None, None, None, None)),
            ([her2("mutated", method="ngs")], (None, None, None, None)),
            ([her2("not_detected", method="ngs")], (None, None, None, None)),
            ([her2("ihc_0"), her2("ihc_3", percent_cells=80.0)], (POSITIVE, POSITIVE, POSITIVE, POSITIVE)),
        ],
    )
    def test_each_scheme_reads_the_same_results_its_own_way(self, rows, expected):
        known = facts(*rows)
        assert tuple(known[scheme] for scheme in SCHEMES) == expected


class TestRarerMarkers:
    def test_an_ntrk_fusion_is_excluded_only_by_all_three_genes(self):
        assert facts({"analyte": "ntrk3", "result": "fusion"})["has_ntrk_fusion"] is True
        assert facts(negative("ntrk1"), negative("ntrk2"))["has_ntrk_fusion"] is None
        assert facts(negative("ntrk1"), negative("ntrk2"), negative("ntrk3"))["has_ntrk_fusion"] is False

    def test_a_ret_fusion(self):
        assert facts({"analyte": "ret", "result": "fusion"})["has_ret_fusion"] is True
        assert facts(negative("ret"))["has_ret_fusion"] is False

    def test_a_polymerase_variant_is_excluded_only_by_both_genes(self):
        assert facts(mutated("pole", "p.P286R"))["has_pole_variant"] is True
        assert facts(mutated("pole", "p.P286="))["has_pole_variant"] is None
        assert facts(negative("pole"))["has_pole_variant"] is None
        assert facts(negative("pole"), negative("pold1"))["has_pole_variant"] is False

    def test_mutational_burden_is_as_reported(self):
        assert facts({"analyte": "tmb", "result": "high"})["is_tmb_high"] is True
        assert facts({"analyte": "tmb", "result": "low", "value": 30.0})["is_tmb_high"] is False

    def test_the_worse_dpd_activity_counts_and_blood_will_do(self):
        rows = [
            {"analyte": "dpyd", "result": f"dpd_{level}", "specimen_site": "blood"} for level in ("normal", "partial")
        ]
        assert facts(rows[0])["dpd"] == "normal"
        assert facts(*rows)["dpd"] == "partial"
        assert facts()["dpd"] is None


class TestSpecimen:
    def test_plasma_feeds_only_ras_plasma(self):
        known = facts(
            mutated("kras", "p.G12D") | {"specimen_site": "plasma"}, negative("braf") | {"specimen_site": "plasma"}
        )
        assert (known["ras"], known["braf"], known["ras_plasma"]) == (None, None, "mutant")

    def test_a_specimen_without_a_site_counts_as_tissue(self):
        assert facts(mutated("kras", "p.G12D") | {"specimen_site": None})["ras"] == "mutant"
