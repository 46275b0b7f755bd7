"""What happened in a run: files, rows, rejections and findings."""

from typing import Final

from schemas import vocabulary as v
from schemas.column import Boolean, Count, Date, Integer, Number, Table, Text, TextList, Timestamp, column

RUN_ID: Final = column("Run.", required=True)
FILE_ID: Final = column("File: first 16 hex digits of the SHA-256 of name, NUL and content.", required=True)
TABLE_NAME: Final = column("Extract table.")
FILE_NAME: Final = column("Name relative to the source.", required=True)
FILE_FORMAT: Final = column("Format recognised.", required=True)
FILE_HASH: Final = column("Hash of the content.", required=True)
FILE_BYTES: Final = column("Size.", unit="bytes", required=True)
FILE_CALENDAR: Final = column("Whether its dates are real or relative.", required=True, values=v.CALENDAR)
FILE_RECORDS: Final = column("Source records.", required=True)
FILE_UNMAPPED: Final = column("Source records that made no row.", required=True)


class Run(Table):
    """A run of the pipeline that was published."""

    run_id: Text = RUN_ID
    started_at: Timestamp = column("Start, UTC.", required=True)
    as_of: Date = column("Day up to which facts count.", required=True)
    package_version: Text = column("Version of crlm-pipeline.", required=True)
    content_hash: Text = column(
        "Hash of extract, cohort, guideline and mart; equal inputs give equal hashes.", required=True
    )
    status: Text = column("Whether every file and row share was within its limit.", required=True, values=v.RUN_STATUS)
    guidelines: TextList = column("Series that judged.", required=True)
    judge_by: Text = column("Edition that judged every decision, for a what-if run.")
    side_policy: Text = column("How the transverse colon is sided.", required=True)
    grace_days: Integer = column(
        "Days after a change during which the older edition may count.", unit="days", required=True
    )
    is_addition: Boolean = column(
        "Whether the sources were added to what earlier runs delivered; otherwise they were the whole registry.",
        required=True,
    )
    pseudonym_key_id: Text = column(
        "Which key made pseudonyms of the ids on the way in; unknown: ids are as delivered."
    )
    lake: Text = column("Folder that holds the rows of patients as Parquet; unknown: the warehouse itself holds them.")
    judgement_key: Text = column(
        "Hash of what the judged cohort depends on beside the rows of patients: code, knowledge, settings."
    )
    decisions_judged: Count = column("Decisions judged in this run; the judgement of the others stood unchanged.")

    class Config:
        name = "audit.run"
        metadata = {"grain": "run", "key": ["run_id"]}


class SourceFile(Table):
    """A file that a run read."""

    source_file_id: Text = FILE_ID
    run_id: Text = RUN_ID
    file_name: Text = FILE_NAME
    format: Text = FILE_FORMAT
    sha256: Text = FILE_HASH
    byte_count: Count = FILE_BYTES
    calendar: Text = FILE_CALENDAR
    row_count: Count = FILE_RECORDS
    unmapped_count: Count = FILE_UNMAPPED

    class Config:
        name = "audit.source_file"
        metadata = {"grain": "file of a run"}


class RowLedger(Table):
    """The balance of rows: read = accepted + rejected + duplicate, for every file and table."""

    run_id: Text = RUN_ID
    source_file_id: Text = FILE_ID
    table_name: Text = TABLE_NAME
    rows_read: Count = column("Canonical rows that the format made.", required=True)
    rows_accepted: Count = column("Rows in the extract table.", required=True)
    rows_rejected: Count = column("Rows set aside.", required=True)
    rows_duplicate: Count = column("Rows equal to an earlier one.", required=True)

    class Config:
        name = "audit.row_ledger"
        metadata = {"grain": "run, file and table"}


class RejectedRow(Table):
    """A row, or a cell of an accepted row, that was set aside, and why."""

    source_file_id: Text = FILE_ID
    table_name: Text = TABLE_NAME
    source_row: Integer = column("Row in the file, counted from 1 below the header.", required=True)
    scope: Text = column("Whether the row or one cell was set aside.", required=True, values=v.REJECTION_SCOPE)
    check_name: Text = column("Check that failed.", required=True)
    column_name: Text = column("Column at fault, if one is.")
    message: Text = column("What was expected and what to do, without the cell's value.", required=True)
    raw_row: Text = column("The row as delivered, as JSON.", required=True, sensitivity="identifier")

    class Config:
        name = "audit.rejected_row"
        metadata = {"grain": "rejected row or cell and reason"}


