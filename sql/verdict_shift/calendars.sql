-- Purpose: on which calendars the decisions of this warehouse and of the one before stand.
-- Grain: the pair. Reads the views decision_now and decision_before.
select coalesce(
    (select any_value(is_relative_calendar) from decision_now)
    <> (select any_value(is_relative_calendar) from decision_before),
    false
) as differ
