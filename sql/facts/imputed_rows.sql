-- The rows of the extract with a date that was known to the month or year only.
-- Grain: extract row. Parameters: none.
select distinct
    finding_row.table_name,
    finding_row.source_file_id,
    finding_row.source_row
from audit.finding as finding
inner join audit.finding_row as finding_row on finding.finding_id = finding_row.finding_id
where finding.check_name = 'date_imputed'
order by finding_row.table_name, finding_row.source_file_id, finding_row.source_row
