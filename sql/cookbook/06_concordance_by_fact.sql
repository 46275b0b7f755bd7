-- question: In whom is the guideline followed least: by RAS and side of the primary?
-- for: analyst
-- columns: ras, side, n_evaluable, n_concordant, percent, ci_low, ci_high
-- means: Any columns of `mart.judged_decision` can be named. Null is unknown: a group of its own, never counted as
--   wild type or left.
select
    ras,
    side,
    n_evaluable,
    n_concordant,
    percent,
    ci_low,
    ci_high
from mart.concordance_by('ras, side')
order by percent, ras, side
