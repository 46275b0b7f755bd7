-- title: How far a guideline was followed, by any columns of a decision.
-- grain: one row per combination of values of the columns named; null = unknown
-- parameter: dimensions: columns of mart.judged_decision in one text, e.g. 'centre_id' or 'year, ras'; 'guideline'
--   for all in one row
-- parameter: guideline := 'esmo': series of recommendations
-- parameter: population := 'crlm': crlm, metastatic or all
-- columns: n_total all decisions; n_evaluable those that could be judged; n_concordant those that followed; percent (of
--   n_evaluable) with its 95 % interval; n_not_evaluable those that a missing fact leaves open; percent_worst and
--   percent_best if all of these counted against and in favour
-- example: from mart.concordance_by('centre_id')
with
counted as (
    select
        columns(string_split(replace($dimensions, ' ', ''), ',')),
        count(*) as n_total,
        count(*) filter (where judged.is_evaluable) as n_evaluable,
        count(*) filter (where judged.is_concordant) as n_concordant,
        count(*) filter (where judged.verdict = 'not_evaluable') as n_not_evaluable
    from mart.judged_decision as judged
    where
        judged.guideline = $guideline
        and mart.is_counted($population, judged.is_metastatic, judged.is_crlm)
    group by all
)

select
    *,
    unnest(mart.share_of(n_concordant, n_evaluable)) as share,
    100 * n_concordant / nullif(n_evaluable + n_not_evaluable, 0) as percent_worst,
    100 * (n_concordant + n_not_evaluable) / nullif(n_evaluable + n_not_evaluable, 0) as percent_best
from counted
order by all
