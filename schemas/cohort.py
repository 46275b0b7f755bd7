"""What the pipeline derives of each patient: lines, decisions with the facts known then, and how each was judged."""

from typing import Final

from schemas import vocabulary as v
from schemas.column import Boolean, Count, Date, Integer, Number, Table, Text, TextList, column
from schemas.extract import PATIENT_ID

DECISION_ID: Final = column("Decision: patient, setting and number.", required=True, sensitivity="identifier")
GUIDELINE: Final = column("Series of editions.", required=True)
EDITION_ID: Final = column("Edition that judged; unknown when none was in force.")
RULE_ID: Final = column("Rule, as printed in the report and the guideline pages.")
LINE: Final = column("Line of therapy; 0 = perioperative or adjuvant course.", low=0)
COURSE: Final = column("Number of the course within the line; above 1 only for further line-0 courses.", low=1)


class CohortPatient(Table):
    """An accepted patient and the reason for belonging to the cohort or not."""

    patient_id: Text = PATIENT_ID
    centre_id: Text = column("Centre that reports the patient.", required=True)
    country: Text = column("Country of care.", required=True)
    is_metastatic: Boolean = column("Whether metastatic disease is on record.", required=True)
    is_crlm: Boolean = column("Whether liver metastases are on record.", required=True)
    is_relative_calendar: Boolean = column("Whether the dates stand on a pseudo-calendar.", required=True)
    is_alive: Boolean = column("Whether the patient is not known to have died by the as-of date.", required=True)
    first_event_date: Date = column("First decision, else first biomarker report; gives the year in the marts.")
    cohort_reason: Text = column("What put the patient in the cohort, or why not.", required=True)

    class Config:
        name = "cohort.patient"
        metadata = {"grain": "accepted patient", "key": ["patient_id"]}


class LineOfTherapy(Table):
    """A line of systemic therapy: the regimen and its period."""

    patient_id: Text = PATIENT_ID
    line: Integer = LINE
    course: Integer = COURSE
    start_date: Date = column("First administration.", required=True)
    end_date: Date = column("Last administration of the last drug; unknown while one is ongoing.")
    facts_date: Date = column("Start of the last drug that joined the regimen inside its window.", required=True)
    regimen: Text = column("Sorted substances joined by +, folinates dropped.", required=True)
    regimen_name: Text = column("Name of the regimen, where it has one.")
    intent: Text = column("Purpose of the line.", values=v.INTENT)
    line_source: Text = column(
        "Whether the registry counted the line or the pipeline derived it.", values=v.LINE_SOURCE
    )
    centre_id: Text = column("Centre of the first drug.", required=True)
    trial_id: Text = column("Trial under which a drug of the line was given.")
    progression_date: Date = column("First recorded progression on this line.")

    class Config:
        name = "cohort.line_of_therapy"
        metadata = {"grain": "patient, line and course", "key": ["patient_id", "line", "course"]}


class ExposureRole(Table):
    """A drug exposure and its place in the lines of therapy, with the reason; every exposure has exactly one row."""

    patient_id: Text = PATIENT_ID
    drug: Text = column("Name as delivered.", required=True)
    inn: Text = column("Substance recognised; unknown when the drug is in no list.")
    drug_class: Text = column("Class of the substance.")
    start_date: Date = column("First administration.", required=True)
    end_date: Date = column("Last administration; unknown = ongoing.")
    line: Integer = LINE
    course: Integer = COURSE
    role: Text = column("Role of the exposure.", required=True, values=v.EXPOSURE_ROLE)
    reason: Text = column("Why the exposure has this role.", required=True)
    source_file_id: Text = column("File of the exposure.", required=True)
    source_row: Integer = column("Row of the exposure in its file.", required=True)

    class Config:
        name = "cohort.exposure_role"
        metadata = {"grain": "drug exposure"}


