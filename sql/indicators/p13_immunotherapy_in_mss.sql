-- id: P13
-- title: Checkpoint inhibitor in MSS disease
-- population: systemic treatments of metastatic disease, every line from the first
-- denominator: MSS by results known when the treatment was decided (our reading: of these lines, how many held one);
--   status unknown or in conflict is not evaluable
-- exclusions: lines in a trial
-- exceptions: a pathogenic POLE or POLD1 variant, known when a checkpoint inhibitor was decided on (rule X-06)
-- numerator: a checkpoint inhibitor in the line
-- direction: down
-- target: 0.00 (crlm_editorial items 39, 41, 42)
-- state: verified
-- minimum size: 10
-- display: funnel
-- centre: the centre that gave the first drug of the line
-- member: decision
select
    decision_id as member_id,
    centre_id,
    event_date,
    true as in_population,
    case msi when 'mss' then true when 'msi_h' then false end
    and not is_trial
    and not (coalesce(has_pole_variant, false) and list_contains(classes, 'checkpoint_inhibitor')) as in_denominator,
    coalesce(msi = 'mss' and is_trial, false) as in_exclusion,
    coalesce(
        msi = 'mss' and not is_trial and has_pole_variant and list_contains(classes, 'checkpoint_inhibitor'), false
    ) as in_exception,
    case
        when msi = 'mss' and not is_trial and not coalesce(has_pole_variant, false)
            then list_contains(classes, 'checkpoint_inhibitor')
        when msi = 'mss' and not is_trial and not list_contains(classes, 'checkpoint_inhibitor') then false
    end as in_numerator
from treatment_line
