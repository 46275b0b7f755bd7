-- Purpose: decisions by verdict, as this run judged them.
-- Grain: series, setting, centre (unknown: all) and verdict. Parameters: $guidelines (series that judged in both runs).
select
    guideline,
    setting,
    centre_id,
    verdict,
    n
from mart.concordance
where
    population = 'all'
    and year is null
    and edition_id is null
    and setting is not null
    and line is null
    and list_contains($guidelines, guideline)
