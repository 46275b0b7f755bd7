-- The decisions of which a fact rests on a row of the extract with a date that was known to the month or year only.
-- Grain: decision. Reads `fact_source`. Parameters: $tables (those with such a row; of others nothing is
-- looked up).
select distinct fact_source.decision_id
from fact_source
inner join audit.finding_row as finding_row
    on
        fact_source.table_name = finding_row.table_name
        and fact_source.source_file_id = finding_row.source_file_id
        and fact_source.source_row = finding_row.source_row
inner join audit.finding as finding on finding_row.finding_id = finding.finding_id
where
    finding.check_name = 'date_imputed'
    and list_contains($tables, fact_source.table_name)
order by fact_source.decision_id
