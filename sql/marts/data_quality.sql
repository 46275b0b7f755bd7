-- How complete, conforming and plausible the data are: the cells of a column, or (column null) the rows of a table.
-- Grain: dimension, table, column, centre and month; null = all. The month is that of a row's own date: diagnosis,
-- work-up, sample (else report), start, procedure, meeting, response. A patient has none, nor has a row without a date
-- or on a relative calendar; such rows count only where the month is null. Parameters: none.
create table mart.data_quality as
with
homes as (
    select
        patient_id,
        centre_id as home_id,
        is_relative_calendar
    from cohort.patient
),

-- Every accepted row with its own date; a column of another table is null.
dated as (
    select
        'patient' as place_table,
        null::date as own_date,
        *
    from extract.patient
    union all by name
    select
        'tumour' as place_table,
        diagnosis_date as own_date,
        *
    from extract.tumour
    union all by name
    select
        'assessment' as place_table,
        assessment_date as own_date,
        *
    from extract.assessment
    union all by name
    select
        'biomarker' as place_table,
        coalesce(sample_date, report_date) as own_date,
        *
    from extract.biomarker
    union all by name
    select
        'drug_exposure' as place_table,
        start_date as own_date,
        *
    from extract.drug_exposure
    union all by name
    select
        'procedure' as place_table,
        procedure_date as own_date,
        *
    from extract.procedure
    union all by name
    select
        'mdt' as place_table,
        mdt_date as own_date,
        *
    from extract.mdt
    union all by name
    select
        'outcome' as place_table,
        outcome_date as own_date,
        *
    from extract.outcome
),

-- Every accepted row under its place. Read twice, as it is of many columns and would not fit in memory.
placed as not materialized (
    select
        coalesce(dated.centre_id, homes.home_id) as place_centre,
        case when not homes.is_relative_calendar then dated.own_date end as place_month,
        dated.* exclude (own_date)
    from dated
    inner join homes on dated.patient_id = homes.patient_id
),

monthly as (
    select
        * exclude (place_month),
        date_trunc('month', place_month)::date as place_month
    from placed
),

-- Counts the filled cells of every column under the name of the column.
filled as (
    select
        place_table,
        place_centre,
        place_month,
        count(*) as place_rows,
        count(columns(* exclude (place_table, place_centre, place_month)))
    from monthly
    group by place_table, cube (place_centre, place_month)
    having grouping(place_month) = 1 or place_month is not null
),

cells as (
    unpivot filled
    on columns(* exclude (place_table, place_centre, place_month, place_rows))
    into name column_name value kept
),

declared as (
    select
        table_name,
        column_name
    from duckdb_columns()
    where
        database_name = current_database()
        and schema_name = 'extract'
        and column_name not in ('source_file_id', 'source_row')
),

files as (
    select distinct
        place_table,
        place_centre,
        source_file_id
    from placed
),

-- The columns that some file with rows of a centre can carry.
delivered as (
    select
        files.place_table as table_name,
        delivered_column.column_name,
        files.place_centre as centre_id
    from files
    inner join audit.delivered_column
        on
            files.source_file_id = delivered_column.source_file_id
            and files.place_table = delivered_column.table_name
    group by files.place_table, delivered_column.column_name, cube (files.place_centre)
),

kept as (
    select
        cells.place_table as table_name,
        cells.column_name,
        cells.place_centre as centre_id,
        cells.place_month as month,
        cells.place_rows as n_rows,
        cells.kept
    from cells
    inner join declared on cells.place_table = declared.table_name and cells.column_name = declared.column_name
    union all
    select
        place_table as table_name,
        null as column_name,
        place_centre as centre_id,
        place_month as month,
        place_rows as n_rows,
        place_rows as kept
    from filled
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

both_sides as (
    select
        table_name,
        column_name,
        centre_id,
        month,
        n_rows,
        kept,
        0 as nonconforming,
        0 as implausible,
        0 as odd
    from kept
    union all
    select
        table_name,
        column_name,
        centre_id,
        month,
        0 as n_rows,
        0 as kept,
        nonconforming,
        implausible,
        odd
    from set_aside
),

counted as (
    select
        both_sides.table_name,
        both_sides.column_name,
        both_sides.centre_id,
        both_sides.month,
        sum(both_sides.n_rows)::bigint as n_rows,
        sum(both_sides.kept)::bigint as kept,
        sum(both_sides.nonconforming)::bigint as nonconforming,
        sum(both_sides.implausible)::bigint as implausible,
        sum(both_sides.odd)::bigint as odd,
        both_sides.column_name is null or bool_or(delivered.table_name is not null) as is_delivered
    from both_sides
    left join delivered
        on
            both_sides.table_name = delivered.table_name
            and both_sides.column_name = delivered.column_name
            and both_sides.centre_id is not distinct from delivered.centre_id
    group by both_sides.table_name, both_sides.column_name, both_sides.centre_id, both_sides.month
),

checked_for_plausibility as (
    select
        table_name,
        column_name
    from audit.check_result
    where kind = 'plausibility'
    group by table_name, rollup (column_name)
),

by_table as (
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
        'completeness' as dimension,
        table_name,
        null as column_name,
        centre_id,
        month,
        sum(kept) as numerator,
        sum(n_rows) as denominator,
        true as is_delivered
    from counted
    where column_name is not null and is_delivered
    group by table_name, centre_id, month
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
        on
            counted.table_name = checked.table_name
            and counted.column_name is not distinct from checked.column_name
),

every_table as (
    select
        dimension,
        table_name,
        column_name,
        centre_id,
        month,
        numerator,
        denominator,
        is_delivered
    from by_table
    union all
    select
        dimension,
        null as table_name,
        null as column_name,
        centre_id,
        month,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        true as is_delivered
    from by_table
    where column_name is null
    group by dimension, centre_id, month
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
order by all
