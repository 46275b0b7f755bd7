-- Purpose: how many rejected rows are on record as delivered, and how many replaced rows, that may be kept no longer.
-- Grain: one row. Reads the registered frame old_run (run_id) and the view archived_row (delivery_id,
-- superseded_run_id, raw_row).
with old_delivery as (
    select delivery.delivery_id
    from archive.delivery
    inner join old_run on delivery.run_id = old_run.run_id
),

old_file as (
    select file.source_file_id
    from archive.file
    inner join old_delivery on file.delivery_id = old_delivery.delivery_id
)

select
    (
        select count(*)
        from archived_row
        where superseded_run_id in (select old_run.run_id from old_run)
    ) as replaced,
    (
        select count(*)
        from archived_row
        where
            superseded_run_id is null
            and raw_row <> '{}'
            and delivery_id in (select old_delivery.delivery_id from old_delivery)
    ) + (
        select count(*)
        from audit.rejected_row
        where raw_row <> '{}' and source_file_id in (select old_file.source_file_id from old_file)
    ) as rejected
