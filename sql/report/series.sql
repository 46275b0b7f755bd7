-- Series that judged, those of recommendations first; no counts.
-- Grain: series. Parameters: none.
select distinct
    verdict.guideline,
    edition.kind
from cohort.verdict
left join guideline.edition on verdict.guideline = edition.guideline
order by edition.kind desc nulls last, verdict.guideline asc
