-- Purpose: forget how rejected rows were delivered; that they were rejected, and why, stays.
-- Grain: row. Reads the registered frame old_run (run_id). `{}` stands for what is kept no longer: the next run takes
-- it for the record of the row and does not make it again.
update audit.rejected_row
set raw_row = '{}'
where
    source_file_id in (
        select file.source_file_id
        from archive.file
        inner join archive.delivery on file.delivery_id = delivery.delivery_id
        inner join old_run on delivery.run_id = old_run.run_id
    );
