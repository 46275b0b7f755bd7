-- title: What a decision's facts rest on: each fact, its value, and the file and row that it came from.
-- grain: fact and row; a known fact that no row stands behind (a date, an id) has one line without a row
-- parameter: decision: a decision_id
-- columns: reason says what the row contributes; mart.delivered_row shows the row itself
-- example: from mart.lineage_of_decision('P0000007/systemic/1')
select
    known.fact,
    known.value,
    source.table_name,
    source.source_file_id,
    file.file_name,
    source.source_row,
    source.reason
from mart.facts_of($decision) as known
left join cohort.fact_source as source on source.decision_id = $decision and known.fact = source.fact
left join audit.source_file as file on source.source_file_id = file.source_file_id
where known.value is not null or source.source_row is not null
order by known.fact, source.table_name, file.file_name, source.source_row
