-- question: Which centre tests whom: share of patients with a known result?
-- for: auditor
-- columns: centre_id, msi, ras, braf, her2
-- means: Percent of the patients with liver metastases of whom a result is known at the as-of date, however late it
--   came. Whether it came in time is question 9.
pivot (
    select
        centre_id,
        analyte,
        round(100.0 * any_value(n_tested) / any_value(n_total), 1) as tested
    from mart.biomarker_distribution
    where
        population = 'crlm' and year is null and centre_id is not null
        and analyte in ('msi', 'ras', 'braf', 'her2')
    group by centre_id, analyte
)
on analyte in ('msi', 'ras', 'braf', 'her2')
using any_value(tested)
order by centre_id
