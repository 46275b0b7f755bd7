-- id: P15b
-- title: Future liver remnant above the threshold before a major hepatectomy
-- population: days on which liver metastases were resected
-- denominator: major hepatectomy of a normal or cirrhotic liver: the editorial gives no threshold for other
--   backgrounds; major or not unknown is not evaluable, nor is a background or a remnant that was not recorded
-- exclusions: none
-- exceptions: none
-- numerator: latest remnant of the 183 days up to the resection above 25 % in a normal and above 40 % in a cirrhotic
--   liver
-- direction: up
-- target: none (crlm_editorial items 13 and 14 give the thresholds)
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
    is_major
    and case
        when liver_background in ('normal', 'cirrhosis') then true
        when liver_background is not null then false
    end as in_denominator,
    case
        when is_major and liver_background = 'normal' then flr_percent > 25
        when is_major and liver_background = 'cirrhosis' then flr_percent > 40
    end as in_numerator
from liver_resection
