-- How complete, conforming and plausible the data are: the cells of a column, or (column null) the rows of a table.
-- Grain: dimension, table, column, centre and month; null = all. The month is that of a row's own date: diagnosis,
-- work-up, sample (else report), start, procedure, meeting, response. A patient has none, nor has a row without a date
-- or on a relative calendar; such rows count only where the month is null. Reads filled_cell, the rows of
-- `marts/filled_cells` for every extract table, with its table_name. Parameters: none.
create table mart.data_quality as
with
homes as (
    select
        patient_id,
        centre_id as home_id
    from cohort.patient
),

-- Every accepted row; a column of another table is null.
delivered_row as (
    select
        'patient' as table_name,
        *
    from extract.patient
    union all by name
    select
        'tumour' as table_name,
        *
    from extract.tumour
    union all by name
    select
        'assessment' as table_name,
        *
    from extract.assessment
    union all by name
    select
        'biomarker' as table_name,
        *
    from extract.biomarker
    union all by name
    select
        'drug_exposure' as table_name,
        *
    from extract.drug_exposure
    union all by name
    select
        'procedure' as table_name,
        *
    from extract.procedure
    union all by name
    select
        'mdt' as table_name,
        *
    from extract.mdt
    union all by name
    select
        'outcome' as table_name,
        *
    from extract.outcome
),

files as (
    select distinct
        delivered_row.table_name,
        coalesce(delivered_row.centre_id, homes.home_id) as centre_id,
        delivered_row.source_file_id
    from delivered_row
    inner join homes on delivered_row.patient_id = homes.patient_id
),

-- The columns that some file with rows of a centre can carry.
delivered as (
    select
        files.table_name,
        delivered_column.column_name,
        files.centre_id
    from files
    inner join audit.delivered_column
        on
            files.source_file_id = delivered_column.source_file_id
            and files.table_name = delivered_column.table_name
    group by files.table_name, delivered_column.column_name, cube (files.centre_id)
),

kept as (
    select
        table_name,
        column_name,
        centre_id,
        month,
        n_rows,
        kept
    from filled_cell
    union all
    -- Every row names its patient.
    select
        table_name,
        null as column_name,
        centre_id,
        month,
        n_rows,
        kept
    from filled_cell
    where column_name = 'patient_id'
),

set_aside as (
    select
        table_name,
        column_name,
        centre_id,
        month,
        sum(rows_nonconforming)::bigint as nonconforming,
        sum(rows_implausible)::bigint as implausible,
        sum(rows_odd)::bigint as odd
    from audit.set_aside_count
    group by table_name, column_name, cube (centre_id, month)
    having
        (grouping(centre_id) = 1 or centre_id is not null)
        and (grouping(month) = 1 or month is not null)
),

-- Joined, not added up: either side has one row per column, centre and month, and few have something set aside.
both_sides as (
    select
        coalesce(kept.table_name, set_aside.table_name) as table_name,
        coalesce(kept.column_name, set_aside.column_name) as column_name,
        coalesce(kept.centre_id, set_aside.centre_id) as centre_id,
        coalesce(kept.month, set_aside.month) as month,
        coalesce(kept.n_rows, 0) as n_rows,
        coalesce(kept.kept, 0) as kept,
        coalesce(set_aside.nonconforming, 0) as nonconforming,
        coalesce(set_aside.implausible, 0) as implausible,
        coalesce(set_aside.odd, 0) as odd
    from kept
    full join set_aside
        on
            kept.table_name = set_aside.table_name
            and kept.column_name is not distinct from set_aside.column_name
            and kept.centre_id is not distinct from set_aside.centre_id
            and kept.month is not distinct from set_aside.month
),

counted as (
    select
        both_sides.table_name,
        both_sides.column_name,
        both_sides.centre_id,
        both_sides.month,
        both_sides.n_rows,
        both_sides.kept,
        both_sides.nonconforming,
        both_sides.implausible,
        both_sides.odd,
        both_sides.column_name is null or delivered.table_name is not null as is_delivered
    from both_sides
    left join delivered
        on
            both_sides.table_name = delivered.table_name
            and both_sides.column_name = delivered.column_name
            and both_sides.centre_id is not distinct from delivered.centre_id
),

checked_for_plausibility as (
    select
        table_name,
        column_name
    from audit.check_result
    where kind = 'plausibility'
    group by table_name, rollup (column_name)
),

-- The rows of each table; few, and read twice, unlike those of the columns.
by_table as (
    select
        'completeness' as dimension,
        table_name,
        centre_id,
        month,
        sum(kept) as numerator,
        sum(n_rows) as denominator
    from counted
    where column_name is not null and is_delivered
    group by table_name, centre_id, month
    union all
    select
        'conformance' as dimension,
        table_name,
        centre_id,
        month,
        kept + implausible as numerator,
        kept + implausible + nonconforming as denominator
    from counted
    where column_name is null
    union all
    select
        'plausibility' as dimension,
        table_name,
        centre_id,
        month,
        kept - odd as numerator,
        kept + implausible as denominator
    from counted
    where column_name is null and table_name in (select table_name from checked_for_plausibility)
),

every_table as (
    select
        'completeness' as dimension,
        table_name,
        column_name,
        centre_id,
        month,
        kept as numerator,
        n_rows as denominator,
        is_delivered
    from counted
    where column_name is not null
    union all
    select
        'conformance' as dimension,
        table_name,
        column_name,
        centre_id,
        month,
        kept + implausible as numerator,
        kept + implausible + nonconforming as denominator,
        is_delivered
    from counted
    where column_name is not null
    union all
    select
        'plausibility' as dimension,
        counted.table_name,
        counted.column_name,
        counted.centre_id,
        counted.month,
        counted.kept - counted.odd as numerator,
        counted.kept + counted.implausible as denominator,
        counted.is_delivered
    from counted
    inner join checked_for_plausibility as checked
        on counted.table_name = checked.table_name and counted.column_name = checked.column_name
    union all
    select
        dimension,
        table_name,
        null as column_name,
        centre_id,
        month,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        true as is_delivered
    from by_table
    group by dimension, centre_id, month, rollup (table_name)
)

select
    dimension,
    table_name,
    column_name,
    centre_id,
    month,
    numerator::bigint as numerator,
    denominator::bigint as denominator,
    case when is_delivered and denominator > 0 then 100.0::double * numerator / denominator end as percent,
    is_delivered
from every_table
