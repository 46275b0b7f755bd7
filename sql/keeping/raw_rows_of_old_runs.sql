-- Purpose: how many rejected rows are on record as delivered, and how many replaced rows, that may be kept no longer.
-- Grain: one row. Reads the registered frame old_run (run_id).
with old_delivery as (
    select delivery.delivery_id
    from archive.delivery
    inner join old_run on delivery.run_id = old_run.run_id
),

old_file as (
    select file.source_file_id
    from archive.file
    inner join old_delivery on file.delivery_id = old_delivery.delivery_id
),

archived as (
    select
        delivery_id,
        superseded_run_id,
        raw_row
    from archive.patient
    union all
    select
        delivery_id,
        superseded_run_id,
        raw_row
    from archive.tumour
    union all
    select
        delivery_id,
        superseded_run_id,
        raw_row
    from archive.assessment
    union all
    select
        delivery_id,
        superseded_run_id,
        raw_row
    from archive.biomarker
    union all
    select
        delivery_id,
        superseded_run_id,
        raw_row
    from archive.drug_exposure
    union all
    select
        delivery_id,
        superseded_run_id,
        raw_row
    from archive.procedure
    union all
    select
        delivery_id,
        superseded_run_id,
        raw_row
    from archive.mdt
    union all
    select
        delivery_id,
        superseded_run_id,
        raw_row
    from archive.outcome
)

select
    (
        select count(*)
        from archived
        where superseded_run_id in (select old_run.run_id from old_run)
    ) as replaced,
    (
        select count(*)
        from archived
        where
            superseded_run_id is null
            and raw_row <> '{}'
            and delivery_id in (select old_delivery.delivery_id from old_delivery)
    ) + (
        select count(*)
        from audit.rejected_row
        where raw_row <> '{}' and source_file_id in (select old_file.source_file_id from old_file)
    ) as rejected
