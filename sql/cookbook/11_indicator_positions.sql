-- question: Where does each centre stand against the funnel limits of an indicator?
-- for: auditor
-- columns: centre_code, numerator, denominator, n_not_evaluable, rate, rate_worst, rate_best, position
-- means: `position` compares the rate with the limits for a centre of this size around the pooled rate. Outside 95 %
--   is expected of one centre in twenty by chance; outside 99.8 % of one in five hundred.
select
    centre_code,
    numerator,
    denominator,
    n_not_evaluable,
    rate,
    rate_worst,
    rate_best,
    position
from mart.indicator_of('P3')
where period is null and centre_code is not null
order by rate
