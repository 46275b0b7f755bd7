-- The patients with a row of the extract with a date that was known to the month or year only.
-- Grain: patient and table. Parameters: none.
with delivered as (
    select
        patient_id,
        'patient' as table_name,
        source_file_id,
        source_row
    from extract.patient
    union all
    select
        patient_id,
        'tumour' as table_name,
        source_file_id,
        source_row
    from extract.tumour
    union all
    select
        patient_id,
        'assessment' as table_name,
        source_file_id,
        source_row
    from extract.assessment
    union all
    select
        patient_id,
        'biomarker' as table_name,
        source_file_id,
        source_row
    from extract.biomarker
    union all
    select
        patient_id,
        'drug_exposure' as table_name,
        source_file_id,
        source_row
    from extract.drug_exposure
    union all
    select
        patient_id,
        'procedure' as table_name,
        source_file_id,
        source_row
    from extract.procedure
    union all
    select
        patient_id,
        'mdt' as table_name,
        source_file_id,
        source_row
    from extract.mdt
    union all
    select
        patient_id,
        'outcome' as table_name,
        source_file_id,
        source_row
    from extract.outcome
)

select distinct
    delivered.patient_id,
    delivered.table_name
from delivered
inner join audit.finding_row as finding_row
    on
        delivered.table_name = finding_row.table_name
        and delivered.source_file_id = finding_row.source_file_id
        and delivered.source_row = finding_row.source_row
inner join audit.finding as finding on finding_row.finding_id = finding.finding_id
where finding.check_name = 'date_imputed'
order by delivered.patient_id, delivered.table_name
