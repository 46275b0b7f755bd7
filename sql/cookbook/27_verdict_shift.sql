-- question: What moved the verdicts since the last published run?
-- for: auditor
-- columns: guideline, beyond_limits, moved_by_data, moved_by_edition, moved_by_code
-- means: Of all centres together, how many shares are beyond their limits, and how many decisions went to another
--   verdict by what moved them: their data, an edition, or the code and settings. All zero after a first run, such as
--   that of the example. The shares, limits and parts of every centre stand in `audit.verdict_shift`.
select
    series.guideline,
    count(*) filter (where shift.is_beyond) as beyond_limits,
    coalesce(sum(greatest(shift.n_data, 0)), 0)::bigint as moved_by_data,
    coalesce(sum(greatest(shift.n_edition, 0)), 0)::bigint as moved_by_edition,
    coalesce(sum(greatest(shift.n_code, 0)), 0)::bigint as moved_by_code
from (select unnest(guidelines) as guideline from audit.run) as series
left join audit.verdict_shift as shift
    on series.guideline = shift.guideline and shift.centre_id is null
group by series.guideline
order by series.guideline
