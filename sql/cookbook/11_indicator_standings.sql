-- question: Where does each centre stand against the funnel limits of an indicator?
-- for: auditor
-- columns: centre_code, numerator, denominator, n_not_evaluable, rate, rate_worst, rate_best, standing
-- means: `standing` compares a centre with the limits for its size around the pooled rate: alert beyond the 95 % and
--   alarm beyond the 99.8 % limit to the worse. Of many centres a few are beyond 95 % by chance alone: it is a reason
--   to look at the rows, not a finding.
select
    centre_code,
    numerator,
    denominator,
    n_not_evaluable,
    rate,
    rate_worst,
    rate_best,
    standing
from mart.indicator_of('P3')
where period is null and centre_code is not null
order by rate
