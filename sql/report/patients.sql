-- Patients reported, with metastatic disease and with liver metastases (CRLM): the registry and, without the middle
-- step, each centre.
-- Grain: is_metastatic, is_crlm and centre; null = all. Parameters: none.
with
members as (
    select
        centre_id,
        unnest(
            case
                when is_crlm then ['all', 'metastatic', 'crlm']
                when is_metastatic then ['all', 'metastatic']
                else ['all']
            end
        ) as population
    from cohort.patient
)

select
    case when population != 'all' then 'yes' end as is_metastatic,
    case when population = 'crlm' then 'yes' end as is_crlm,
    centre_id,
    count(*) as n
from members
group by population, cube (centre_id)
having grouping(centre_id) = 1 or population != 'metastatic'
order by all
