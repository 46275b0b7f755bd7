-- id: P15a
-- title: Future liver remnant and liver background recorded before a major hepatectomy
-- population: days on which liver metastases were resected
-- denominator: major hepatectomy; major or not unknown is not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: remnant (percentage, or both volumes) and background recorded in a work-up of the 183 days up to the
--   resection; not evaluable in a registry that holds no remnant at all
-- direction: up
-- target: none
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre of the resection
-- member: resection
select
    member_id,
    centre_id,
    event_date,
    true as in_population,
    is_major as in_denominator,
    -- A registry without any volume does not collect them.
    case
        when is_major and exists (from extract.assessment where flr_percent is not null or flr_ml is not null)
            then flr_percent is not null and liver_background is not null
    end as in_numerator
from liver_resection
