-- id: P11b
-- title: Left-sided, RAS and BRAF wild-type disease: doublet with bevacizumab
-- population: first lines of metastatic disease
-- denominator: left-sided, MSS, RAS and BRAF wild type by results known when the line was decided; not evaluable
--   where one of them is unknown and none of the others rules the member out
-- exclusions: none
-- exceptions: none
-- numerator: FOLFOX, CAPOX, SOX or FOLFIRI with bevacizumab
-- direction: none
-- target: none (informative; bevacizumab 60 % in the United States 2013-2018, R54)
-- state: verified
-- minimum size: 10
-- display: funnel
-- centre: the centre that gave the first drug of the line
-- member: decision
with
sorted as (
    select
        decision_id,
        centre_id,
        event_date,
        case
            when side = 'right' or msi = 'msi_h' or ras = 'mutant' or braf != 'wild_type' then false
            when side = 'left' and msi = 'mss' and ras = 'wild_type' and braf = 'wild_type' then true
        end as is_meant,
        list_has_all(regimen, ['fluorouracil', 'oxaliplatin'])
        or list_has_all(regimen, ['capecitabine', 'oxaliplatin'])
        or list_has_all(regimen, ['oxaliplatin', 'tegafur'])
        or list_has_all(regimen, ['fluorouracil', 'irinotecan']) as has_pair,
        list_has_all(regimen, ['irinotecan', 'oxaliplatin']) as has_both,
        list_contains(drugs, 'bevacizumab') as has_antibody
    from treatment_line
    where line = 1
)

select
    decision_id as member_id,
    centre_id,
    event_date,
    true as in_population,
    is_meant as in_denominator,
    case when is_meant then has_antibody and coalesce(has_pair and not has_both, false) end as in_numerator
from sorted
