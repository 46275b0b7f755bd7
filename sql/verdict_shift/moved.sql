-- Purpose: which verdicts the last run gave more or less often than the run before, all centres together, and by what.
-- Grain: series, setting and verdict.
select
    guideline,
    setting,
    verdict,
    n_before,
    n,
    concat_ws(
        ', ',
        case when n_edition <> 0 then 'edition' end,
        case when n_code <> 0 then 'code or settings' end,
        case when n_data <> 0 then 'data' end
    ) as moved_by
from audit.verdict_shift
where centre_id is null and (n_edition <> 0 or n_code <> 0 or n_data <> 0)
order by guideline, setting, verdict
