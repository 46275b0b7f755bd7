-- id: P12
-- title: Encorafenib with cetuximab in treated BRAF V600E disease
-- population: second and later lines of metastatic disease
-- denominator: BRAF V600E by results known when the line was decided, from the day of approval: United States
--   2020-04-08, European Union and EEA 2020-06-02, elsewhere 2022-10-17 (the first guideline held here, ASCO); BRAF
--   or, with V600E, microsatellite status unknown or in conflict, or a relative calendar, is not evaluable
-- exclusions: a BRAF inhibitor in an earlier line; MSI-high disease, for which immunotherapy comes first (rule G-03)
-- exceptions: none
-- numerator: encorafenib and cetuximab in the line, with or without binimetinib
-- direction: up
-- target: none
-- state: verified
-- minimum size: 10
-- display: funnel
-- centre: the centre that gave the first drug of the line
-- member: decision
with
placed as (
    select
        *,
        case region
            when 'us' then event_date >= date '2020-04-08'
            when 'eu' then event_date >= date '2020-06-02'
            else event_date >= date '2022-10-17'
        end as is_in_force,
        case when braf = 'v600e' then true when braf is not null then false end as is_v600e,
        case
            when prior_braf_inhibitor or msi = 'msi_h' then true
            when not prior_braf_inhibitor and msi = 'mss' then false
        end as is_excluded
    from treatment_line
    where line >= 2
)

select
    decision_id as member_id,
    centre_id,
    event_date,
    true as in_population,
    is_in_force and is_v600e and not is_excluded as in_denominator,
    coalesce(is_in_force and is_v600e and is_excluded, false) as in_exclusion,
    case
        when is_in_force and is_v600e and not is_excluded then list_has_all(drugs, ['cetuximab', 'encorafenib'])
    end as in_numerator
from placed