class Finding(Table):
    """Something noticed about the data, counted."""

    finding_id: Text = column("Finding: check, table and centre.", required=True)
    run_id: Text = RUN_ID
    check_name: Text = column("Check.", required=True)
    severity: Text = column(
        "Whether a value was lost (error) or only looks odd (warning).", required=True, values=v.SEVERITY
    )
    table_name: Text = TABLE_NAME
    column_name: Text = column("Column, if one is concerned.")
    centre_id: Text = column("Centre whose rows are concerned; unknown for a file as a whole.")
    row_count: Count = column("Rows concerned.", required=True)
    state: Text = column("Against the last published run.", required=True, values=v.FINDING_STATE)
    message: Text = column("What was found, without a patient's value.", required=True)

    class Config:
        name = "audit.finding"
        metadata = {"grain": "finding", "key": ["finding_id"]}


class FindingRow(Table):
    """A row that a finding concerns."""

    finding_id: Text = column("Finding.", required=True)
    source_file_id: Text = FILE_ID
    table_name: Text = TABLE_NAME
    source_row: Integer = column("Row in the file.")

    class Config:
        name = "audit.finding_row"
        metadata = {"grain": "finding and row"}


class Deletion(Table):
    """A patient whose data may not be held, however often they are delivered."""

    patient_hash: Text = column("SHA-256 of the patient's id, which is itself not kept.", required=True)
    run_id: Text = column("Run that first honoured it.", required=True)
    source_file_id: Text = column("Deletion list.", required=True)
    source_row: Integer = column("Row in the list.", required=True)

    class Config:
        name = "audit.deletion"
        metadata = {"grain": "patient to delete", "key": ["patient_hash"]}


class CheckResult(Table):
    """What became of every check: also of those that nothing failed, that did not apply, or that were never reached.

    A reader's or the cohort's notice stands here only if something was noticed; it has no number of rows checked.
    """

    run_id: Text = RUN_ID
    check_name: Text = column("Check.", required=True)
    table_name: Text = TABLE_NAME
    column_name: Text = column("Column, if one is concerned.")
    kind: Text = column(
        "Whether it looks at a row by itself, its key and its patient (conformance), at facts beside each other "
        "(plausibility), whether its patient is on a deletion list (deletion), or was noticed while reading or "
        "deriving (notice).",
        required=True,
        values=v.CHECK_KIND,
    )
    severity: Text = column("What a failure is: error or warning.", required=True, values=v.SEVERITY)
    status: Text = column(
        "pass: at most the threshold failed (rows_failed tells whether any did); fail: more; not_applicable: nothing "
        "that it reads was delivered, or only day offsets were; not_run: no row reached it; error: it could not be "
        "evaluated, a defect of crlm-pipeline.",
        required=True,
        values=v.CHECK_STATUS,
    )
    rows_checked: Count = column("Rows that it looked at: those that reached it with the columns that it reads filled.")
    rows_failed: Count = column(
        "Rows or cells that failed, as in audit.rejected_row and audit.finding: cells of a row that was set aside are "
        "not counted apart. Of a notice about a file as a whole: how often it was noticed.",
        required=True,
    )
    share: Number = column("rows_failed of rows_checked; unknown where none was checked.", low=0, high=1)
    threshold: Number = column(
        "Largest share that passes: of `data/reference/check_thresholds.csv`, else 0 for an error and 1 for a warning.",
        low=0,
        high=1,
    )
    threshold_author: Text = column("Who set the threshold; unknown = the default.")
    threshold_date: Date = column("When the threshold was set.")
    threshold_reason: Text = column("Why the threshold is what it is.")
    expected: Text = column("What was expected and what to do, as a sentence.", required=True)
    note: Text = column("Why the check did not apply, was not run or could not be evaluated.")

    class Config:
        name = "audit.check_result"
        metadata = {"grain": "run, check, table and column"}


class DeliveredColumn(Table):
    """A column that a file can carry: it was handed over, filled or not. What is not here was never delivered."""

    source_file_id: Text = FILE_ID
    table_name: Text = column("Extract table.", required=True)
    column_name: Text = column("Column.", required=True)

    class Config:
        name = "audit.delivered_column"
        metadata = {
            "grain": "file, table and column",
            "key": ["source_file_id", "table_name", "column_name"],
        }


class SetAsideCount(Table):
    """What did not enter the extract tables, or entered them and looks odd, counted once per row."""

    source_file_id: Text = FILE_ID
    table_name: Text = column("Extract table.", required=True)
    column_name: Text = column("Column at fault; unknown = any, the row as a whole.")
    centre_id: Text = column("Centre of the row; unknown where neither it nor its patient names one.")
    month: Date = column("First day of the month of the row's own date; unknown if it has none that can be used.")
    rows_duplicate: Count = column("Rows equal to an earlier one.", required=True)
    rows_nonconforming: Count = column(
        "Rows (of a column: rows or cells) set aside by a check of conformance.", required=True
    )
    rows_implausible: Count = column(
        "Rows (of a column: rows or cells) set aside by a check of plausibility.", required=True
    )
    rows_deleted: Count = column("Rows left out because a deletion list names their patient.", required=True)
    rows_odd: Count = column("Rows kept in spite of a check of plausibility.", required=True)

    class Config:
        name = "audit.set_aside_count"
        metadata = {"grain": "file, table, column, centre and month"}


