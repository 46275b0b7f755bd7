-- id: P9
-- title: Anti-EGFR antibody spared in RAS-mutated disease
-- population: systemic treatments of metastatic disease, every line from the first
-- denominator: RAS mutated by results known when the treatment was decided
-- exclusions: none; RAS unknown or only partly examined is not evaluable
-- exceptions: a regimen with a KRAS G12C inhibitor may hold the antibody (MIPS-452, adapted)
-- numerator: no anti-EGFR antibody in the line
-- direction: up
-- target: 1.00 (MIPS-452)
-- minimum size: 10
-- display: funnel
-- centre: the centre that gave the first drug of the line
-- member: decision
with
lines as (
    select
        patient_id,
        line,
        course,
        bool_or(drug_class = 'anti_egfr') as has_anti_egfr,
        bool_or(drug_class = 'kras_g12c_inhibitor') as has_g12c_inhibitor
    from cohort.exposure_role
    where line >= 1 and role != 'excluded' and drug_class is not null
    group by patient_id, line, course
)

select
    decision.decision_id as member_id,
    decision.centre_id,
    case when not decision.is_relative_calendar then decision.decision_date end as event_date,
    true as in_population,
    case decision.ras when 'mutant' then true when 'wild_type' then false end as in_denominator,
    case
        when decision.ras = 'mutant'
            then not coalesce(lines.has_anti_egfr, false) or coalesce(lines.has_g12c_inhibitor, false)
    end as in_numerator
from cohort.decision
inner join cohort.patient on decision.patient_id = patient.patient_id
left join lines
    on decision.patient_id = lines.patient_id and decision.line = lines.line and decision.course = lines.course
where decision.setting = 'systemic' and decision.line >= 1 and not decision.is_open and patient.is_metastatic
order by member_id
