"""What analysts and the report read: counts per population, centre and year. Null in a grouping column means all."""

from typing import Final

from schemas import vocabulary as v
from schemas.cohort import EDITION_ID, GUIDELINE, RULE_ID, CohortPatient, Decision
from schemas.column import Boolean, Count, Date, Integer, Number, Table, Text, TextList, column

POPULATION: Final = column("Population counted.", required=True, values=v.POPULATION)
CENTRE_ID: Final = column("Centre; unknown = all centres.")
YEAR: Final = column("Calendar year; unknown = all years (also on a relative calendar).")
PERCENT_LOW: Final = column("Lower end of the Wilson 95 % interval.", unit="%")
PERCENT_HIGH: Final = column("Upper end of the Wilson 95 % interval.", unit="%")


class BiomarkerDistribution(Table):
    """Patients by biomarker category; untested is never counted as wild type."""

    population: Text = POPULATION
    centre_id: Text = CENTRE_ID
    year: Integer = YEAR
    analyte: Text = column("Biomarker.", required=True, values=v.CATEGORY_ANALYTE)
    category: Text = column("Category of the biomarker.", required=True)
    n: Count = column("Patients in the category.", required=True)
    n_tested: Count = column("Patients with a known result.", required=True)
    n_total: Count = column("All patients.", required=True)
    percent: Number = column("n of n_tested.", unit="%")
    ci_low: Number = PERCENT_LOW
    ci_high: Number = PERCENT_HIGH

    class Config:
        name = "mart.biomarker_distribution"
        metadata = {"grain": "population, centre, year, analyte and category"}


class Concordance(Table):
    """Decisions by verdict; percent of evaluable decisions for judged verdicts, of all decisions for the others."""

    population: Text = POPULATION
    centre_id: Text = CENTRE_ID
    year: Integer = YEAR
    guideline: Text = column("Series.", required=True)
    edition_id: Text = column("Edition; unknown = all editions of the series.")
    setting: Text = column("Setting; unknown = both.", values=v.SETTING)
    line: Integer = column("Line of therapy; unknown = all lines.")
    verdict: Text = column("Verdict.", required=True, values=v.VERDICT)
    n: Count = column("Decisions with the verdict.", required=True)
    n_evaluable: Count = column("Decisions judged concordant, discordant or contraindicated.", required=True)
    n_total: Count = column("All decisions of the series.", required=True)
    percent: Number = column("n of n_evaluable for judged verdicts, else of n_total.", unit="%")
    ci_low: Number = PERCENT_LOW
    ci_high: Number = PERCENT_HIGH

    class Config:
        name = "mart.concordance"
        metadata = {"grain": "population, centre, year, guideline, edition, setting, line and verdict"}


class Indicator(Table):
    """A quality indicator of a centre with its funnel limits."""

    indicator_id: Text = column("Indicator.", required=True)
    centre_id: Text = CENTRE_ID
    period: Text = column("Calendar year; unknown = all years.")
    numerator: Count = column("Numerator.", required=True)
    denominator: Count = column("Denominator.", required=True)
    n_not_evaluable: Count = column("Members of the population whose membership or result is unknown.", required=True)
    n_excluded: Count = column(
        "Members of the population whom an exclusion keeps out of the denominator.", required=True
    )
    n_excepted: Count = column(
        "Members of the population whom a recorded exception keeps out of the denominator.", required=True
    )
    rate: Number = column("Numerator over denominator; for a turnaround the median in days.")
    ci_low: Number = column("Lower end of the Wilson 95 % interval.")
    ci_high: Number = column("Upper end of the Wilson 95 % interval.")
    rate_worst: Number = column("Rate if every unknown counted against.")
    rate_best: Number = column("Rate if every unknown counted in favour.")
    limit_low_95: Number = column("Lower 95 % funnel limit at this denominator.")
    limit_high_95: Number = column("Upper 95 % funnel limit at this denominator.")
    limit_low_998: Number = column("Lower 99.8 % funnel limit at this denominator.")
    limit_high_998: Number = column("Upper 99.8 % funnel limit at this denominator.")
    overdispersion: Text = column(
        "How the limits allow for centres that vary more than chance.", required=True, values=v.OVERDISPERSION
    )
    smallest_difference: Number = column(
        "How far from the pooled rate, to the worse, the true rate of a centre of this size must be to fall beyond the "
        "99.8 % limit with a power of 80 %; unknown where no rate would, or where no direction is better."
    )
    standing: Text = column(
        "Where a centre stands: within the 95 % limits, alert beyond them and alarm beyond the 99.8 % limits to the "
        "worse, better beyond the 95 % limits to the better; unknown below the minimum size, without limits, or where "
        "no direction is better.",
        values=v.STANDING,
    )

    class Config:
        name = "mart.indicator"
        metadata = {"grain": "indicator, centre and period"}


