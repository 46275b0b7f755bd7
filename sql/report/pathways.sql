-- Patients with CRLM by precision pathway, from the mart: every series for the registry, $headline for each centre.
-- Grain: guideline, centre and pathway; null centre = all. Parameters: headline.
select
    'yes' as is_metastatic,
    'yes' as is_crlm,
    guideline,
    centre_id,
    coalesce(pathway, 'no_rule') as pathway,
    n
from mart.pathway_mix
where
    population = 'crlm'
    and year is null
    and edition_id is null
    and (centre_id is null or guideline = $headline)
order by all
