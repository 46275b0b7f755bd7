-- id: P8
-- title: Immunotherapy in the first line of MSI-high or mismatch-repair deficient disease
-- population: first lines of metastatic disease
-- denominator: MSI-high or mismatch-repair deficient by results known when the line was decided, from the day on
--   which pembrolizumab was an established first line: United States 2020-06-29 (unverified), European Union and EEA
--   2021-01-21, elsewhere 2022-10-17 (the first guideline held here, ASCO); status unknown or in conflict, or a
--   relative calendar, is not evaluable
-- exclusions: a recorded contraindication to checkpoint inhibitors: autoimmune disease or transplant
-- exceptions: none
-- numerator: a checkpoint inhibitor in the line
-- direction: up
-- target: none
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre that gave the first drug of the line
-- member: decision
with
placed as (
    select
        *,
        case region
            when 'us' then event_date >= date '2020-06-29'
            when 'eu' then event_date >= date '2021-01-21'
            else event_date >= date '2022-10-17'
        end as is_in_force,
        list_has_any(contraindications, ['autoimmune', 'transplant']) as is_contraindicated
    from treatment_line
    where line = 1
)

select
    decision_id as member_id,
    centre_id,
    event_date,
    true as in_population,
    is_in_force
    and not is_contraindicated
    and case msi when 'msi_h' then true when 'mss' then false end as in_denominator,
    coalesce(is_in_force and msi = 'msi_h' and is_contraindicated, false) as in_exclusion,
    case
        when is_in_force and not is_contraindicated and msi = 'msi_h'
            then list_contains(classes, 'checkpoint_inhibitor')
    end as in_numerator
from placed
