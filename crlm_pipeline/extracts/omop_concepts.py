"""What OMOP concepts and source texts mean in the contract (`data/reference/omop_concepts.csv`, and rules for codes).

A concept is read by its vocabulary and code where the vocabulary is delivered along, else by its id. A meaning is a
`target` (table.column), a `value` (null: the record's own), and a `detail`: the method of an assay, the morphology of a
tumour, `c` or `p` of a TNM category, the protein change of a variant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.extracts.hgvs import THREE_LETTERS
from crlm_pipeline.extracts.omop import Delivery
from crlm_pipeline.extracts.topography import COLORECTAL, dotted

TARGET: Final = "target"
MEANING: Final = (TARGET, "value", "detail")
ANALYTE: Final = "biomarker.analyte"
METASTASIS: Final = "assessment.mets_sites"
VARIANT: Final = "variant"  # the assay looks for a change of the gene, not for its protein or copies
PRIMARY: Final = "tumour.topography"
_TEXT: Final = "source value"
_ICD10: Final = ("ICD10", "ICD10CM", "ICD10GM", "ICD10CN")
_CODED: Final = ("SNOMED", "LOINC", "ICD10")  # their codes are told apart by shape, so a bare code is understood
_ICDO: Final = r"^(\d{4}/[0-3])-(C\d{2}\.\d)$"
_TNM: Final = r"(?i)^y?([cp])?-?(?:\d+th_)?(?:AJCC/UICC-)?(T(?:is|[0-4][a-d]?)|N[0-3][a-c]?|M[01][a-c]?)$"
_ORGAN: Final = r"^Metastasis to (?:the )?(?:left |right )?(liver|lung|bone|brain|peritoneum|ovary)$"
_ELSEWHERE: Final = r"^Metastasis to "
_NO_ORGAN: Final = r"(?i)unknown|unspecified|lymph"
_GENES: Final = r"^(KRAS|NRAS|HRAS|BRAF|PIK3CA|ERBB2|NTRK[123]|RET|POLE|POLD1) "
_GENE_EXAMINED: Final = r" gene variant measurement$"
_SUBSTITUTION: Final = r" protein: ?Substitution in position (\d+) ([A-Z][a-z]{2}) +replaced by ([A-Z][a-z]{2}) "
_NO_CONCEPT: Final = "0"
_FIELD: Final = r"^(condition_occurrence|drug_exposure|specimen)\.\w+_id$"
_NOTHING: Final = pl.struct(*(pl.lit(None, pl.String).alias(name) for name in MEANING))
_CONCEPT: Final = ("concept_id", "vocabulary_id", "concept_code", "concept_name")


@dataclass(frozen=True, slots=True)
class Concepts:
    """The concepts of a delivery: one row per id that it uses and names, or that is listed here."""

    by_id: pl.DataFrame

    @staticmethod
    def of(delivery: Delivery) -> "Concepts":
        """Read the concepts that the delivery uses: its vocabulary, completed by the ids that are listed here."""
        used = _used(delivery)
        named = delivery.frames["concept"].select(_CONCEPT).unique("concept_id", keep="first", maintain_order=True)
        known = _interpreted(named.join(used, on="concept_id", how="semi", maintain_order="left"))
        listed = _listed().filter(pl.col("concept_id").is_not_null()).select(*_CONCEPT, *MEANING)
        both = known.join(listed, on="concept_id", how="full", coalesce=True, suffix="_listed", maintain_order="left")
        is_read = pl.col(TARGET).is_not_null()
        return Concepts(
            both.select(
                "concept_id",
                *(pl.coalesce(name, f"{name}_listed") for name in _CONCEPT[1:]),
                *(pl.when(is_read).then(name).otherwise(f"{name}_listed").alias(name) for name in MEANING),
            )
        )

    def with_meaning(self, records: pl.DataFrame, columns: Sequence[str], targets: Sequence[str]) -> pl.DataFrame:
        """Add `target`, `value` and `detail` to records: of the first of the columns that has a meaning.

        A column whose name ends in `_concept_id` holds ids, another one source texts. Only these targets count. Rows
        and their order stay; all three are null where nothing is understood.
        """
        is_asked = pl.col(TARGET).is_in(list(targets))
        of_ids = self.by_id.filter(is_asked).select("concept_id", _struct("meaning"))
        found = records
        for name in columns:
            is_id = name.endswith("_concept_id")
            known = of_ids.rename({"concept_id": name}) if is_id else _of_texts(records[name], is_asked)
            found = found.join(known.rename({"meaning": f"{name}_meaning"}), on=name, how="left", maintain_order="left")
        added = [f"{name}_meaning" for name in columns]
        return found.with_columns(pl.coalesce(added).alias("meaning")).drop(added).unnest("meaning")

    def names(self, vocabulary: str | None = None) -> pl.DataFrame:
        """Return `concept_id`, `concept_code` and `concept_name` of the concepts, of one vocabulary if given."""
        of = self.by_id.filter(pl.col("vocabulary_id") == vocabulary) if vocabulary else self.by_id
        return of.select("concept_id", "concept_code", "concept_name")

    def means(self, column: str, target: str) -> pl.Expr:
        """Return whether a concept id means just this target; an unknown one does not."""
        ids = self.by_id.filter(pl.col(TARGET) == target)["concept_id"]
        return pl.col(column).is_in(ids.implode()).fill_null(value=False)

    def recoded(self, column: str, target: str) -> pl.Expr:
        """Return the value that a concept id has for a target; null for any other id."""
        of = self.by_id.filter(pl.col(TARGET) == target).drop_nulls("value")
        return pl.col(column).replace_strict(of["concept_id"], of["value"], default=None, return_dtype=pl.String)


def text_value(texts: pl.Series, target: str) -> pl.Expr:
    """Return the value that the texts of this column have for a target; null for any other text."""
    of = _of_texts(texts, pl.col(TARGET) == target).unnest("meaning").drop_nulls("value")
    return pl.col(texts.name).replace_strict(of[texts.name], of["value"], default=None, return_dtype=pl.String)


def _struct(name: str) -> pl.Expr:
    return pl.struct(MEANING).alias(name)


def _used(delivery: Delivery) -> pl.DataFrame:
    ids = [
        frame[column].unique().alias("concept_id")
        for name, frame in delivery.frames.items()
        for column in frame.columns
        if column.endswith("_concept_id") and name != "concept"
    ]
    used = pl.DataFrame([pl.concat(ids).unique().drop_nulls()])
    return used.filter(pl.col("concept_id") != _NO_CONCEPT)


@cache
def _listed() -> pl.DataFrame:
    """Return the reference table with its empty cells null, and the `row` number that rules refer to."""
    table = pl.DataFrame(resources.reference("omop_concepts")).with_columns(pl.all().replace("", None))
    return table.with_row_index("row")


def _of_texts(texts: pl.Series, is_asked: pl.Expr) -> pl.DataFrame:
    """Return the meaning of each distinct text that has one of those asked for: the column of the text, `meaning`."""
    distinct = texts.drop_nulls().unique(maintain_order=True)
    codes = pl.DataFrame({"vocabulary_id": [_TEXT] * len(distinct), "concept_code": distinct, "concept_name": distinct})
    return _interpreted(codes).filter(is_asked).select(pl.col("concept_code").alias(texts.name), _struct("meaning"))


def _interpreted(codes: pl.DataFrame) -> pl.DataFrame:
    """Add the meaning of codes (`vocabulary_id`, `concept_code`, `concept_name`); null where they have none."""
    family = pl.when(pl.col("vocabulary_id").is_in(list(_ICD10))).then(pl.lit("ICD10")).otherwise("vocabulary_id")
    coded = codes.with_columns(family=family, site=dotted("concept_code"), row=_listed_row(family))
    meaning = pl.coalesce(
        _of_reference(), _of_tumour(), _of_category(), _of_metastasis(), _of_variant(), _of_field(), _NOTHING
    )
    listed = coded.join(_listed().select("row", *MEANING), on="row", how="left", maintain_order="left")
    return listed.with_columns(meaning.alias("meaning")).drop(MEANING, "family", "site", "row").unnest("meaning")


def _listed_row(family: pl.Expr) -> pl.Expr:
    """Return the row of the reference table: of the whole code, an ICD-10 category, or a text's first words."""
    table = _listed().drop_nulls(["vocabulary_id", "concept_code"])
    key = table["concept_code"].str.to_lowercase()
    rows = dict(zip(table["vocabulary_id"] + " " + key, table["row"], strict=True))
    is_coded = table["vocabulary_id"].is_in(list(_CODED))
    by_shape = dict(zip(key.filter(is_coded), table["row"].filter(is_coded), strict=True))
    code = pl.col("concept_code").str.to_lowercase()
    category, words = code.str.slice(0, 5), code.str.extract(r"^([a-z0-9/+-]+ [a-z0-9/+-]+)")
    word = code.str.extract(r"^([a-z0-9/+-]+)")
    is_text, is_icd = family == _TEXT, family == "ICD10"
    return pl.coalesce(
        _row(family + " " + code, rows),
        pl.when(is_icd).then(_row(pl.lit("ICD10 ") + category, rows)),
        pl.when(is_text).then(_row(code, by_shape)),
        pl.when(is_text & code.str.contains(r"^c7[89]\.\d")).then(_row(category, by_shape)),
        *(pl.when(is_text).then(_row(pl.lit(f"{_TEXT} ") + start, rows)) for start in (words, word)),
    )


