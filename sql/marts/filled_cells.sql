-- How many cells of each column of an extract table are filled, and how many rows there are; null = all.
-- Grain: column, centre and month of the row's own date. A row without a date or on a relative calendar counts only
-- where the month is null. Parameters: $extract_table, $dates (the columns of the row's own date; the first that is
-- filled counts).
with
homed as (
    select
        delivered.* exclude (source_file_id, source_row),
        null::date as undated,
        home.centre_id as home_id,
        home.is_relative_calendar
    from query_table('extract.' || $extract_table) as delivered
    inner join cohort.patient as home on delivered.patient_id = home.patient_id
),

dated as (
    select
        coalesce(*columns(c -> c in ('centre_id', 'home_id'))) as place_centre,
        coalesce(*columns(c -> c = 'undated' or list_contains($dates, c))) as own_date,
        * exclude (undated, home_id)
    from homed
),

placed as (
    select
        case when not is_relative_calendar then date_trunc('month', own_date)::date end as place_month,
        * exclude (own_date, is_relative_calendar)
    from dated
),

-- Counted once, under the names of the columns.
by_place as (
    select
        place_centre,
        place_month,
        count(*) as place_rows,
        count(columns(* exclude (place_centre, place_month)))
    from placed
    group by place_centre, place_month
),

filled as (
    select
        place_centre,
        place_month,
        sum(columns(* exclude (place_centre, place_month)))::bigint
    from by_place
    group by cube (place_centre, place_month)
    having grouping(place_month) = 1 or place_month is not null
)

select
    $extract_table as table_name,
    column_name,
    place_centre as centre_id,
    place_month as month,
    place_rows as n_rows,
    kept
from (
    unpivot filled
    on columns(* exclude (place_centre, place_month, place_rows))
    into name column_name value kept
)
