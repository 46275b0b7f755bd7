-- Every treatment on record, to be named by its class.
-- Grain: setting, whether the course is perioperative or adjuvant (line 0), and treatment. Parameters: none.
select distinct
    setting,
    coalesce(line = 0, false) as is_perioperative,
    treatment
from cohort.decision
where treatment is not null
order by all