class Decision(Table):
    """A treatment decision with every fact known on that day; unknown is null, never negative."""

    decision_id: Text = DECISION_ID
    patient_id: Text = PATIENT_ID
    centre_id: Text = column(
        "Centre that decided: of the first treatment given, else of the assessment, else of the patient.", required=True
    )
    home_centre_id: Text = column("Centre that reports the patient.", required=True)
    country: Text = column("Country of care.", required=True)
    setting: Text = column(
        "Systemic treatment or local treatment of the liver.", required=True, values=v.SETTING, fact=True
    )
    decision_date: Date = column("Day of the decision.", required=True)
    facts_date: Date = column("Last day on which a result still counts for the decision.", required=True)
    window_end: Date = column(
        "Last day of a local decision's window, the as-of date at most; unknown for a systemic decision."
    )
    line: Integer = column(
        "Line of therapy decided on; 0 = perioperative or adjuvant course; unknown for a local decision.",
        low=0,
        fact=True,
    )
    course: Integer = COURSE
    treatment: Text = column("What was given: regimen key, or sorted procedures joined by +; unknown = nothing yet.")
    regimen_name: Text = column("Name of the regimen given, where it has one.")
    mdt_date: Date = column("Latest liver MDT in the 60 days before the decision.")
    is_open: Boolean = column("Whether nothing was given yet and the window is open.", required=True)
    is_relative_calendar: Boolean = column("Whether the dates stand on a pseudo-calendar.", required=True)
    trial_id: Text = column("Trial that took the decision out of the guideline's scope.")
    out_of_scope_reason: Text = column("Why the guidelines do not judge this decision.", values=v.OUT_OF_SCOPE_REASON)
    deviation_reason: Text = column(
        "Recorded reason to depart from the guideline, in the 60 days before.", values=v.DEVIATION_REASON
    )
    antibody_start_date: Date = column("First dose of an anti-EGFR antibody in the line; unknown = not given.")
    fluoropyrimidine_start_date: Date = column("First dose of a fluoropyrimidine in the line; unknown = not given.")
    is_fitness_known: Boolean = column("Whether an ECOG status was known.", required=True)
    has_assumed_date: Boolean = column(
        "Whether a biomarker counted by its sample date for want of a report date.", required=True
    )
    has_imputed_date: Boolean = column(
        "Whether a date that was only known to the month or year counted.", required=True
    )

    age: Integer = column("Age in the year of the decision.", unit="years", fact=True)
    side: Text = column("Side of the primary.", values=v.SIDE, fact=True)
    side_certainty: Text = column("How sure the side is; low for the transverse colon.", values=v.CERTAINTY_OF_SIDE)
    msi: Text = column("Microsatellite instability or mismatch-repair deficiency, merged.", values=v.MSI, fact=True)
    ras: Text = column("Extended RAS status in tissue.", values=v.RAS, fact=True)
    kras_g12c: Boolean = column("Whether KRAS G12C was found; unknown when the allele is.", fact=True)
    kras_g12d: Boolean = column("Whether KRAS G12D was found; unknown when the allele is.", fact=True)
    braf: Text = column("BRAF status in tissue.", values=v.BRAF, fact=True)
    her2: Text = column("HER2 by the MOUNTAINEER scheme.", values=v.HER2, fact=True)
    her2_heracles: Text = column("HER2 by the HERACLES scheme.", values=v.HER2, fact=True)
    her2_destiny: Text = column("HER2 by the DESTINY-CRC01 scheme.", values=v.HER2, fact=True)
    her2_fda_agnostic: Text = column("HER2 by the FDA's tumour-agnostic scheme (IHC 3+).", values=v.HER2, fact=True)
    ras_plasma: Text = column("RAS status in the latest plasma sample.", values=v.RAS, fact=True)
    has_ntrk_fusion: Boolean = column("Whether an NTRK fusion was found.", fact=True)
    has_ret_fusion: Boolean = column("Whether a RET fusion was found.", fact=True)
    has_pole_variant: Boolean = column("Whether a pathogenic POLE or POLD1 exonuclease variant was found.", fact=True)
    is_tmb_high: Boolean = column("Whether the tumour mutational burden was reported high.", fact=True)
    dpd: Text = column(
        "Dihydropyrimidine dehydrogenase activity, the worse of assay and contraindication.", values=v.DPD, fact=True
    )
    is_mlh1_lost: Boolean = column("Whether MLH1 staining was lost.", fact=True)

    ecog: Integer = column("ECOG performance status.", low=0, high=4, fact=True)
    fitness: Text = column("Fitness: ECOG 0-1 fit, 2 vulnerable, 3-4 unfit.", values=v.FITNESS, fact=True)
    contraindications: TextList = column(
        "Contraindications recorded so far; empty means none.", values=v.CONTRAINDICATION, fact=True
    )
    treatment_setting: Text = column("Aim of the treatment of the liver.", values=v.TREATMENT_SETTING, fact=True)
    resectability: Text = column("Resectability in the latest assessment.", values=v.RESECTABILITY, fact=True)
    resectability_source: Text = column("Who judged the resectability.", values=v.RESECTABILITY_SOURCE, fact=True)
    intent: Text = column("Purpose of the line of therapy.", values=v.INTENT, fact=True)
    is_liver_only: Boolean = column("Whether the liver is the only organ with metastases.", fact=True)
    is_oligometastatic: Boolean = column("At most 3 organs and at most 5 liver metastases.", fact=True)
    is_synchronous: Boolean = column(
        "Whether liver metastases were found with the primary (within 31 days).", fact=True
    )
    is_primary_resected: Boolean = column("Whether the primary had been removed.", fact=True)
    primary_margin: Text = column("Margin of the resection of the primary.", values=v.MARGIN, fact=True)
    crlm_count: Integer = column(
        "Number of liver metastases; 99 = too many to count.", unit="lesions", low=1, high=99, fact=True
    )
    crlm_max_mm: Number = column("Diameter of the largest liver metastasis.", unit="mm", low=1, high=300, fact=True)
    is_bilobar: Boolean = column("Whether both lobes hold metastases.", fact=True)
    is_ablatable: Boolean = column("Whether thermal ablation can treat every lesion.", fact=True)
    planned_resection: Text = column("Extent of the resection planned.", values=v.PLANNED_RESECTION, fact=True)
    liver_background: Text = column("State of the liver outside the metastases.", values=v.LIVER_BACKGROUND, fact=True)
    child_pugh: Text = column("Child-Pugh class.", values=v.CHILD_PUGH, fact=True)
    flr_percent: Number = column("Future liver remnant.", unit="%", low=5, high=100, fact=True)
    cea_ng_ml: Number = column("Carcinoembryonic antigen.", unit="ng/mL", low=0, fact=True)
    cea_fall_percent: Number = column("Fall of CEA from the highest earlier value.", unit="%", fact=True)
    fong_score_min: Integer = column("Clinical risk score, missing items counted as not met.", low=0, high=5, fact=True)
    fong_score_max: Integer = column("Clinical risk score, missing items counted as met.", low=0, high=5, fact=True)
    tumour_burden_score: Number = column(
        "Tumour burden score: root of (largest diameter in cm squared plus count squared).", fact=True
    )

    chemotherapy_line: Integer = column(
        "Line, except that the first chemotherapy after a checkpoint inhibitor alone counts as 1.", low=0, fact=True
    )
    previous_backbone: Text = column("Cytotoxic backbone of the line before.", values=v.BACKBONE, fact=True)
    chemotherapy_line_count: Integer = column("Lines with a cytotoxic drug before the decision.", low=0, fact=True)
    prior_fluoropyrimidine: Boolean = column(
        "Whether a fluoropyrimidine was given before, adjuvant courses included.", fact=True
    )
    prior_oxaliplatin: Boolean = column("Whether oxaliplatin was given before, adjuvant courses included.", fact=True)
    prior_irinotecan: Boolean = column("Whether irinotecan was given before, adjuvant courses included.", fact=True)
    prior_anti_egfr: Boolean = column("Whether an anti-EGFR antibody was given before.", fact=True)
    prior_anti_vegf: Boolean = column("Whether an anti-VEGF drug was given before.", fact=True)
    prior_checkpoint_inhibitor: Boolean = column("Whether a checkpoint inhibitor was given before.", fact=True)
    prior_braf_inhibitor: Boolean = column("Whether a BRAF inhibitor was given before.", fact=True)
    prior_kras_g12c_inhibitor: Boolean = column("Whether a KRAS G12C inhibitor was given before.", fact=True)
    prior_anti_her2: Boolean = column("Whether an anti-HER2 drug was given before.", fact=True)
    failed_classes: TextList = column("Drug classes on which the disease progressed within 183 days before.")
    had_anti_egfr_response: Boolean = column(
        "Whether a response was recorded during an earlier anti-EGFR treatment.", fact=True
    )
    days_since_anti_egfr: Integer = column(
        "Days since the last anti-EGFR dose; unknown if never given or ongoing.", unit="days", fact=True
    )
    response_days: Integer = column(
        "Days from the first response to the decision without progression between.", unit="days", fact=True
    )
    is_liver_recurrence: Boolean = column("Whether the liver had been resected or ablated before.", fact=True)
    is_unaugmented_major_resection: Boolean = column(
        "Whether the treatment is a resection not known to be minor, without augmentation since the assessment.",
        fact=True,
    )
    is_first_line_ongoing: Boolean = column(
        "Whether first-line chemotherapy ran within the local decision's window.", fact=True
    )
    bevacizumab_interval_days: Integer = column(
        "Days from the last bevacizumab to the liver surgery of this decision.", unit="days", fact=True
    )
    ipilimumab_days: Integer = column(
        "Days from the first to the last ipilimumab of this line.", unit="days", fact=True
    )

    class Config:
        name = "cohort.decision"
        metadata = {"grain": "decision", "key": ["decision_id"]}


