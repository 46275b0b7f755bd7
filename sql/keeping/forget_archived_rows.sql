-- Purpose: forget the replaced rows of an archive table, and of rejected rows how they were delivered.
-- Grain: row. Reads the registered frame old_run (run_id); `changed_table` stands for the table. `{}` stands for what
-- is kept no longer: the next run takes it for the record of the row and does not make it again.
delete from changed_table
where superseded_run_id in (select old_run.run_id from old_run);

update changed_table
set raw_row = '{}'
where
    raw_row is not null
    and delivery_id in (
        select delivery.delivery_id
        from archive.delivery
        inner join old_run on delivery.run_id = old_run.run_id
    );
