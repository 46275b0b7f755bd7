-- id: MIPS-452-adapted
-- title: Anti-EGFR antibody spared in RAS-mutated disease, without G12C inhibitors, metachronous disease included
-- population: patients with metastatic disease and a primary of C18.0, C18.2 to C18.9, C19 or C20, not known to have
--   been under 18 at diagnosis
-- denominator: RAS mutated in any tissue result up to the as-of date, whether metastatic at diagnosis or later;
--   unknown or only partly examined is not evaluable; two encounters, and that they were not by telephone or video,
--   are not in the extract and not asked
-- exclusions: antibody given only in lines with a KRAS G12C inhibitor
-- exceptions: none
-- numerator: no anti-EGFR antibody in a line for metastatic disease without a KRAS G12C inhibitor, whenever it was
--   given
-- direction: up
-- target: 1.00 (MIPS-452, R4 and R5, adapted)
-- state: verified
-- minimum size: 10
-- display: funnel
-- centre: the centre that reports the patient
-- member: patient
with
judged as (
    select
        mips_patient.*,
        case ras when 'mutant' then true when 'wild_type' then false end as is_mutant,
        antibody_start_date is not null and plain_antibody_start_date is null as is_with_g12c_only,
        case when not mips_patient.is_relative_calendar then recent.test_date end as event_date
    from mips_patient
    left join ras_test as recent on mips_patient.patient_id = recent.patient_id
)

select
    patient_id as member_id,
    centre_id,
    event_date,
    true as in_population,
    is_mutant and not is_with_g12c_only as in_denominator,
    coalesce(is_mutant and is_with_g12c_only, false) as in_exclusion,
    case when is_mutant and not is_with_g12c_only then plain_antibody_start_date is null end as in_numerator
from judged