class ClassView(Decision):
    """A decision with its facts as known at the first dose of a drug, where that was before `facts_date`."""

    seen_for: Text = column("Drug at whose first dose the facts were known.", required=True)

    class Config:
        name = "cohort.class_view"
        metadata = {"grain": "decision and drug", "key": ["decision_id", "seen_for"]}


class ResultSupport(Table):
    """An assay result with a day from which it was known, and the values of facts that it speaks for."""

    patient_id: Text = PATIENT_ID
    known_date: Date = column("Day from which it was known: report, else sample.", required=True)
    drawn_date: Date = column("Day of the sample, else of the report.", required=True)
    speaks_for: Count = column(
        "Bits of the values of facts that it speaks for, in the order of the view cohort.fact_source.", required=True
    )
    reason: Text = column("What the result is, or that its date was assumed.", required=True)
    source_file_id: Text = column("File of the row.", required=True)
    source_row: Integer = column("Row in the file.", required=True)

    class Config:
        name = "cohort.result_support"
        metadata = {"grain": "assay result that speaks for a fact"}


class FactSource(Table):
    """A row of the extract that a fact of a decision rests on."""

    decision_id: Text = DECISION_ID
    fact: Text = column("Column of cohort.decision.", required=True)
    source_file_id: Text = column("File of the row.", required=True)
    table_name: Text = column("Extract table of the row.", required=True)
    source_row: Integer = column("Row in the file.", required=True)
    reason: Text = column("What the row contributes, or that its date was assumed.", required=True)

    class Config:
        name = "cohort.fact_source"
        metadata = {"grain": "decision, fact and row"}