class PathwayMix(Table):
    """Metastatic patients by precision pathway."""

    population: Text = POPULATION
    centre_id: Text = CENTRE_ID
    year: Integer = YEAR
    guideline: Text = column("Series.", required=True)
    edition_id: Text = column("Edition; unknown = all editions of the series.")
    pathway: Text = column("Precision pathway; unknown = no rule applies.", values=v.PATHWAY)
    n: Count = column("Patients on the pathway.", required=True)
    n_total: Count = column("All patients of the population.", required=True)
    percent: Number = column("n of n_total.", unit="%")

    class Config:
        name = "mart.pathway_mix"
        metadata = {"grain": "population, centre, year, guideline, edition and pathway"}


class DataQuality(Table):
    """How complete, conforming and plausible the data are: of a column's cells, or of the rows of a table."""

    dimension: Text = column(
        "completeness: cells filled of the cells of accepted rows; conformance: cells (column unknown: rows) that keep "
        "their declaration of those delivered, repeated rows left out; plausibility: of those that conform, the ones "
        "that no cross-table check set aside or found odd.",
        required=True,
        values=v.DATA_QUALITY,
    )
    table_name: Text = column("Extract table; unknown = all tables.")
    column_name: Text = column("Column; unknown = all columns, for conformance and plausibility the row as a whole.")
    centre_id: Text = CENTRE_ID
    month: Date = column(
        "First day of the month of the row's own date: diagnosis, work-up, sample (else report), start of the drug, "
        "procedure, meeting, response; unknown = all, also for patients, rows without a date and relative calendars."
    )
    numerator: Count = column("Cells or rows that are filled, conform or are plausible.", required=True)
    denominator: Count = column("Cells or rows looked at.", required=True)
    percent: Number = column("numerator of denominator; unknown where nothing was looked at or delivered.", unit="%")
    is_delivered: Boolean = column(
        "Whether a file with rows of the centre can carry the column; if none can, empty is not incomplete.",
        required=True,
    )

    class Config:
        name = "mart.data_quality"
        metadata = {"grain": "dimension, table, column, centre and month"}


class Survival(Table):
    """Overall survival by Kaplan-Meier at fixed times; an exposure after time zero is followed from a landmark on."""

    population: Text = column("Population counted.", required=True, values=("metastatic", "crlm"))
    centre_id: Text = column("Centre of the first drug, from diagnosis on the reporting centre; unknown = all centres.")
    time_zero: Text = column(
        "Start of the first line of systemic treatment, or first liver metastasis on record.",
        required=True,
        values=v.TIME_ZERO,
    )
    landmark_months: Integer = column(
        "Who is alive and in follow-up so long after time zero counts; survival is 100 % on that day.",
        required=True,
        unit="months",
    )
    guideline: Text = column("Series that recommended or judged; unknown = none.")
    exposure: Text = column("What divides the patients; unknown = nothing.", values=v.EXPOSURE)
    stratum: Text = column(
        "Its value as known at the landmark: a pathway (or no_rule, not_in_force, test_first where missing facts "
        "decide), a class of verdicts, or whether the liver was resected or ablated by then."
    )
    month: Integer = column("Months since time zero (of 30.4375 days).", required=True, unit="months")
    n_members: Count = column("Patients at the landmark whose follow-up is known.", required=True)
    n_at_risk: Count = column("Of these, alive and followed beyond the month.", required=True)
    n_deaths: Count = column("Deaths since the row of the month before.", required=True)
    n_censored: Count = column("Patients last seen alive since the row of the month before.", required=True)
    n_not_evaluable: Count = column(
        "Further patients: the day of death or of the last contact is unknown, or death stands before time zero.",
        required=True,
    )
    percent: Number = column("Survival since the landmark; unknown where nobody is followed so long.", unit="%")
    ci_low: Number = column("Lower end of the log-log 95 % interval.", unit="%")
    ci_high: Number = column("Upper end of the log-log 95 % interval.", unit="%")
    percent_worst: Number = column("Survival if all who are not evaluable had died at once.", unit="%")
    percent_best: Number = column("Survival if all who are not evaluable had lived to the as-of date.", unit="%")

    class Config:
        name = "mart.survival"
        metadata = {
            "grain": "population, centre, time zero, landmark, guideline, exposure, stratum and month",
        }


