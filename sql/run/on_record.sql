-- Purpose: what is on record of earlier deliveries, counted: no upgrade may change any of it.
-- Grain: table of the record.
select
    'deliveries' as table_name,
    count(*) as standing,
    0 as replaced
from archive.delivery
union all
select
    'deletions' as table_name,
    count(*) as standing,
    0 as replaced
from audit.deletion
union all
select
    'rows of patient' as table_name,
    count(*) filter (where superseded_run_id is null) as standing,
    count(*) filter (where superseded_run_id is not null) as replaced
from archive.patient
union all
select
    'rows of tumour' as table_name,
    count(*) filter (where superseded_run_id is null) as standing,
    count(*) filter (where superseded_run_id is not null) as replaced
from archive.tumour
union all
select
    'rows of assessment' as table_name,
    count(*) filter (where superseded_run_id is null) as standing,
    count(*) filter (where superseded_run_id is not null) as replaced
from archive.assessment
union all
select
    'rows of biomarker' as table_name,
    count(*) filter (where superseded_run_id is null) as standing,
    count(*) filter (where superseded_run_id is not null) as replaced
from archive.biomarker
union all
select
    'rows of drug_exposure' as table_name,
    count(*) filter (where superseded_run_id is null) as standing,
    count(*) filter (where superseded_run_id is not null) as replaced
from archive.drug_exposure
union all
select
    'rows of procedure' as table_name,
    count(*) filter (where superseded_run_id is null) as standing,
    count(*) filter (where superseded_run_id is not null) as replaced
from archive.procedure
union all
select
    'rows of mdt' as table_name,
    count(*) filter (where superseded_run_id is null) as standing,
    count(*) filter (where superseded_run_id is not null) as replaced
from archive.mdt
union all
select
    'rows of outcome' as table_name,
    count(*) filter (where superseded_run_id is null) as standing,
    count(*) filter (where superseded_run_id is not null) as replaced
from archive.outcome
order by table_name