class QualityLoss(Table):
    """What is worse in the data than in the run published before: a check that passed, a column that was fuller."""

    run_id: Text = RUN_ID
    previous_run_id: Text = column("Run that was published before.", required=True)
    table_name: Text = column("Extract table; unknown for a check of a file as a whole.")
    column_name: Text = column("Column, if one is concerned.")
    check_name: Text = column("Check that passed and now fails; unknown: the column is emptier than chance explains.")
    rows_compared: Text = column(
        "all: all rows; added: at the centres where it shows, the rows that this run added beside those before.",
        required=True,
        values=v.ROWS_COMPARED,
    )
    share_before: Number = column(
        "Share of rows that kept the check, or of cells that were filled, before.", low=0, high=1, required=True
    )
    share_now: Number = column("The same in this run.", low=0, high=1, required=True)

    class Config:
        name = "audit.quality_loss"
        metadata = {"grain": "run, table, column and check"}


class VerdictShift(Table):
    """How often each verdict was given, beside the last published run, and what moved it.

    Empty after a first run, and where the run before judged by another edition, stood on another calendar or is too
    old. Only series that judged in both runs. What each part means is in `docs/verdict-shift.md`.
    """

    guideline: Text = column("Series of editions.", required=True)
    setting: Text = column("Systemic treatment or local treatment of the liver.", required=True, values=v.SETTING)
    centre_id: Text = column("Centre that decided; unknown = all centres.")
    verdict: Text = column("Verdict.", required=True, values=v.VERDICT)
    run_id_before: Text = column("The last published run.", required=True)
    run_id: Text = RUN_ID
    n_before: Count = column("Decisions with the verdict in the run before.", required=True)
    n_total_before: Count = column("Decisions with any verdict in the run before.", required=True)
    n: Count = column("Decisions with the verdict.", required=True)
    n_total: Count = column("Decisions with any verdict.", required=True)
    share_before: Number = column("n_before of n_total_before; unknown where there was none.", low=0, high=1)
    share: Number = column("n of n_total; unknown where there is none.", low=0, high=1)
    limit_low: Number = column(
        "Lower 99.8 % limit of the share at n_total decisions, were it still what it was; unknown where n_total or "
        "n_total_before is too small for a rate.",
        low=0,
        high=1,
    )
    limit_high: Number = column("Upper limit; see limit_low.", low=0, high=1)
    is_beyond: Boolean = column("Whether the share lies outside its limits; unknown where they are.")
    n_data: Count = column(
        "Of n - n_before: decisions that are new or gone, or of which a fact, the treatment, the centre or another "
        "cell changed.",
        required=True,
    )
    n_edition: Count = column(
        "Of n - n_before: decisions that stand as they were, judged by an edition that is new, gone or changed.",
        required=True,
    )
    n_code: Count = column(
        "Of n - n_before: decisions that stand as they were, judged otherwise by the same editions: another version "
        "of crlm-pipeline, or other settings (see `differs`).",
        required=True,
    )
    part_data: Number = column("Of share - share_before: by the decisions of n_data; the parts add up.")
    part_edition: Number = column("Of share - share_before: by the decisions of n_edition.")
    part_code: Number = column("Of share - share_before: by the decisions of n_code.")
    differs: TextList = column(
        "Columns of audit.run in which both runs differ, of those that verdicts may depend on.", required=True
    )

    class Config:
        name = "audit.verdict_shift"
        metadata = {
            "grain": "series, setting, centre (unknown: all) and verdict",
            "key": ["guideline", "setting", "centre_id", "verdict"],
        }


class ReportKey(Table):
    """The code under which a centre stands in the report while an edition in use is unsigned."""

    centre_id: Text = column("Centre.", required=True)
    code: Text = column("Code in the report.", required=True)

    class Config:
        name = "audit.report_key"
        metadata = {"grain": "centre", "key": ["centre_id"]}


class Layout(Table):
    """Which layout the file has: the tables and columns that the version that wrote it knows."""

    layout: Integer = column("Number of the layout; it rises with every change of a table or column.", required=True)

    class Config:
        name = "audit.layout"
        metadata = {"grain": "the one row of the warehouse", "key": ["layout"]}


AUDIT_MODELS: Final[tuple[type[Table], ...]] = (
    Layout,
    Run,
    SourceFile,
    RowLedger,
    RejectedRow,
    Finding,
    FindingRow,
    Deletion,
    CheckResult,
    DeliveredColumn,
    SetAsideCount,
    QualityLoss,
    VerdictShift,
    ReportKey,
)
