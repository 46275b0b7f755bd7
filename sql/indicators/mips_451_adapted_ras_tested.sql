-- id: MIPS-451-adapted
-- title: Extended RAS known before an anti-EGFR antibody, metachronous disease included
-- population: patients with metastatic disease and a primary of C18.0, C18.2 to C18.9, C19 or C20, not known to have
--   been under 18 at diagnosis
-- denominator: an anti-EGFR antibody given in a line for metastatic disease without a KRAS G12C inhibitor, whether
--   metastatic at diagnosis or later; two encounters, and that they were not by telephone or video, are not in the
--   extract and not asked
-- exclusions: antibody given only in lines with a KRAS G12C inhibitor
-- exceptions: none
-- numerator: a mutation, or all six codons of both genes, known on or before the first such dose; an undated result,
--   a test marked as not recorded, or a registry without any result is not evaluable
-- direction: up
-- target: 1.00 (MIPS-451, R3, adapted)
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre that gave the line with that antibody, else the centre that reports the patient
-- member: patient
select
    mips_patient.patient_id as member_id,
    mips_patient.plain_antibody_centre_id as centre_id,
    mips_patient.plain_antibody_event_date as event_date,
    true as in_population,
    mips_patient.plain_antibody_start_date is not null as in_denominator,
    mips_patient.antibody_start_date is not null and mips_patient.plain_antibody_start_date is null as in_exclusion,
    case
        when mips_patient.plain_antibody_start_date is null then null
        when known.known_date <= mips_patient.plain_antibody_start_date then true
        when unsure.patient_id is null then false
    end as in_numerator
from mips_patient
left join cohort.analyte_known as known
    on mips_patient.patient_id = known.patient_id and known.analyte = 'extended_ras'
left join uncertain_test as unsure
    on mips_patient.patient_id = unsure.patient_id and unsure.analyte = 'extended_ras'