class ProcessChart(Table):
    """A p-chart of an indicator over time: the rate of each period against limits around that of the baseline."""

    indicator_id: Text = column("Indicator.", required=True)
    centre_id: Text = CENTRE_ID
    period_kind: Text = column("Length of the periods.", required=True, values=v.PERIOD_KIND)
    period: Text = column("Calendar year (2023) or quarter (2023-Q1).", required=True)
    is_baseline: Boolean = column("Whether the period belongs to the baseline.", required=True)
    numerator: Count = column("Numerator.", required=True)
    denominator: Count = column("Denominator, at least 1.", required=True)
    rate: Number = column("Numerator over denominator.", required=True)
    centre_line: Number = column("Rate of the baseline.", required=True)
    limit_low: Number = column("Lower exact binomial 99.73 % limit around the centre line.", required=True)
    limit_high: Number = column("Upper exact binomial 99.73 % limit around the centre line.", required=True)
    is_beyond_limits: Boolean = column("Signal: the rate lies outside the limits.", required=True)
    is_in_run: Boolean = column(
        "Signal: the period is one of eight or more in a row on the same side of the centre line.", required=True
    )

    class Config:
        name = "mart.process_chart"
        metadata = {"grain": "indicator, centre, length of the period and period"}


class PatientTimeline(Table):
    """An event in the record of a patient, with the row it came from."""

    patient_id: Text = column("Pseudonym of the patient.", required=True, sensitivity="identifier")
    event_date: Date = column("Day of the event.", required=True, sensitivity="quasi-identifier")
    event_type: Text = column("Kind of event.", required=True)
    event: Text = column("The event.", required=True)
    decision_id: Text = column("Decision, where the event is one.", sensitivity="identifier")
    source_file_id: Text = column("File of the row.")
    source_row: Integer = column("Row in the file.")

    class Config:
        name = "mart.patient_timeline"
        metadata = {"grain": "event of a patient"}


class EditionComparison(Table):
    """A what-if: the same decisions under two recommendation editions, whatever their day; also of one with itself."""

    population: Text = POPULATION
    setting: Text = column("Setting; unknown = both.", values=v.SETTING)
    edition_id: Text = column("Edition.", required=True)
    other_edition_id: Text = column("Edition beside it.", required=True)
    verdict: Text = column("Verdict under the edition.", required=True, values=v.VERDICT)
    other_verdict: Text = column("Verdict under the edition beside it.", required=True, values=v.VERDICT)
    n: Count = column("Decisions with both verdicts.", required=True)
    n_total: Count = column("All decisions of the population and setting.", required=True)

    class Config:
        name = "mart.edition_comparison"
        metadata = {"grain": "population, setting, edition, other edition and both verdicts"}


class RecommendedToGiven(Table):
    """Decisions from the pathway that the edition in force named to what was given, in the same terms."""

    population: Text = POPULATION
    centre_id: Text = CENTRE_ID
    guideline: Text = column("Series.", required=True)
    setting: Text = column("Setting.", required=True, values=v.SETTING)
    line: Integer = column("Line of therapy; unknown for a local decision.")
    recommended: Text = column(
        "Pathway of the edition in force; test_first: missing facts decide it; no_rule; not_in_force.", required=True
    )
    given: Text = column(
        "Class of the treatment given, as a pathway; other; nothing_yet: still open; nothing: the window closed.",
        required=True,
    )
    n: Count = column("Decisions.", required=True)

    class Config:
        name = "mart.recommended_to_given"
        metadata = {"grain": "population, centre, guideline, setting, line, recommended and given"}


