"""The loaded knowledge as tables, so that a query needs no YAML."""

from typing import Final

from schemas import vocabulary as v
from schemas.column import Boolean, Date, Integer, Table, Text, TextList, column


class Edition(Table):
    """An edition of a guideline or label series."""

    edition_id: Text = column("Edition.", required=True)
    guideline: Text = column("Series.", required=True)
    kind: Text = column("Recommendation or label.", required=True, values=v.KIND)
    from_date: Date = column("First day in force; unknown for a rolling edition.")
    to_date: Date = column("First day no longer in force; unknown while open.")
    superseded_from: Date = column("Day from which a newer edition existed that is not held here.")
    is_rolling: Boolean = column("Whether its rules carry their own dates.", required=True)
    applies_in: TextList = column("Countries; empty means everywhere.", required=True)
    title: Text = column("Title of the publication.", required=True)
    citation: Text = column("Where it was published.", required=True)
    state: Text = column("Whether its statements were checked against the source.", required=True, values=v.STATE)
    is_signed: Boolean = column("Whether a clinician has signed the edition.", required=True)
    sha256: Text = column("Hash of the edition file.", required=True)

    class Config:
        name = "guideline.edition"
        metadata = {"grain": "edition", "key": ["edition_id"]}


class Rule(Table):
    """A rule of an edition: of the ladder, for safety, or a required test."""

    edition_id: Text = column("Edition.", required=True)
    rule_id: Text = column("Rule.", required=True)
    section: Text = column("Part of the edition.", required=True, values=("ladder", "safety", "test"))
    position: Integer = column(
        "Place in its section, from 1; the order of the ladder is its precedence.", required=True
    )
    title: Text = column("The rule in one sentence.", required=True)
    pathway: Text = column("Precision pathway.", values=v.PATHWAY)
    condition: Text = column("Its conditions, in words.", required=True)
    verdict: Text = column("Verdict of a safety rule.", values=v.SAFETY_VERDICT)
    not_recommended: TextList = column("Treatment patterns that the rule advises against.", required=True)
    from_date: Date = column("First day of the rule in a rolling edition.")
    to_date: Date = column("First day it no longer holds in a rolling edition.")
    state: Text = column("Whether the statement was checked against its source.", required=True, values=v.STATE)
    source: Text = column("Source of the rule.", required=True)

    class Config:
        name = "guideline.rule"
        metadata = {"grain": "rule of an edition", "key": ["edition_id", "rule_id"]}


class Option(Table):
    """An option of a ladder rule."""

    edition_id: Text = column("Edition.", required=True)
    rule_id: Text = column("Rule.", required=True)
    option_no: Integer = column("Number of the option, from 1.", required=True)
    treatment: Text = column("Treatment pattern.", required=True)
    preference: Text = column("Preference.", required=True, values=v.PREFERENCE)
    grade: Text = column("Grade as the edition states it.")
    state: Text = column("Whether the statement was checked against its source.", required=True, values=v.STATE)

    class Config:
        name = "guideline.option"
        metadata = {"grain": "option of a rule", "key": ["edition_id", "rule_id", "option_no"]}


class RequiredTestRule(Table):
    """A test that an edition requires."""

    edition_id: Text = column("Edition.", required=True)
    rule_id: Text = column("Test.", required=True)
    position: Integer = column("Place among the tests of the edition, from 1.", required=True)
    analyte: Text = column("What must have been measured.", required=True, values=v.TEST_ANALYTE)
    due_by: Text = column("Day by which the result must be known.", required=True, values=v.TEST_DUE)
    grade: Text = column("Grade as the edition states it.")

    class Config:
        name = "guideline.required_test"
        metadata = {"grain": "test of an edition", "key": ["edition_id", "rule_id"]}


class OptionTreatment(Table):
    """A regimen key or set of procedures that meets an option: concordance by an equi-join."""

    edition_id: Text = column("Edition.", required=True)
    rule_id: Text = column("Rule.", required=True)
    option_no: Integer = column("Number of the option.", required=True)
    treatment: Text = column("Regimen key, or sorted procedures joined by +.", required=True)

    class Config:
        name = "guideline.option_treatment"
        metadata = {"grain": "option and treatment"}


class Evidence(Table):
    """A publication or trial that a rule rests on."""

    edition_id: Text = column("Edition.", required=True)
    rule_id: Text = column("Rule.", required=True)
    trial: Text = column("Trial or source (`data/reference/trials.csv`).", required=True)

    class Config:
        name = "guideline.evidence"
        metadata = {"grain": "rule and trial"}


GUIDELINE_MODELS: Final[tuple[type[Table], ...]] = (
    Edition,
    Rule,
    Option,
    RequiredTestRule,
    OptionTreatment,
    Evidence,
)
