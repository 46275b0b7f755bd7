-- Purpose: layout 2 knows which columns a file can carry. Layout 1 did not: each of its files counts as one with every
-- column of the tables that it delivered, as it was read then.
-- Grain: file, table and column.
create table audit.delivered_column as
with delivered as (
    select distinct
        source_file_id,
        'patient' as table_name
    from archive.patient
    union all
    select distinct
        source_file_id,
        'tumour' as table_name
    from archive.tumour
    union all
    select distinct
        source_file_id,
        'assessment' as table_name
    from archive.assessment
    union all
    select distinct
        source_file_id,
        'biomarker' as table_name
    from archive.biomarker
    union all
    select distinct
        source_file_id,
        'drug_exposure' as table_name
    from archive.drug_exposure
    union all
    select distinct
        source_file_id,
        'procedure' as table_name
    from archive.procedure
    union all
    select distinct
        source_file_id,
        'mdt' as table_name
    from archive.mdt
    union all
    select distinct
        source_file_id,
        'outcome' as table_name
    from archive.outcome
)

select
    delivered.source_file_id,
    delivered.table_name,
    archived.column_name
from delivered
inner join duckdb_columns() as archived
    on
        archived.database_name = current_database()
        and archived.schema_name = 'archive'
        and delivered.table_name = archived.table_name
where
    archived.column_name not in (
        'row_no', 'delivery_id', 'source_file_id', 'source_row', 'superseded_run_id', 'raw_row'
    )
order by delivered.source_file_id, delivered.table_name, archived.column_index
