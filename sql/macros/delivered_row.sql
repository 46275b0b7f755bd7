-- title: A source row as it was delivered, as text, and whether it still stands.
-- grain: row delivered
-- parameter: delivered_table: extract table, e.g. 'biomarker'
-- parameter: file: source_file_id
-- parameter: row_number: row in the file, counted from 1 below the header
-- columns: superseded_run_id is the run in which a later delivery replaced the row; unknown: it stands
-- example: from mart.delivered_row('patient', (select min(source_file_id) from extract.patient), 1)
with
delivered as (
    select
        'patient' as table_name,
        source_file_id,
        source_row,
        superseded_run_id,
        to_json(patient) as row_as_text
    from archive.patient
    union all
    select
        'tumour' as table_name,
        source_file_id,
        source_row,
        superseded_run_id,
        to_json(tumour) as row_as_text
    from archive.tumour
    union all
    select
        'assessment' as table_name,
        source_file_id,
        source_row,
        superseded_run_id,
        to_json(assessment) as row_as_text
    from archive.assessment
    union all
    select
        'biomarker' as table_name,
        source_file_id,
        source_row,
        superseded_run_id,
        to_json(biomarker) as row_as_text
    from archive.biomarker
    union all
    select
        'drug_exposure' as table_name,
        source_file_id,
        source_row,
        superseded_run_id,
        to_json(drug_exposure) as row_as_text
    from archive.drug_exposure
    union all
    select
        'procedure' as table_name,
        source_file_id,
        source_row,
        superseded_run_id,
        to_json(procedure) as row_as_text
    from archive.procedure
    union all
    select
        'mdt' as table_name,
        source_file_id,
        source_row,
        superseded_run_id,
        to_json(mdt) as row_as_text
    from archive.mdt
    union all
    select
        'outcome' as table_name,
        source_file_id,
        source_row,
        superseded_run_id,
        to_json(outcome) as row_as_text
    from archive.outcome
)

select
    delivered.superseded_run_id,
    delivered.row_as_text
from delivered
where
    delivered.table_name = $delivered_table
    and delivered.source_file_id = $file
    and delivered.source_row = $row_number
