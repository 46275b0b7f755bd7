-- id: MIPS-452-2017
-- title: Anti-EGFR antibody spared in KRAS-mutated disease, codons 12 and 13 only, until 2017
-- population: patients with metastatic disease and a primary of C18.0, C18.2 to C18.9, C19 or C20, not known to have
--   been under 18 at diagnosis
-- denominator: metastatic at diagnosis by the M category, else by metastases dated at most 31 days after it; unknown
--   is not evaluable; most recent RAS result before 2018 (the measure changed in about 2017 to 2018: the day is
--   unverified) with KRAS mutated at codon 12 or 13; a mutation at an unknown codon, no dated result, or a relative
--   calendar is not evaluable; two encounters, and that they were not by telephone or video, are not in the extract
--   and not asked
-- exclusions: none
-- exceptions: none
-- numerator: no anti-EGFR antibody in any line for metastatic disease, whenever it was given
-- direction: up
-- target: 1.00 (MIPS-452 until about 2017-18, R6)
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre that reports the patient
-- member: patient
with
judged as (
    select
        mips_patient.*,
        case
            when recent.test_date >= date '2018-01-01' then false
            when recent.test_date is not null and not mips_patient.is_relative_calendar then recent.is_kras_12_13
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
