-- Rows of the sources by what became of them: accepted (sound, or odd by a check of plausibility), rejected (not
-- conforming, implausible, or of a deleted patient) or duplicate; by table, and by month of the row's own date for the
-- latest 24 months.
-- Measure: completeness of a month, the percentage of cells that accepted rows have filled, over all tables. It is
-- rounded, and stands at no row whose cells are counted by column elsewhere: no number of cells must be had from it.
-- Grain: table or month, outcome, fate and centre; null = all. Parameters: none.
with
accepted as (
    select
        table_name,
        centre_id,
        month,
        denominator as n
    from mart.data_quality
    where dimension = 'completeness' and column_name = 'patient_id'
),

set_aside as (
    select
        table_name,
        centre_id,
        month,
        sum(rows_duplicate) as duplicate,
        sum(rows_nonconforming) as nonconforming,
        sum(rows_implausible) as implausible,
        sum(rows_deleted) as deleted,
        sum(rows_odd) as odd
    from audit.set_aside_count
    where column_name is null
    group by table_name, cube (centre_id, month)
    having
        (grouping(centre_id) = 1 or centre_id is not null)
        and (grouping(month) = 1 or month is not null)
),

both_sides as (
    select
        table_name,
        centre_id,
        month,
        n as accepted,
        0 as duplicate,
        0 as nonconforming,
        0 as implausible,
        0 as deleted,
        0 as odd
    from accepted
    union all
    select
        table_name,
        centre_id,
        month,
        0 as accepted,
        duplicate,
        nonconforming,
        implausible,
        deleted,
        odd
    from set_aside
),

by_place as (
    select
        table_name,
        centre_id,
        strftime(month, '%Y-%m') as month,
        sum(accepted) as accepted,
        sum(duplicate) as duplicate,
        sum(nonconforming) as nonconforming,
        sum(implausible) as implausible,
        sum(deleted) as deleted,
        sum(odd) as odd
    from both_sides
    where month is null or month > (select max(accepted.month) - interval 24 months from accepted)
    group by grouping sets ((table_name, centre_id, month), (centre_id, month))
    having grouping(table_name) = 1 or month is null
),

outcomes as (
    select
        table_name,
        centre_id,
        month,
        unnest([
            null, 'accepted', 'accepted', 'accepted', 'rejected', 'rejected', 'rejected', 'rejected', 'duplicate'
        ]) as outcome,
        unnest([null, null, 'sound', 'odd', null, 'nonconforming', 'implausible', 'deleted', null]) as fate,
        unnest([
            accepted + nonconforming + implausible + deleted + duplicate,
            accepted,
            accepted - odd,
            odd,
            nonconforming + implausible + deleted,
            nonconforming,
            implausible,
            deleted,
            duplicate
        ])::bigint as n
    from by_place
)

select
    outcomes.table_name,
    outcomes.month,
    outcomes.outcome,
    outcomes.fate,
    outcomes.centre_id,
    outcomes.n,
    case
        when outcomes.outcome = 'accepted' and outcomes.fate is null and outcomes.month is not null
            then round(filled.percent, 1)
    end as completeness
from outcomes
left join mart.data_quality as filled
    on
        filled.dimension = 'completeness'
        and filled.column_name is null
        and outcomes.table_name is not distinct from filled.table_name
        and outcomes.centre_id is not distinct from filled.centre_id
        and outcomes.month is not distinct from strftime(filled.month, '%Y-%m')
order by all
