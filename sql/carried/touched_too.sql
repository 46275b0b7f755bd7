-- Purpose: who is touched because others are: patients of the same source row, of a file of which all are read again,
-- and those of whom a date that is not known to the day may be the last of all.
-- Grain: patient (unknown: rows without one). Reads the frames touched (patient_id) and read_again (source_file_id,
-- table_name), the table last_day (patient_id, known, imputed) and the view standing_row (patient_id, table_name,
-- source_file_id, source_row).
with place as (
    select distinct
        standing_row.table_name,
        standing_row.source_file_id,
        standing_row.source_row
    from standing_row
    inner join touched on standing_row.patient_id is not distinct from touched.patient_id
),

last_of_others as (
    select max(last_day.known) as known
    from last_day
    where last_day.patient_id not in (select touched.patient_id from touched where touched.patient_id is not null)
),

found as (
    select standing_row.patient_id
    from standing_row
    inner join place
        on
            standing_row.table_name = place.table_name
            and standing_row.source_file_id = place.source_file_id
            and standing_row.source_row = place.source_row
    union
    select standing_row.patient_id
    from standing_row
    inner join read_again
        on standing_row.table_name = read_again.table_name and standing_row.source_file_id = read_again.source_file_id
    union
    select last_day.patient_id
    from last_day
    cross join last_of_others
    where coalesce(last_day.imputed > last_of_others.known, last_day.imputed is not null)
)

select found.patient_id
from found
where not exists (select 1 from touched where touched.patient_id is not distinct from found.patient_id)
order by found.patient_id
