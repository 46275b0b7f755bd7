-- id: MIPS-451
-- title: RAS tested before an anti-EGFR antibody, as specified
-- population: patients with metastatic disease and a primary of C18.0, C18.2 to C18.9, C19 or C20, not known to have
--   been under 18 at diagnosis
-- denominator: metastatic at diagnosis by the M category, else by metastases dated at most 31 days after it; unknown
--   is not evaluable; an anti-EGFR antibody given in a line for metastatic disease; two encounters, and that they
--   were not by telephone or video, are not in the extract and not asked
-- exclusions: none
-- exceptions: none
-- numerator: results of KRAS and of NRAS, whatever the codons, reported on or before the first dose ("before" is
--   unverified); an undated result, a test marked as not recorded, or a registry without any result is not evaluable
-- direction: up
-- target: 1.00 (MIPS-451, R3)
-- state: unverified
-- minimum size: 10
-- display: funnel
-- centre: the centre that gave the line with the first antibody, else the centre that reports the patient
-- member: patient
with
tested as (
    select
        patient_id,
        analyte,
        min(coalesce(report_date, sample_date)) as test_date,
        bool_or(report_date is null and sample_date is null) as is_one_undated
    from extract.biomarker
    where
        analyte in ('kras', 'nras')
        and result in ('mutated', 'not_detected')
        and specimen_site is distinct from 'plasma'
    group by patient_id, analyte
),

performed as (
    select
        mips_patient.patient_id,
        bool_and(tested.test_date <= mips_patient.antibody_start_date) as are_in_time,
        count(tested.test_date) as n_tested,
        bool_or(tested.is_one_undated) as is_one_undated
    from mips_patient
    inner join tested on mips_patient.patient_id = tested.patient_id
    group by mips_patient.patient_id
)

select
    mips_patient.patient_id as member_id,
    mips_patient.antibody_centre_id as centre_id,
    mips_patient.antibody_event_date as event_date,
    true as in_population,
    mips_patient.antibody_start_date is not null and mips_patient.is_metastatic_at_diagnosis as in_denominator,
    case
        when mips_patient.antibody_start_date is null or not mips_patient.is_metastatic_at_diagnosis then null
        when mips_patient.is_metastatic_at_diagnosis is null then null
        when performed.n_tested = 2 and performed.are_in_time then true
        when performed.is_one_undated or unsure.patient_id is not null then null
        else false
    end as in_numerator
from mips_patient
left join performed on mips_patient.patient_id = performed.patient_id
left join uncertain_test as unsure
    on mips_patient.patient_id = unsure.patient_id and unsure.analyte = 'extended_ras'
