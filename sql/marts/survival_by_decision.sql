-- The members of the curves that what was recommended, or the verdict, divides: who was alive and in follow-up at a
-- landmark, by what was known of the first line by then.
-- Grain: landmark, time zero, is_crlm, series, exposure, stratum, days, days_at_most and is_dead; n patients.
-- Reads `member`, the rows of sql/marts/survival_strata.sql, and `followed`, those of sql/marts/survival_follow_up.sql.
-- Days count from the landmark; days_at_most is told only where days are not known.
-- Parameters: $landmarks (months), $landmark_days (their last days).
with
landmark as (
    select
        unnest($landmarks) as landmark_months,
        unnest($landmark_days) as landmark_day
)

select
    landmark.landmark_months,
    followed.time_zero,
    followed.is_crlm,
    member.guideline,
    member.exposure,
    member.stratum,
    (followed.days - landmark.landmark_day)::integer as days,
    (case when followed.days is null then followed.days_at_most - landmark.landmark_day end)::integer as days_at_most,
    followed.is_dead,
    count(*) as n
from member
inner join followed on member.decision_id = followed.decision_id
inner join landmark on member.known_day <= landmark.landmark_day
where (followed.days is null or followed.days > landmark.landmark_day) and followed.days_at_most > landmark.landmark_day
group by all