class Uptake(Table):
    """Decisions to which a new recommendation applies, by time from the day it came, and how many got it.

    The edition as it stands judges them all, a what-if for those before its day. No claim of cause.
    """

    population: Text = POPULATION
    guideline: Text = column("Series.", required=True)
    edition_id: Text = column("Edition that holds the rule.", required=True)
    rule_id: Text = column("Rule that is new, or names other best options than the edition before.", required=True)
    change_date: Date = column("First day of the rule, or of its edition.", required=True)
    centre_id: Text = CENTRE_ID
    period: Integer = column("Period of 13 weeks from that day: -1 ends before it, 0 begins on it; unknown = all.")
    period_start: Date = column("First day of the period; unknown = all.")
    n_due: Count = column("Decisions to which the rule surely applies and whose answer is known.", required=True)
    n_given: Count = column("Of these, given a preferred option (an alternative, if none is preferred).", required=True)
    n_unknown: Count = column(
        "Decisions to which it may apply, or whose answer hangs on a missing fact.", required=True
    )
    percent: Number = column("n_given of n_due.", unit="%")
    ci_low: Number = PERCENT_LOW
    ci_high: Number = PERCENT_HIGH
    percent_worst: Number = column("Percent if every unknown decision were due and had not got it.", unit="%")
    percent_best: Number = column("Percent if every unknown decision were due and had got it.", unit="%")

    class Config:
        name = "mart.uptake"
        metadata = {"grain": "population, edition, rule, centre and period"}


class JudgedDecision(Decision):
    """A decision with every fact known on that day and its verdict under one series: one row to group and filter."""

    year: Integer = column("Calendar year of the decision; unknown on a relative calendar.")
    centre_code: Text = column("Code of the centre in the report.", required=True)
    is_metastatic: Boolean = column("Whether metastatic disease is on record of the patient.", required=True)
    is_crlm: Boolean = column("Whether liver metastases are on record of the patient.", required=True)
    guideline: Text = GUIDELINE
    edition_id: Text = EDITION_ID
    is_edition_signed: Boolean = column("Whether a clinician has signed the edition.")
    verdict: Text = column("Verdict.", required=True, values=v.VERDICT)
    verdict_class: Text = column(
        "concordant, discordant or contraindicated for these verdicts, else the verdict.", required=True
    )
    is_evaluable: Boolean = column("Whether the guideline was followed could be judged.", required=True)
    is_concordant: Boolean = column("Whether it was followed; unknown where that could not be judged.")
    rule_id: Text = RULE_ID
    rule_title: Text = column("The rule in one sentence.")
    pathway: Text = column("Precision pathway of the rule.", values=v.PATHWAY)
    reason: Text = column("Why this verdict, in a sentence.", required=True)
    missing_facts: TextList = column("Unknown facts of the candidate rules, alphabetical.", required=True)
    unlocking_facts: TextList = column("A smallest set of missing facts that decides the verdict.", required=True)
    would_be: Text = column("What the verdict is under each candidate rule.")
    is_within_grace: Boolean = column("Whether the older edition's verdict was kept.", required=True)
    is_edition_superseded: Boolean = column("Whether a newer edition existed that is not held here.", required=True)

    class Config:
        name = "mart.judged_decision"
        metadata = {"grain": "decision and guideline", "key": ["decision_id", "guideline"]}


class PatientProfile(CohortPatient):
    """An accepted patient with side and biomarkers by every tissue result known at the as-of date."""

    year: Integer = column("Calendar year of the first event; unknown on a relative calendar.")
    centre_code: Text = column("Code of the centre in the report.", required=True)
    birth_year: Integer = column("Year of birth.", unit="year", sensitivity="quasi-identifier")
    sex: Text = column("Sex.", values=v.SEX, sensitivity="quasi-identifier")
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
    n_decisions: Count = column("Decisions, the next step included.", required=True)
    n_lines: Count = column("Lines of therapy, the perioperative or adjuvant course not counted.", required=True)

    class Config:
        name = "mart.patient_profile"
        metadata = {"grain": "accepted patient", "key": ["patient_id"]}


# Views: what they show is hashed with the tables below them, so they are not hashed again.
MART_VIEWS: Final[tuple[type[Table], ...]] = (JudgedDecision, PatientProfile)

MART_MODELS: Final[tuple[type[Table], ...]] = (
    BiomarkerDistribution,
    Concordance,
    Indicator,
    PathwayMix,
    DataQuality,
    PatientTimeline,
    EditionComparison,
    RecommendedToGiven,
    Uptake,
    Survival,
    ProcessChart,
    *MART_VIEWS,
)
