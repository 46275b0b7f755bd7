-- question: Did first-line practice change over the years?
-- for: analyst
-- columns: year, n_total, n_evaluable, n_concordant, percent, ci_low, ci_high
-- means: Each year is judged by the edition in force on the day of the decision, so a fall can mean that the
--   guideline moved and practice did not yet.
select
    year,
    sum(n_total)::bigint as n_total,
    sum(n_evaluable)::bigint as n_evaluable,
    sum(n_concordant)::bigint as n_concordant,
    unnest(mart.share_of(sum(n_concordant), sum(n_evaluable))) as share
from mart.concordance_by('year, line')
where line = 1
group by year
order by year