def _row(key: pl.Expr, rows: dict[str, int]) -> pl.Expr:
    return key.replace_strict(rows, default=None, return_dtype=pl.UInt32)


def _of_reference() -> pl.Expr:
    return pl.when(pl.col(TARGET).is_not_null()).then(_struct("meaning"))


def _meaning(target: pl.Expr | str, value: pl.Expr, detail: pl.Expr | None = None) -> pl.Expr:
    target = pl.lit(target) if isinstance(target, str) else target
    extra = pl.lit(None, pl.String) if detail is None else detail
    return pl.struct(target.alias(TARGET), value.alias("value"), extra.alias("detail"))


def _of_tumour() -> pl.Expr:
    """Return a primary: ICD-O-3 histology and site (`8140/3-C18.7`), or an ICD-10 code of colon or rectum."""
    code, family = pl.col("concept_code"), pl.col("family")
    site, morphology = code.str.extract(_ICDO, 2), code.str.extract(_ICDO, 1)
    is_icd = family.is_in(["ICD10", _TEXT]) & pl.col("site").str.contains(COLORECTAL)
    return (
        pl.when(family.is_in(["ICDO3", _TEXT]) & site.str.contains(COLORECTAL))
        .then(_meaning(PRIMARY, site, morphology))
        .when(is_icd)
        .then(_meaning(PRIMARY, pl.col("site")))
    )