class Verdict(Table):
    """How a decision stands against a guideline, with the reason."""

    decision_id: Text = DECISION_ID
    patient_id: Text = PATIENT_ID
    guideline: Text = GUIDELINE
    edition_id: Text = EDITION_ID
    verdict: Text = column("Verdict.", required=True, values=v.VERDICT)
    rule_id: Text = RULE_ID
    reason: Text = column("Why, in a sentence.", required=True)
    missing_facts: TextList = column(
        "Unknown facts of the candidate rules, alphabetical; columns of cohort.decision.", required=True
    )
    unlocking_facts: TextList = column("A smallest set of missing facts that decides the verdict.", required=True)
    would_be: Text = column("What the verdict is under each candidate rule.")
    pathway: Text = column(
        "Precision pathway that the edition names; test_first: missing facts decide it; unknown: no rule applies.",
        values=v.PATHWAY,
    )
    is_within_grace: Boolean = column("Whether the older edition's verdict was kept.", required=True)
    is_edition_superseded: Boolean = column("Whether a newer edition existed that is not held here.", required=True)

    class Config:
        name = "cohort.verdict"
        metadata = {"grain": "decision and guideline", "key": ["decision_id", "guideline"]}


class EditionVerdict(Table):
    """The verdict of every edition that was evaluated; during grace a decision has two per guideline."""

    decision_id: Text = DECISION_ID
    guideline: Text = GUIDELINE
    edition_id: Text = column("Edition evaluated.", required=True)
    is_older: Boolean = column("Whether this is the older of two editions within the grace period.", required=True)
    verdict: Text = column("Verdict of this edition.", required=True, values=v.VERDICT)
    rule_id: Text = RULE_ID
    reason: Text = column("Why, in a sentence.", required=True)

    class Config:
        name = "cohort.edition_verdict"
        metadata = {"grain": "decision and edition evaluated"}


