-- Patients by biomarker, from the mart: the registry in each population, and patients with CRLM by centre.
-- Grain: is_metastatic, is_crlm, centre, analyte, is_tested and category; null = all. Parameters: none.
with
chosen as (
    select
        case when population != 'all' then 'yes' end as is_metastatic,
        case when population = 'crlm' then 'yes' end as is_crlm,
        centre_id,
        analyte,
        category,
        n,
        n_tested,
        n_total
    from mart.biomarker_distribution
    where year is null and (centre_id is null or population = 'crlm')
)

select
    is_metastatic,
    is_crlm,
    centre_id,
    analyte,
    'yes' as is_tested,
    category,
    n
from chosen
union all
select distinct
    is_metastatic,
    is_crlm,
    centre_id,
    analyte,
    'yes' as is_tested,
    null as category,
    n_tested as n
from chosen
union all
select distinct
    is_metastatic,
    is_crlm,
    centre_id,
    null as analyte,
    null as is_tested,
    null as category,
    n_total as n
from chosen
order by all
