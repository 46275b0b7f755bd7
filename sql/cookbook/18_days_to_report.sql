-- question: How long does a biomarker result take from sample to report?
-- for: analyst
-- columns: analyte, n, n_undated, median_days, p90_days
-- means: Results in tissue with both dates; `n_undated` lack one and are in no median. Results not yet reported are
--   not here, so recent delays show too short: indicator P18 counts them.
select
    analyte,
    count(*) filter (where sample_date is not null and report_date is not null) as n,
    count(*) filter (where sample_date is null or report_date is null) as n_undated,
    median(report_date - sample_date) as median_days,
    quantile_cont(report_date - sample_date, 0.9) as p90_days
from extract.biomarker
where analyte in ('kras', 'nras', 'braf', 'msi', 'erbb2')
group by analyte
order by analyte
