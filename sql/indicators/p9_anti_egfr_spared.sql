-- id: P9
-- title: Anti-EGFR antibody spared in RAS-mutated disease
-- population: systemic treatments of metastatic disease, every line from the first
-- denominator: RAS mutated by results known when the treatment was decided; RAS unknown or only partly examined is
--   not evaluable
-- exclusions: none
-- exceptions: none
-- numerator: no anti-EGFR antibody in the line, or one together with a KRAS G12C inhibitor (MIPS-452, adapted)
-- direction: up
-- target: 1.00 (MIPS-452)
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
    case ras when 'mutant' then true when 'wild_type' then false end as in_denominator,
    case
        when ras = 'mutant'
            then not list_contains(classes, 'anti_egfr') or list_contains(classes, 'kras_g12c_inhibitor')
    end as in_numerator
from treatment_line
