-- question: From a cell of the report to its decisions and their source rows?
-- for: auditor
-- columns: decision_id, patient_id, centre_id, fact, file_name, source_row, delivered
-- means: The cell: decisions judged contraindicated by ESMO, all centres. The last column is the row as it was
--   delivered. `centre := 'C06'` takes the code in the report.
select
    cell.decision_id,
    cell.patient_id,
    decision.centre_id,
    cell.fact,
    cell.file_name,
    cell.source_row,
    row_of_archive.hgvs_p as delivered
from mart.lineage_of_cell('contraindicated') as cell
inner join cohort.decision on cell.decision_id = decision.decision_id
inner join archive.biomarker as row_of_archive
    on cell.source_file_id = row_of_archive.source_file_id and cell.source_row = row_of_archive.source_row
where cell.fact = 'ras'
order by all