def _of_category() -> pl.Expr:
    """Return a TNM category of the Cancer Modifier vocabulary (`p-8th_AJCC/UICC-T3`) or of a source text (`pT3`).

    A source text without `c` or `p` is none: T3 and T4 are laboratory tests of the thyroid, too.
    """
    category, basis = pl.col("concept_code").str.extract(_TNM, 2), pl.col("concept_code").str.extract(_TNM, 1)
    target = pl.format("tumour.{}_category", category.str.slice(0, 1).str.to_lowercase())
    is_read = (pl.col("family") == "Cancer Modifier") | ((pl.col("family") == _TEXT) & basis.is_not_null())
    return pl.when(is_read & category.is_not_null()).then(_meaning(target, category, basis.str.to_lowercase()))


def _of_metastasis() -> pl.Expr:
    """Return a metastasis of the Cancer Modifier vocabulary by its name; the reference table lists only some ids."""
    name = pl.col("concept_name")
    organ = name.str.extract(_ORGAN)
    is_modifier = pl.col("family") == "Cancer Modifier"
    elsewhere = name.str.contains(_ELSEWHERE) & ~name.str.contains(_NO_ORGAN)
    return (
        pl.when(is_modifier & organ.is_not_null())
        .then(_meaning(METASTASIS, organ))
        .when(is_modifier & (name == "Distant spread to lymph node"))
        .then(_meaning(METASTASIS, pl.lit("distant_nodes")))
        .when(is_modifier & (name == "Metastasis"))
        .then(_meaning(METASTASIS, pl.lit(None, pl.String)))
        .when(is_modifier & elsewhere)
        .then(_meaning(METASTASIS, pl.lit("other")))
    )


def _of_variant() -> pl.Expr:
    """Return a gene of the OMOP Genomic vocabulary, with the protein change that its concept names."""
    name = pl.col("concept_name")
    gene = name.str.extract(_GENES).str.to_lowercase()
    change = pl.concat_str(
        pl.lit("p."),
        name.str.extract(_SUBSTITUTION, 2),
        name.str.extract(_SUBSTITUTION, 1),
        name.str.extract(_SUBSTITUTION, 3),
    )
    is_genomic = (pl.col("family") == "OMOP Genomic") & gene.is_not_null()
    is_residue = name.str.extract(_SUBSTITUTION, 3).is_in(sorted(THREE_LETTERS.values()))
    return (
        pl.when(is_genomic & name.str.contains(_GENE_EXAMINED))
        .then(_meaning(ANALYTE, gene, pl.lit(VARIANT)))
        .when(is_genomic & is_residue)
        .then(_meaning(ANALYTE, gene, change))
    )


def _of_field() -> pl.Expr:
    """Return which table an event or a modifier points to, of a concept that names the table's key."""
    table = pl.col("concept_name").str.extract(_FIELD)
    return pl.when((pl.col("family") == "CDM") & table.is_not_null()).then(_meaning(pl.lit("event.") + table, table))
