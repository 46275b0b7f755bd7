"""Closed vocabularies: the only values that a column may hold. Unknown is always null, never a value."""

from typing import Final

SEX: Final = ("female", "male", "other")
VITAL_STATUS: Final = ("alive", "dead")
TRANSVERSE_PART: Final = ("proximal", "distal")
MARGIN: Final = ("r0", "r1", "r2")
METASTASIS_SITE: Final = ("liver", "lung", "peritoneum", "distant_nodes", "bone", "brain", "ovary", "other")
LIVER_BACKGROUND: Final = ("normal", "steatosis", "sinusoidal_obstruction", "fibrosis", "cirrhosis")
CHILD_PUGH: Final = ("a", "b", "c")
RESECTABILITY: Final = ("upfront", "difficult", "potential", "never")
RESECTABILITY_SOURCE: Final = ("panel", "mdt", "surgeon")
PLANNED_RESECTION: Final = ("minor", "major")
CONTRAINDICATION: Final = (
    "autoimmune",
    "transplant",
    "interstitial_lung_disease",
    "dpd_partial",
    "dpd_complete",
    "neuropathy",
    "arterial_event",
    "qtc",
)
SPECIMEN_SITE: Final = ("primary", "liver", "other_metastasis", "plasma", "blood")
ANALYTE: Final = (
    "kras",
    "nras",
    "hras",
    "braf",
    "erbb2",
    "msi",
    "mlh1",
    "pms2",
    "msh2",
    "msh6",
    "ntrk1",
    "ntrk2",
    "ntrk3",
    "ret",
    "pole",
    "pold1",
    "tmb",
    "dpyd",
    "ugt1a1",
    "pik3ca",
)
METHOD: Final = ("pcr", "ngs", "sanger", "ddpcr", "ihc", "ish")
REGION: Final = ("12", "13", "59", "61", "117", "146", "exon2", "exon3", "exon4", "all")
RESULT: Final = (
    "mutated",
    "not_detected",
    "fusion",
    "amplified",
    "not_amplified",
    "msi_h",
    "msi_l",
    "mss",
    "retained",
    "lost",
    "ihc_0",
    "ihc_1",
    "ihc_2",
    "ihc_3",
    "dpd_normal",
    "dpd_partial",
    "dpd_complete",
    "high",
    "low",
    "failed",
    "indeterminate",
)
MISSING_REASON: Final = ("not_done", "not_recorded", "pending", "refused")
INTENT: Final = ("curative", "perioperative", "adjuvant", "conversion", "palliative")
STOP_REASON: Final = ("completed", "progression", "toxicity", "death", "choice", "local_treatment")
PROCEDURE: Final = (
    "resection",
    "rfa",
    "mwa",
    "ire",
    "cryoablation",
    "laser",
    "hifu",
    "ethanol",
    "sbrt",
    "proton",
    "sirt",
    "hai",
    "pve",
    "lvd",
    "alpps",
    "two_stage",
    "transplantation",
)
BEAD_TYPE: Final = ("glass", "resin")
CLAVIEN_DINDO: Final = ("0", "1", "2", "3a", "3b", "4a", "4b", "5")
MDT_TYPE: Final = ("colorectal", "liver", "both")
DISCIPLINE: Final = (
    "surgery",
    "liver_surgery",
    "oncology",
    "pathology",
    "radiology",
    "interventional_radiology",
    "radiotherapy",
    "thoracic_surgery",
    "urology",
    "gynaecology",
)
DEVIATION_REASON: Final = ("patient_choice", "comorbidity", "toxicity", "trial", "access", "urgent")
OUTCOME: Final = ("complete_response", "partial_response", "stable_disease", "progression")

