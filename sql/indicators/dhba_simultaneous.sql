-- id: DHBA-simultaneous
-- title: Primary and liver metastases resected on the same day
-- population: days on which liver metastases were resected (also two-stage, ALPPS)
-- denominator: synchronous disease: liver metastases found at most 31 days after the primary; unknown dates are not
--   evaluable
-- exclusions: none
-- exceptions: none
-- numerator: a primary resected on that day; not evaluable where the day of its resection is unknown
-- direction: none
-- target: none (informative; 10 % in the Netherlands, R11)
-- state: verified
-- minimum size: 10
-- display: funnel
-- centre: the centre of the resection
-- member: resection
select
    member_id,
    centre_id,
    event_date,
    true as in_population,
    is_synchronous as in_denominator,
    case when is_synchronous then is_simultaneous end as in_numerator
from liver_resection
