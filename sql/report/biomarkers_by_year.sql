-- Patients with CRLM by biomarker and year (of the first decision, else of the first report), from the mart.
-- Grain: analyte, is_tested, category and year; null = all, but for the year. Parameters: none.
with
chosen as (
    select
        analyte,
        category,
        n,
        n_tested,
        n_total,
        year::varchar as year
    from mart.biomarker_distribution
    where population = 'crlm' and centre_id is null and year is not null
)

select
    'yes' as is_metastatic,
    'yes' as is_crlm,
    analyte,
    'yes' as is_tested,
    category,
    year,
    n
from chosen
union all
select distinct
    'yes' as is_metastatic,
    'yes' as is_crlm,
    analyte,
    'yes' as is_tested,
    null as category,
    year,
    n_tested as n
from chosen
union all
select distinct
    'yes' as is_metastatic,
    'yes' as is_crlm,
    null as analyte,
    null as is_tested,
    null as category,
    year,
    n_total as n
from chosen
order by all
