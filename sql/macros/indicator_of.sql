-- title: An indicator of every centre and year, and where it stands against its funnel limits.
-- grain: centre and period; null = all
-- parameter: indicator: id, e.g. 'P3'
-- columns: as mart.indicator; centre_code; position: above or below the 95 % or 99.8 % limits, else inside; unknown for
--   all centres and for a median
-- example: from mart.indicator_of('P3') where period is null
select
    indicator.centre_id,
    report_key.code as centre_code,
    indicator.period,
    indicator.numerator,
    indicator.denominator,
    indicator.n_not_evaluable,
    indicator.rate,
    indicator.ci_low,
    indicator.ci_high,
    indicator.rate_worst,
    indicator.rate_best,
    case
        when indicator.rate > indicator.limit_high_998 then 'above 99.8 %'
        when indicator.rate < indicator.limit_low_998 then 'below 99.8 %'
        when indicator.rate > indicator.limit_high_95 then 'above 95 %'
        when indicator.rate < indicator.limit_low_95 then 'below 95 %'
        when indicator.limit_low_95 is not null then 'inside'
    end as position
from mart.indicator
left join audit.report_key on indicator.centre_id = report_key.centre_id
where indicator.indicator_id = $indicator
order by indicator.centre_id nulls first, indicator.period nulls first
