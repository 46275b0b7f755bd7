-- Every event in the record of a patient up to the as-of date, with the row it came from; decisions carry their id
-- instead.
-- Grain: event of a patient. A view without an order, because it is read one patient at a time. Parameters: none.
create view mart.patient_timeline as
with
events as (
    select
        patient_id,
        diagnosis_date as event_date,
        'diagnosis' as event_type,
        'primary tumour ' || topography as event,
        source_file_id,
        source_row
    from extract.tumour
    union all
    select
        patient_id,
        resection_date as event_date,
        'primary_resection' as event_type,
        'primary removed' || coalesce(' (' || resection_margin || ')', '') as event,
        source_file_id,
        source_row
    from extract.tumour
    union all
    select
        patient_id,
        assessment_date as event_date,
        'assessment' as event_type,
        'work-up' || coalesce(': ' || resectability, '') || coalesce(', ECOG ' || ecog::varchar, '') as event,
        source_file_id,
        source_row
    from extract.assessment
    union all
    select
        patient_id,
        coalesce(report_date, sample_date) as event_date,
        'biomarker' as event_type,
        analyte || ' ' || result || coalesce(' ' || hgvs_p, '')
        || case when report_date is null then ' (by sample date)' else '' end as event,
        source_file_id,
        source_row
    from extract.biomarker
    union all
    select
        patient_id,
        start_date as event_date,
        'drug_start' as event_type,
        coalesce(inn, drug) || ' started (' || role || ')' as event,
        source_file_id,
        source_row
    from cohort.exposure_role
    union all
    select
        patient_id,
        end_date as event_date,
        'drug_end' as event_type,
        coalesce(inn, drug) || ' ended' as event,
        source_file_id,
        source_row
    from cohort.exposure_role
    union all
    select
        patient_id,
        procedure_date as event_date,
        'procedure' as event_type,
        procedure as event,
        source_file_id,
        source_row
    from extract.procedure
    union all
    select
        patient_id,
        mdt_date as event_date,
        'mdt' as event_type,
        'meeting' || coalesce(' (' || mdt_type || ')', '')
        || coalesce(', deviation: ' || deviation_reason, '') as event,
        source_file_id,
        source_row
    from extract.mdt
    union all
    select
        patient_id,
        outcome_date as event_date,
        'outcome' as event_type,
        outcome as event,
        source_file_id,
        source_row
    from extract.outcome
    union all
    select
        patient_id,
        death_date as event_date,
        'death' as event_type,
        'died' as event,
        source_file_id,
        source_row
    from extract.patient
)

select
    patient_id,
    event_date,
    event_type,
    event,
    null::varchar as decision_id,
    source_file_id,
    source_row
from events
where event_date <= (select as_of from audit.run)
union all
select
    patient_id,
    decision_date as event_date,
    'decision' as event_type,
    setting || coalesce(', line ' || line::varchar, '') || ': ' || coalesce(treatment, 'nothing yet') as event,
    decision_id,
    null as source_file_id,
    null as source_row
from cohort.decision
