-- title: From a cell of the report's tables of verdicts to every source row that its decisions rest on.
-- grain: decision, fact and row
-- parameter: verdict := null: verdict, or its class: concordant, discordant
-- parameter: centre := null: centre_id, or its code in the report
-- parameter: guideline := 'esmo': series
-- parameter: edition := null: edition_id
-- parameter: setting := null: systemic or local
-- parameter: line := null: line of therapy
-- parameter: year := null: calendar year
-- parameter: population := 'crlm': crlm, metastatic or all
-- columns: null in a parameter means all
-- example: from mart.lineage_of_cell('contraindicated') where fact in ('ras', 'treatment')
select
    cell.decision_id,
    cell.patient_id,
    cell.verdict,
    cell.rule_id,
    source.fact,
    source.table_name,
    source.source_file_id,
    file.file_name,
    source.source_row,
    source.reason
from mart.decisions_of_cell($verdict, $centre, $guideline, $edition, $setting, $line, $year, $population) as cell
inner join cohort.fact_source as source on cell.decision_id = source.decision_id
inner join audit.source_file as file on source.source_file_id = file.source_file_id
order by cell.decision_id, source.fact, source.table_name, file.file_name, source.source_row
