-- id: MIPS-452
-- title: Anti-EGFR antibody spared in RAS-mutated disease, as specified
-- population: patients with metastatic disease and a primary of C18.0, C18.2 to C18.9, C19 or C20, not known to have
--   been under 18 at diagnosis
-- denominator: metastatic at diagnosis by the M category, else by metastases dated at most 31 days after it; unknown
--   is not evaluable; RAS mutated at codon 12, 13, 59, 61, 117 or 146 of KRAS or NRAS in the most recent result;
--   unknown or only partly examined is not evaluable; two encounters, and that they were not by telephone or video,
--   are not in the extract and not asked
-- exclusions: none
-- exceptions: none
-- numerator: no anti-EGFR antibody in any line for metastatic disease, whenever it was given and whatever came with
--   it
-- direction: up
-- target: 1.00 (MIPS-452, R4 and R5)
-- state: verified
-- minimum size: 10
-- display: funnel
-- centre: the centre that reports the patient
-- member: patient
with
judged as (
    select
        mips_patient.*,
        case
            when recent.is_mutant then true
            -- A negative result counts once every codon was examined. A mutation in an older one does not count.
            when not recent.is_mutant and mips_patient.ras in ('wild_type', 'mutant') then false
        end
        and mips_patient.is_metastatic_at_diagnosis as is_meant,
        case when not mips_patient.is_relative_calendar then recent.test_date end as event_date
    from mips_patient
    left join ras_test as recent on mips_patient.patient_id = recent.patient_id
)

select
    patient_id as member_id,
    centre_id,
    event_date,
    true as in_population,
    is_meant as in_denominator,
    case when is_meant then antibody_start_date is null end as in_numerator
from judged
