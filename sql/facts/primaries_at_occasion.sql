-- What was known of the primaries on the facts_date: TNM and site from the diagnosis, pathology after the resection.
-- Grain: occasion. Reads `occasion`, `primary_tumour`. Parameters: $pathology_days (resection to pathology report).
with known as (
    select
        occasion.occasion_id,
        occasion.facts_date,
        primary_tumour.diagnosis_date,
        primary_tumour.resection_date,
        primary_tumour.side,
        primary_tumour.side_certainty,
        primary_tumour.is_other_tumour,
        coalesce(primary_tumour.diagnosis_date <= occasion.facts_date, false) as is_diagnosed,
        coalesce(
            coalesce(primary_tumour.resection_date + $pathology_days, primary_tumour.diagnosis_date)
            <= occasion.facts_date,
            false
        ) as has_pathology,
        primary_tumour.has_positive_nodes,
        primary_tumour.nodes_positive,
        primary_tumour.resection_margin
    from occasion
    inner join primary_tumour on occasion.patient_id = primary_tumour.patient_id
    where primary_tumour.diagnosis_date is null or primary_tumour.diagnosis_date <= occasion.facts_date
),

read_out as (
    select
        occasion_id,
        diagnosis_date,
        side,
        side_certainty,
        is_other_tumour,
        case when has_pathology then resection_margin end as margin,
        case
            when has_pathology and nodes_positive > 0 then true
            when is_diagnosed and has_positive_nodes then true
            when has_pathology and nodes_positive = 0 then false
            when is_diagnosed then has_positive_nodes
        end as has_positive_nodes,
        case
            when resection_date is not null then resection_date <= facts_date
            when has_pathology and resection_margin is not null then true
        end as is_resected
    from known
),

summed as (
    select
        occasion_id,
        count(*) as n,
        count(*) filter (where side = 'left') as n_left,
        count(*) filter (where side = 'right') as n_right,
        count(*) filter (where side is null) as n_unsided,
        case when bool_or(side_certainty = 'low') then 'low' else min(side_certainty) end as side_certainty,
        bool_and(is_other_tumour) as is_other_tumour,
        min(diagnosis_date) as first_diagnosis_date,
        max(margin) as worst_margin,
        count(margin) as n_margin,
        bool_or(has_positive_nodes) as has_positive_nodes,
        count(has_positive_nodes) as n_staged,
        bool_and(is_resected) as is_resected,
        count(is_resected) as n_resected_known
    from read_out
    group by occasion_id
)

select
    occasion.occasion_id,
    coalesce(summed.n_left, 0) as n_left,
    coalesce(summed.n_right, 0) as n_right,
    coalesce(summed.n_unsided, 0) as n_unsided,
    summed.side_certainty,
    coalesce(summed.is_other_tumour, false) as is_other_tumour,
    summed.first_diagnosis_date,
    case when summed.worst_margin != 'r0' or summed.n_margin = summed.n then summed.worst_margin end as primary_margin,
    case
        when summed.has_positive_nodes or summed.n_staged = summed.n then summed.has_positive_nodes
    end as has_positive_nodes,
    case
        when not summed.is_resected or summed.n_resected_known = summed.n then summed.is_resected
    end as is_primary_resected
from occasion
left join summed on occasion.occasion_id = summed.occasion_id
order by occasion.occasion_id