class EditionState(Table):
    """The state of knowledge in which an edition found a decision: codes behind the recommendation and test views."""

    decision_id: Text = DECISION_ID
    guideline: Text = GUIDELINE
    edition_id: Text = column("Edition evaluated.", required=True)
    is_older: Boolean = column("Whether this is the older of two editions within the grace period.", required=True)
    state_no: Count = column("State, as in cohort.state_option.", required=True)
    tests_required: Count = column(
        "Bits of the required tests whose condition holds, lowest = position 1.", required=True
    )
    tests_unknown: Count = column("Bits of the required tests whose condition is unknown.", required=True)

    class Config:
        name = "cohort.edition_state"
        metadata = {"grain": "decision and edition evaluated"}


class StateOption(Table):
    """An option held out in a state of knowledge."""

    state_no: Count = column("State.", required=True)
    edition_id: Text = column("Edition evaluated.", required=True)
    rule_id: Text = column("Rule.", required=True)
    option_no: Integer = column("Number of the option within the rule, from 1.", required=True)
    certainty: Text = column("Definite, or provisional while facts are missing.", required=True, values=v.CERTAINTY)

    class Config:
        name = "cohort.state_option"
        metadata = {"grain": "state and option"}


class Recommendation(Table):
    """An option that a candidate rule holds out for a decision."""

    decision_id: Text = DECISION_ID
    guideline: Text = GUIDELINE
    edition_id: Text = column("Edition evaluated.", required=True)
    rule_id: Text = column("Rule.", required=True)
    pathway: Text = column("Precision pathway.", values=v.PATHWAY)
    certainty: Text = column("Definite, or provisional while facts are missing.", required=True, values=v.CERTAINTY)
    option_no: Integer = column("Number of the option within the rule, from 1.", required=True)
    treatment: Text = column("Treatment pattern.", required=True)
    preference: Text = column("Preference.", required=True, values=v.PREFERENCE)
    grade: Text = column("Grade as the edition states it.")
    state: Text = column("Whether the statement was checked against its source.", required=True, values=v.STATE)

    class Config:
        name = "cohort.recommendation"
        metadata = {"grain": "decision, edition, rule and option"}


class SafetyFinding(Table):
    """A safety rule that fired for a decision, or could not be checked."""

    decision_id: Text = DECISION_ID
    guideline: Text = GUIDELINE
    edition_id: Text = column("Edition evaluated.", required=True)
    rule_id: Text = column("Safety rule.", required=True)
    verdict: Text = column("Verdict of the rule; unknown when it cannot be checked.", values=v.SAFETY_VERDICT)
    reason: Text = column("Why, in a sentence.", required=True)

    class Config:
        name = "cohort.safety_finding"
        metadata = {"grain": "decision, edition and safety rule"}


class WhatIf(Table):
    """A what-if: which outcomes a decision would have had under every recommendation edition, by number."""

    decision_id: Text = DECISION_ID
    what_if_no: Count = column("Outcomes, as in cohort.what_if_outcome.", required=True)

    class Config:
        name = "cohort.what_if"
        metadata = {"grain": "decision", "key": ["decision_id"]}


class WhatIfOutcome(Table):
    """What an edition would have said of the decisions of a number, whatever their day and country.

    Never the verdict in force. The facts are those known at the decision; a rolling edition stands as at as-of.
    """

    what_if_no: Count = column("Number, as in cohort.what_if.", required=True)
    edition_id: Text = column("Edition, in force that day or not.", required=True)
    verdict: Text = column("Verdict that the edition would give.", required=True, values=v.VERDICT)
    rule_id: Text = RULE_ID
    pathway: Text = column("Precision pathway; unknown when no rule applies.", values=v.PATHWAY)
    due_rules: TextList = column(
        "Rules whose preferred options (alternatives, where a rule prefers none) are held out for certain.",
        required=True,
    )
    possible_rules: TextList = column(
        "Rules whose such options are held out unless a missing fact rules it out.", required=True
    )

    class Config:
        name = "cohort.what_if_outcome"
        metadata = {"grain": "number and edition", "key": ["what_if_no", "edition_id"]}


