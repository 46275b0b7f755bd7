"""Writes small cBioPortal studies: one patient P1 with one sample S1, unless a test says otherwise."""

from pathlib import Path

from crlm_pipeline.extracts.tables import Extract
from tests.unit.extracts.files import read, tab

COMMENTS = "#a\n#{descriptions}\n#STRING\n#1\n"
SINCE_SEQUENCING = "\t".join(("id", "sex", "Overall survival in months since date of sequencing", "status", "age"))
PATIENT_HEADER = "PATIENT_ID SEX OS_MONTHS OS_STATUS AGE_AT_SEQUENCING"
SAMPLE = {
    "PATIENT_ID": "P1",
    "SAMPLE_ID": "S1",
    "SAMPLE_TYPE": "Primary",
    "PRIMARY_SITE": "Cecum",
    "METASTATIC_SITE": '""',
    "SUBTYPE_ABBREVIATION": "CRC MSS",
    "GENE_PANEL": "IMPACT468",
    "TMB_NONSYNONYMOUS": "5.5",
}
MAF_HEADER = (
    "Hugo_Symbol NCBI_Build Start_Position Reference_Allele Tumor_Seq_Allele2 "
    "Tumor_Sample_Barcode t_ref_count t_alt_count"
)
META = "type_of_cancer: coadread\ncancer_study_identifier: study_x\nname: A study, of some kind\n"
KRAS_G12C = ("KRAS", "GRCh37", "25398285", "C", "A", "S1", "75", "25")


def patients(*rows: tuple[str, ...], descriptions: str = SINCE_SEQUENCING) -> str:
    return COMMENTS.format(descriptions=descriptions) + tab(PATIENT_HEADER, *rows)


def samples(*rows: dict[str, str]) -> str:
    """Return the clinical file of samples; its columns are those of SAMPLE and of the first row."""
    columns = {**SAMPLE, **dict.fromkeys(rows[0], "")} | SAMPLE
    return COMMENTS.format(descriptions="x") + tab(
        " ".join(columns), *(tuple({**columns, **row}.values()) for row in rows)
    )


def sample(patient: str = "P1", name: str = "S1", **cells: str) -> dict[str, str]:
    """Return a sample; a further cell is given by its column's name in lower case."""
    return {"PATIENT_ID": patient, "SAMPLE_ID": name, **{column.upper(): cell for column, cell in cells.items()}}


ONE_PATIENT = patients(("P1", "Female", "2", "0:LIVING", "60"))


def study(folder: Path, **files: str) -> Extract:
    """Read a study of one patient and sample, with these files replaced or added (`maf`, `sequencing` …)."""
    given = {
        "meta_study": META,
        "data_clinical_patient": ONE_PATIENT,
        "data_clinical_sample": samples(sample()),
        "data_mutations": tab(MAF_HEADER, KRAS_G12C),
    }
    return read(folder, {f"{name}.txt": content for name, content in {**given, **files}.items()})


def timeline(header: str, *rows: tuple[str, ...]) -> str:
    """Return a timeline that opens with the specimen S1 of P1 on day 100; blanks fill up short rows."""
    columns = ["PATIENT_ID", "START_DATE", "STOP_DATE", "EVENT_TYPE", "SAMPLE_ID", *header.split()]
    specimen = ("P1", "100", "", "SPECIMEN", "S1")
    return tab(" ".join(columns), *(row + ("",) * (len(columns) - len(row)) for row in (specimen, *rows)))


def event(kind: str, day: str, *cells: str, patient: str = "P1", end: str = "") -> tuple[str, ...]:
    """Return a row of such a timeline; the cells stand under its further columns."""
    return (patient, day, end, kind, "", *cells)


def rows_of(extract: Extract, check: str) -> tuple[int, ...]:
    """Return the rows of the one notice of this name."""
    (notice,) = [notice for notice in extract.notices if notice.check_name == check]
    return notice.rows
