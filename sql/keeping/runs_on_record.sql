-- Purpose: the runs that read a delivery on record, or replaced a row of one; what is kept for a time goes with them.
-- Grain: run.
with record as (
    select run_id from archive.delivery
    union all
    select superseded_run_id as run_id from archive.patient
    union all
    select superseded_run_id as run_id from archive.tumour
    union all
    select superseded_run_id as run_id from archive.assessment
    union all
    select superseded_run_id as run_id from archive.biomarker
    union all
    select superseded_run_id as run_id from archive.drug_exposure
    union all
    select superseded_run_id as run_id from archive.procedure
    union all
    select superseded_run_id as run_id from archive.mdt
    union all
    select superseded_run_id as run_id from archive.outcome
)

select distinct run_id
from record
where run_id is not null
order by run_id