class PatientPathway(Table):
    """The precision pathway of a metastatic patient under a guideline."""

    patient_id: Text = PATIENT_ID
    guideline: Text = GUIDELINE
    edition_id: Text = EDITION_ID
    basis: Text = column(
        "Decision that the pathway stands on: the next, the latest, or none.", required=True, values=v.BASIS
    )
    decision_id: Text = column("The decision itself.", sensitivity="identifier")
    pathway: Text = column("Precision pathway; unknown when no rule applies.", values=v.PATHWAY)
    certainty: Text = column("Definite, or provisional while facts are missing.", values=v.CERTAINTY)
    treatment: Text = column("Best option, as pattern.")
    missing_facts: TextList = column("Unknown facts that decide between pathways, alphabetical.", required=True)
    reason: Text = column("Why this pathway, in a sentence.", required=True)

    class Config:
        name = "cohort.patient_pathway"
        metadata = {"grain": "metastatic patient and recommendation series", "key": ["patient_id", "guideline"]}


class AnalyteKnown(Table):
    """The first day on which the treating team knew a result of an analyte."""

    patient_id: Text = PATIENT_ID
    analyte: Text = column("Analyte that a guideline asks for.", required=True, values=v.TEST_ANALYTE)
    known_date: Date = column("First day on which its result was complete enough to decide.", required=True)

    class Config:
        name = "cohort.analyte_known"
        metadata = {"grain": "patient and analyte", "key": ["patient_id", "analyte"]}


class PatientFacts(Table):
    """A patient's side and biomarkers by every tissue result known at the as-of date, undated results included."""

    patient_id: Text = PATIENT_ID
    side: Text = column("Side of the primary.", values=v.SIDE)
    msi: Text = column("Microsatellite instability or mismatch-repair deficiency, merged.", values=v.MSI)
    ras: Text = column("Extended RAS status.", values=v.RAS)
    kras: Text = column("KRAS by its six codons.", values=v.RAS)
    nras: Text = column("NRAS by its six codons.", values=v.RAS)
    kras_g12c: Boolean = column("Whether KRAS G12C was found; unknown when the allele is.")
    kras_g12d: Boolean = column("Whether KRAS G12D was found; unknown when the allele is.")
    braf: Text = column("BRAF status.", values=v.BRAF)
    is_braf_tested: Boolean = column(
        "Whether BRAF was tested, also where the variant's place is not known.", required=True
    )
    her2: Text = column("HER2 by the MOUNTAINEER scheme.", values=v.HER2)

    class Config:
        name = "cohort.patient_facts"
        metadata = {"grain": "accepted patient", "key": ["patient_id"]}


class RequiredTest(Table):
    """A test that an edition asks for at a decision, and whether it came in time."""

    decision_id: Text = DECISION_ID
    guideline: Text = GUIDELINE
    edition_id: Text = column("Edition evaluated.", required=True)
    test_id: Text = column("Required test.", required=True)
    analyte: Text = column("What must have been measured.", required=True, values=v.TEST_ANALYTE)
    due_date: Date = column("Day by which the result had to be known.", required=True)
    known_date: Date = column("First day on which it was known.")
    status: Text = column("Whether it came in time.", required=True, values=v.TEST_STATUS)

    class Config:
        name = "cohort.required_test"
        metadata = {"grain": "decision, edition and test"}


COHORT_MODELS: Final[tuple[type[Table], ...]] = (
    CohortPatient,
    LineOfTherapy,
    ExposureRole,
    Decision,
    ClassView,
    ResultSupport,
    FactSource,
    Verdict,
    EditionVerdict,
    EditionState,
    StateOption,
    Recommendation,
    SafetyFinding,
    WhatIf,
    WhatIfOutcome,
    PatientPathway,
    AnalyteKnown,
    PatientFacts,
    RequiredTest,
)
