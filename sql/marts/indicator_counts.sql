-- The members of an indicator by set. Reads `member`, the rows of a statement of sql/indicators.
-- Grain: centre, quarter (its first day; null on a relative calendar) and, for a median, days.
-- What would be a defect: `n_outside`, members not in the set around the one they are in; `n_torn`, exclusions and
-- exceptions that are not apart from the other sets and each other; `n_unlike`, those that the head does not name, or
-- names and the statement does not give; `n_repeated`, rows beyond one per member.
-- Parameters: $has_exclusions, $has_exceptions (boolean): whether the head of the statement names any.
with
stated as materialized (
    from member
    union all by name
    select
        null::integer as days,
        null::boolean as in_exclusion,
        null::boolean as in_exception
    where false
),

placed as (
    select
        centre_id,
        date_trunc('quarter', event_date)::date as quarter,
        days,
        in_population,
        in_denominator,
        in_numerator,
        coalesce(in_exclusion, false) as in_exclusion,
        coalesce(in_exception, false) as in_exception,
        (in_exclusion is null) = $has_exclusions or (in_exception is null) = $has_exceptions as is_unlike
    from stated
)

select
    centre_id,
    quarter,
    days,
    count(*) filter (where in_denominator and in_numerator) as numerator,
    count(*) filter (where in_denominator and in_numerator is not null) as denominator,
    count(*) filter (
        where in_population and (in_denominator is null or (in_denominator and in_numerator is null))
    ) as n_not_evaluable,
    count(*) filter (where in_exclusion) as n_excluded,
    count(*) filter (where in_exception) as n_excepted,
    count(*) filter (
        where
        in_population is null
        or (in_denominator and not in_population)
        or (in_numerator and not coalesce(in_denominator, false))
    ) as n_outside,
    count(*) filter (
        where
        ((in_exclusion or in_exception) and (not in_population or coalesce(in_denominator, true)))
        or (in_exclusion and in_exception)
    ) as n_torn,
    count(*) filter (where is_unlike) as n_unlike,
    (select count(*) - count(distinct member_id) from stated) as n_repeated
from placed
group by centre_id, quarter, days
order by all