# What the pipeline derives.
SETTING: Final = ("systemic", "local")
SIDE: Final = ("left", "right")
CERTAINTY_OF_SIDE: Final = ("high", "low")
MSI: Final = ("mss", "msi_h", "conflict")
RAS: Final = ("wild_type", "mutant", "partial_wild_type")
BRAF: Final = ("wild_type", "v600e", "class_2", "class_3", "other")
HER2: Final = ("positive", "negative", "equivocal")
DPD: Final = ("normal", "partial", "complete")
FITNESS: Final = ("fit", "vulnerable", "unfit")
TREATMENT_SETTING: Final = ("resectable", "conversion", "unresectable")
BACKBONE: Final = ("oxaliplatin", "irinotecan", "oxaliplatin_irinotecan", "fluoropyrimidine", "other", "none")
LINE_SOURCE: Final = ("registered", "derived")
EXPOSURE_ROLE: Final = ("regimen", "swap", "maintenance", "reintroduction", "local", "excluded")
OUT_OF_SCOPE_REASON: Final = ("trial", "under_18", "other_tumour", "reassessed", "died")
PATHWAY: Final = (
    "immunotherapy",
    "braf_targeted",
    "kras_g12c_targeted",
    "her2_targeted",
    "ntrk_targeted",
    "ret_targeted",
    "anti_egfr_chemotherapy",
    "anti_egfr_alone",
    "anti_vegf_chemotherapy",
    "chemotherapy",
    "later_line_standard",
    "supportive_care",
    "perioperative_chemotherapy",
    "resection",
    "flr_augmentation",
    "ablation",
    "resection_with_ablation",
    "stereotactic_radiotherapy",
    "proton",
    "radioembolisation",
    "hepatic_artery_infusion",
    "transplantation",
    "test_first",
)
PREFERENCE: Final = ("preferred", "alternative", "investigational")
CERTAINTY: Final = ("definite", "provisional")
STATE: Final = ("verified", "unverified")
KIND: Final = ("recommendation", "label")
VERDICT: Final = (
    "concordant_preferred",
    "concordant_alternative",
    "discordant_not_given",
    "discordant_not_recommended",
    "contraindicated",
    "not_evaluable",
    "no_rule",
    "out_of_scope",
    "not_in_force",
    "open",
    "on_label",
    "off_label",
)
SAFETY_VERDICT: Final = ("contraindicated", "discordant_not_recommended", "off_label", "finding")
TEST_ANALYTE: Final = (
    "msi",
    "extended_ras",
    "braf",
    "her2",
    "her2_ish",
    "dpyd",
    "kras_allele",
    "ntrk",
    "ret",
    "pole",
    "mlh1_methylation",
)
TEST_DUE: Final = ("decision", "antibody_start", "fluoropyrimidine_start")
TEST_STATUS: Final = ("in_time", "late", "missing", "not_required", "unknown")
BASIS: Final = ("next", "latest", "none")
CALENDAR: Final = ("real", "relative")
REJECTION_SCOPE: Final = ("row", "cell")
SEVERITY: Final = ("error", "warning")
CHECK_KIND: Final = ("conformance", "plausibility", "deletion", "notice")
CHECK_STATUS: Final = ("pass", "fail", "not_applicable", "not_run", "error")
DATA_QUALITY: Final = ("completeness", "conformance", "plausibility")
FINDING_STATE: Final = ("new", "persisting", "resolved")
ROWS_COMPARED: Final = ("all", "added")
RUN_STATUS: Final = ("complete", "partial")
OVERDISPERSION: Final = ("none", "multiplicative", "additive")
STANDING: Final = ("within", "alert", "alarm", "better")
POPULATION: Final = ("all", "metastatic", "crlm")
TIME_ZERO: Final = ("first_line", "crlm_diagnosis")
EXPOSURE: Final = ("recommended_pathway", "verdict", "local_treatment")
PERIOD_KIND: Final = ("year", "quarter")
CATEGORY_ANALYTE: Final = ("side", "msi", "ras", "kras", "kras_g12c", "kras_g12d", "nras", "braf", "her2")

# Recorded, yet deciding nothing: to every ladder condition these are as good as unknown (semantics, "Unknown").
UNDECIDED: Final = ("partial_wild_type", "equivocal", "conflict")
