"""The eight extract tables: what a registry hands over. Required columns reject a row; others may be unknown (null)."""

from typing import Final

from schemas import vocabulary as v
from schemas.column import Boolean, Date, Integer, Number, Table, TableDescription, Text, TextList, column, describe

PATIENT_ID: Final = column(
    "Pseudonym of the patient, as text.", required=True, sensitivity="identifier", codes="NAACCR 20; OMOP person"
)
OWN_CENTRE: Final = column("Centre where it took place; unknown means the patient's own centre.", codes="NAACCR 540")
SOURCE_FILE_ID: Final = column("File the row came from (`audit.source_file`).", required=True)
SOURCE_ROW: Final = column("Number of the row in its file, counted from 1 below the header.", required=True)


class Patient(Table):
    """The person, one row each."""

    patient_id: Text = PATIENT_ID
    centre_id: Text = column("Centre that reports the patient.", required=True, codes="NAACCR 540; OMOP care_site")
    country: Text = column(
        "Country of the care given, ISO 3166-1 alpha-2; ZZ = unknown: no label and no national guideline applies.",
        required=True,
        codes="ISO 3166-1",
        pattern="^[A-Z]{2}$",
    )
    birth_year: Integer = column(
        "Year of birth.", unit="year", low=1900, high=2100, sensitivity="quasi-identifier", codes="NAACCR 240"
    )
    sex: Text = column("Sex.", values=v.SEX, sensitivity="quasi-identifier", codes="NAACCR 220, 225")
    vital_status: Text = column(
        "Whether the patient was alive at the last contact.", values=v.VITAL_STATUS, codes="NAACCR 1760"
    )
    last_contact_date: Date = column("Date of the last contact.", sensitivity="quasi-identifier", codes="NAACCR 1750")
    death_date: Date = column("Date of death.", sensitivity="quasi-identifier", codes="NAACCR 1750; OMOP death")
    source_file_id: Text = SOURCE_FILE_ID
    source_row: Integer = SOURCE_ROW

    class Config:
        name = "extract.patient"
        metadata = {"grain": "patient", "key": ["patient_id"], "identity": ["patient_id", "centre_id"]}


class Tumour(Table):
    """A primary colorectal cancer."""

    patient_id: Text = PATIENT_ID
    tumour_id: Text = column("Number or name of the tumour within the patient.", required=True)
    diagnosis_date: Date = column(
        "Date of diagnosis of the primary.", codes="NAACCR 390", sensitivity="quasi-identifier"
    )
    topography: Text = column(
        "Site of the primary, ICD-O-3 with dot.",
        required=True,
        codes="ICD-O-3; NAACCR 400",
        pattern=r"^C[0-9]{2}\.[0-9]$",
    )
    transverse_part: Text = column(
        "Part of the transverse colon, read only by the `split` side policy.", values=v.TRANSVERSE_PART
    )
    morphology: Text = column("Histology and behaviour.", codes="ICD-O-3; NAACCR 522, 523")
    t_category: Text = column("T category.", codes="TNM; NAACCR 1001, 1011; LOINC 21905-5, 21899-0")
    n_category: Text = column("N category.", codes="TNM; NAACCR 1002, 1012; LOINC 21906-3, 21900-6")
    m_category: Text = column("M category.", codes="TNM; NAACCR 1003, 1013; LOINC 21907-1, 21901-4")
    nodes_positive: Integer = column(
        "Regional lymph nodes with tumour.", unit="nodes", low=0, high=90, codes="NAACCR 820"
    )
    resection_date: Date = column("Date on which the primary was removed.", sensitivity="quasi-identifier")
    resection_margin: Text = column("Margin of the resection of the primary.", values=v.MARGIN)
    source_file_id: Text = SOURCE_FILE_ID
    source_row: Integer = SOURCE_ROW

    class Config:
        name = "extract.tumour"
        metadata = {"grain": "primary colorectal cancer", "key": ["patient_id", "tumour_id"]}


