-- title: An indicator of every centre and year, and where each stands.
-- grain: centre and period; null = all
-- parameter: indicator: id, e.g. 'P3'
-- columns: as mart.indicator, with the code of the centre in the report
-- example: from mart.indicator_of('P3') where period is null
select
    measured.centre_id,
    report_key.code as centre_code,
    measured.period,
    measured.numerator,
    measured.denominator,
    measured.n_not_evaluable,
    measured.n_excluded,
    measured.n_excepted,
    measured.rate,
    measured.ci_low,
    measured.ci_high,
    measured.rate_worst,
    measured.rate_best,
    measured.smallest_difference,
    measured.standing
from mart.indicator as measured
left join audit.report_key on measured.centre_id = report_key.centre_id
where measured.indicator_id = $indicator
order by measured.centre_id nulls first, measured.period nulls first
