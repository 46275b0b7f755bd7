-- Purpose: forget replaced rows, and of rejected rows how they were delivered; that they were rejected, and why, stays.
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

delete from archive.patient
where superseded_run_id in (select old_run.run_id from old_run);

update archive.patient
set raw_row = '{}'
where
    raw_row is not null
    and delivery_id in (
        select delivery.delivery_id
        from archive.delivery
        inner join old_run on delivery.run_id = old_run.run_id
    );

delete from archive.tumour
where superseded_run_id in (select old_run.run_id from old_run);

update archive.tumour
set raw_row = '{}'
where
    raw_row is not null
    and delivery_id in (
        select delivery.delivery_id
        from archive.delivery
        inner join old_run on delivery.run_id = old_run.run_id
    );

delete from archive.assessment
where superseded_run_id in (select old_run.run_id from old_run);

update archive.assessment
set raw_row = '{}'
where
    raw_row is not null
    and delivery_id in (
        select delivery.delivery_id
        from archive.delivery
        inner join old_run on delivery.run_id = old_run.run_id
    );

delete from archive.biomarker
where superseded_run_id in (select old_run.run_id from old_run);

update archive.biomarker
set raw_row = '{}'
where
    raw_row is not null
    and delivery_id in (
        select delivery.delivery_id
        from archive.delivery
        inner join old_run on delivery.run_id = old_run.run_id
    );

delete from archive.drug_exposure
where superseded_run_id in (select old_run.run_id from old_run);

update archive.drug_exposure
set raw_row = '{}'
where
    raw_row is not null
    and delivery_id in (
        select delivery.delivery_id
        from archive.delivery
        inner join old_run on delivery.run_id = old_run.run_id
    );

delete from archive.procedure
where superseded_run_id in (select old_run.run_id from old_run);

update archive.procedure
set raw_row = '{}'
where
    raw_row is not null
    and delivery_id in (
        select delivery.delivery_id
        from archive.delivery
        inner join old_run on delivery.run_id = old_run.run_id
    );

delete from archive.mdt
where superseded_run_id in (select old_run.run_id from old_run);

update archive.mdt
set raw_row = '{}'
where
    raw_row is not null
    and delivery_id in (
        select delivery.delivery_id
        from archive.delivery
        inner join old_run on delivery.run_id = old_run.run_id
    );

delete from archive.outcome
where superseded_run_id in (select old_run.run_id from old_run);

update archive.outcome
set raw_row = '{}'
where
    raw_row is not null
    and delivery_id in (
        select delivery.delivery_id
        from archive.delivery
        inner join old_run on delivery.run_id = old_run.run_id
    );