class Assessment(Table):
    """A dated work-up of the metastatic disease."""

    patient_id: Text = PATIENT_ID
    centre_id: Text = OWN_CENTRE
    assessment_date: Date = column("Date of the work-up.", required=True, sensitivity="quasi-identifier")
    first_metastasis_date: Date = column("Date of the first metastasis in any organ.", codes="NAACCR 1860")
    mets_diagnosis_date: Date = column("Date of the first liver metastasis.", codes="mCODE SecondaryCancerCondition")
    mets_sites: TextList = column(
        "Organs with metastases.", values=v.METASTASIS_SITE, codes="NAACCR 1112-1117; ICD-10 C78.7, C78.0, C78.6"
    )
    crlm_count: Integer = column("Number of liver metastases; 99 = too many to count.", unit="lesions", low=1, high=99)
    crlm_max_mm: Number = column(
        "Diameter of the largest liver metastasis.", unit="mm", low=1, high=300, codes="LOINC 21889-1; mCODE TumorSize"
    )
    is_bilobar: Boolean = column("Whether both lobes of the liver hold metastases.")
    cea_ng_ml: Number = column("Carcinoembryonic antigen.", unit="ng/mL", low=0, codes="LOINC 2039-6; NAACCR 3820")
    liver_background: Text = column("State of the liver outside the metastases.", values=v.LIVER_BACKGROUND)
    child_pugh: Text = column("Child-Pugh class.", values=v.CHILD_PUGH)
    flr_percent: Number = column(
        "Future liver remnant as a share of the total functional liver volume.", unit="%", low=5, high=100
    )
    flr_ml: Number = column("Volume of the future liver remnant.", unit="mL", low=0)
    tlv_ml: Number = column("Total functional liver volume.", unit="mL", low=0)
    resectability: Text = column(
        "Resectability of the liver metastases; never = permanently unresectable by an expert panel.",
        values=v.RESECTABILITY,
    )
    resectability_source: Text = column("Who judged the resectability.", values=v.RESECTABILITY_SOURCE)
    is_ablatable: Boolean = column("Whether thermal ablation can treat every lesion.")
    planned_resection: Text = column("Extent of the resection planned.", values=v.PLANNED_RESECTION)
    ecog: Integer = column(
        "ECOG performance status.", low=0, high=4, codes="LOINC 89247-1; mCODE ECOGPerformanceStatus"
    )
    contraindications: TextList = column("Conditions that exclude drugs; empty means none.", values=v.CONTRAINDICATION)
    source_file_id: Text = SOURCE_FILE_ID
    source_row: Integer = SOURCE_ROW

    class Config:
        name = "extract.assessment"
        metadata = {"grain": "patient and date of work-up", "key": ["patient_id", "assessment_date"]}


class Biomarker(Table):
    """An assay result of a specimen."""

    patient_id: Text = PATIENT_ID
    centre_id: Text = OWN_CENTRE
    specimen_id: Text = column(
        "Name of the specimen.", required=True, sensitivity="identifier", codes="mCODE HumanSpecimen"
    )
    specimen_site: Text = column("Where the specimen was taken.", values=v.SPECIMEN_SITE)
    sample_date: Date = column("Date of the sample.", sensitivity="quasi-identifier")
    report_date: Date = column(
        "Date on which the treating team had the result; unknown: the sample date stands in, marked.",
        sensitivity="quasi-identifier",
    )
    analyte: Text = column(
        "Gene, protein or signature examined.", required=True, values=v.ANALYTE, codes="HGNC; LOINC 48018-6; mCODE"
    )
    method: Text = column("Method of the assay.", values=v.METHOD)
    region_tested: TextList = column(
        "Codons or exons of KRAS or NRAS that were examined; all = codons 12, 13, 59, 61, 117 and 146.",
        values=v.REGION,
        codes="mCODE GenomicRegionStudied",
    )
    result: Text = column("Result.", required=True, values=v.RESULT, codes="LOINC 69548-6, 81695-9, 48676-1, 72383-3")
    hgvs_p: Text = column("Protein change, HGVS.", codes="HGVS; LOINC 48005-3")
    hgvs_c: Text = column("Coding change, HGVS.", codes="HGVS; LOINC 48004-6")
    vaf_percent: Number = column("Variant allele fraction.", unit="%", low=0, high=100)
    percent_cells: Number = column("Share of tumour cells that stain.", unit="%", low=0, high=100)
    ish_ratio: Number = column("Ratio of gene to centromere signals.", low=0, codes="LOINC 49683-6")
    ish_percent_cells: Number = column("Share of tumour cells with amplification.", unit="%", low=0, high=100)
    copy_number: Number = column("Gene copies.", unit="copies", low=0, codes="LOINC 74860-8")
    value: Number = column("Measured value of a signature; tumour mutational burden in mutations per Mb.", low=0)
    missing_reason: Text = column("Why there is no result, with result `indeterminate`.", values=v.MISSING_REASON)
    registry_code: Text = column("Raw code of the source.", codes="NAACCR 3866, 3940, 3941, 3890, 3850-3855")
    source_file_id: Text = SOURCE_FILE_ID
    source_row: Integer = SOURCE_ROW

    class Config:
        name = "extract.biomarker"
        metadata = {"grain": "assay result", "identity": ["patient_id", "specimen_id", "analyte", "method"]}


