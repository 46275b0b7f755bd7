-- Purpose: the last day in the accepted rows of each patient: of rows whose dates are known to the day, and of others.
-- Grain: patient. Reads the view accepted_row (patient_id, table_name, source_file_id, source_row, last_date).
with imputed as (
    select distinct
        finding_row.table_name,
        finding_row.source_file_id,
        finding_row.source_row
    from audit.finding_row as finding_row
    inner join audit.finding as finding on finding_row.finding_id = finding.finding_id
    where finding.check_name = 'date_imputed'
)

select
    accepted_row.patient_id,
    max(accepted_row.last_date) filter (where imputed.source_row is null) as known,
    max(accepted_row.last_date) filter (where imputed.source_row is not null) as imputed
from accepted_row
left join imputed
    on
        accepted_row.table_name = imputed.table_name
        and accepted_row.source_file_id = imputed.source_file_id
        and accepted_row.source_row = imputed.source_row
group by accepted_row.patient_id
