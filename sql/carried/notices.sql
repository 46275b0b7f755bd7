-- Purpose: what the published cohort noticed of patients whose rows are carried over.
-- Grain: finding and file. Reads the table changed (patient_id) and the view accepted_row (patient_id, table_name,
-- source_file_id, source_row). Parameters: $checks (names of the checks of the cohort).
select
    finding.check_name,
    finding.severity,
    finding_row.source_file_id,
    finding.table_name,
    finding.column_name,
    finding.message,
    list_sort(list(distinct finding_row.source_row)) as source_rows
from before.audit.finding as finding
inner join before.audit.finding_row as finding_row on finding.finding_id = finding_row.finding_id
inner join accepted_row
    on
        finding_row.table_name = accepted_row.table_name
        and finding_row.source_file_id = accepted_row.source_file_id
        and finding_row.source_row = accepted_row.source_row
where
    list_contains($checks, finding.check_name)
    and accepted_row.patient_id not in (select changed.patient_id from changed)
group by all
order by all