class DrugExposure(Table):
    """A drug given over a period."""

    patient_id: Text = PATIENT_ID
    centre_id: Text = OWN_CENTRE
    drug: Text = column(
        "Name as delivered: substance, brand or biosimilar.", required=True, codes="RxNorm; OMOP drug_exposure"
    )
    atc: Text = column("ATC code, old or new; wins over the name.", codes="WHO ATC")
    start_date: Date = column("First administration.", required=True, sensitivity="quasi-identifier")
    end_date: Date = column("Last administration; unknown = ongoing.", sensitivity="quasi-identifier")
    intent: Text = column("Purpose of the treatment.", values=v.INTENT)
    line_registered: Integer = column("Line of therapy as the registry counts it.", low=1, high=30)
    dose_mg: Number = column("Dose of one administration.", unit="mg", low=0)
    stop_reason: Text = column("Why the drug was stopped.", values=v.STOP_REASON)
    trial_id: Text = column("Trial under which it was given, e.g. an NCT number.")
    source_file_id: Text = SOURCE_FILE_ID
    source_row: Integer = SOURCE_ROW

    class Config:
        name = "extract.drug_exposure"
        metadata = {"grain": "drug and period", "identity": ["patient_id", "drug", "start_date"]}


class Procedure(Table):
    """A local treatment of liver metastases."""

    patient_id: Text = PATIENT_ID
    centre_id: Text = OWN_CENTRE
    procedure_date: Date = column("Date of the procedure.", required=True, sensitivity="quasi-identifier")
    procedure: Text = column(
        "Kind of local treatment.", required=True, values=v.PROCEDURE, codes="OMOP procedure_occurrence; NAACCR 1294"
    )
    is_major: Boolean = column("Whether a resection removed three segments or more.")
    is_anatomical: Boolean = column("Whether a resection followed the segments of the liver.")
    lesions_treated: Integer = column("Lesions treated.", unit="lesions", low=0, high=99)
    max_lesion_mm: Number = column("Diameter of the largest lesion treated.", unit="mm", low=1, high=300)
    bead_type: Text = column("Microspheres of a radioembolisation.", values=v.BEAD_TYPE)
    margin: Text = column("Margin of a resection.", values=v.MARGIN)
    clavien_dindo: Text = column("Worst complication within 30 days, Clavien-Dindo grade.", values=v.CLAVIEN_DINDO)
    length_of_stay_days: Integer = column("Stay in hospital.", unit="days", low=0, high=999)
    is_readmitted_30d: Boolean = column("Whether the patient was readmitted within 30 days.")
    is_reintervention: Boolean = column("Whether a re-intervention was needed.")
    trial_id: Text = column("Trial under which it was done.")
    source_file_id: Text = SOURCE_FILE_ID
    source_row: Integer = SOURCE_ROW

    class Config:
        name = "extract.procedure"
        metadata = {"grain": "local treatment", "identity": ["patient_id", "procedure_date", "procedure"]}


class Mdt(Table):
    """A multidisciplinary meeting that discussed the patient."""

    patient_id: Text = PATIENT_ID
    centre_id: Text = OWN_CENTRE
    mdt_date: Date = column("Date of the meeting.", required=True, sensitivity="quasi-identifier")
    mdt_type: Text = column("Kind of meeting.", values=v.MDT_TYPE)
    disciplines: TextList = column("Disciplines present.", values=v.DISCIPLINE)
    deviation_reason: Text = column(
        "Why the meeting departed from the guideline; empty means it did not.", values=v.DEVIATION_REASON
    )
    trial_id: Text = column("Trial that the meeting chose.")
    source_file_id: Text = SOURCE_FILE_ID
    source_row: Integer = SOURCE_ROW

    class Config:
        name = "extract.mdt"
        metadata = {"grain": "meeting that discussed the patient", "identity": ["patient_id", "mdt_date", "mdt_type"]}


class Outcome(Table):
    """A response assessment or event."""

    patient_id: Text = PATIENT_ID
    outcome_date: Date = column("Date of the assessment.", required=True, sensitivity="quasi-identifier")
    outcome: Text = column("Response or event.", required=True, values=v.OUTCOME, codes="mCODE CancerDiseaseStatus")
    source_file_id: Text = SOURCE_FILE_ID
    source_row: Integer = SOURCE_ROW

    class Config:
        name = "extract.outcome"
        metadata = {"grain": "response assessment", "identity": ["patient_id", "outcome_date"]}


EXTRACT_MODELS: Final[tuple[type[Table], ...]] = (
    Patient,
    Tumour,
    Assessment,
    Biomarker,
    DrugExposure,
    Procedure,
    Mdt,
    Outcome,
)


def extract_tables() -> dict[str, TableDescription]:
    """Return the extract tables by bare name, in the order in which they are loaded (parents first)."""
    return {table.name: table for table in map(describe, EXTRACT_MODELS)}
