-- The first treatment of each patient with liver metastases, whether a liver meeting came before it, and the clinical
-- risk score then.
-- Grain: patient with liver metastases. Parameters: $as_of (date).
-- A perioperative or adjuvant course counts if it began once liver metastases were on record; where their day is not
-- known it is unknown whether such a course was for them, and is_treated or is_met_before with it.
with
liver_known as (
    select
        patient_id,
        min(
            least(mets_diagnosis_date, case when list_contains(mets_sites, 'liver') then assessment_date end)
        ) as known_date
    from extract.assessment
    where assessment_date <= $as_of
    group by patient_id
),

started as (
    select
        patient_id,
        start_date as started_date,
        centre_id,
        line = 0 as is_line_0
    from cohort.line_of_therapy
    where start_date <= $as_of
    union all
    select
        patient_id,
        procedure_date as started_date,
        centre_id,
        false as is_line_0
    from extract.procedure
    where procedure_date <= $as_of
),

judged as (
    select
        patient.patient_id,
        started.started_date,
        coalesce(started.centre_id, patient.centre_id) as centre_id,
        case when started.is_line_0 then started.started_date >= liver_known.known_date else true end as is_of_liver
    from cohort.patient as patient
    inner join started on patient.patient_id = started.patient_id
    left join liver_known on patient.patient_id = liver_known.patient_id
    where patient.is_crlm
),

first_treatment as (
    select
        patient_id,
        min(started_date) filter (where is_of_liver) as certain_date,
        min(started_date) as possible_date,
        arg_min(centre_id, (started_date, centre_id)) as centre_id
    from judged
    where is_of_liver is distinct from false
    group by patient_id
),

meeting as (
    select
        patient_id,
        min(mdt_date) filter (where mdt_type in ('liver', 'both')) as liver_date,
        min(mdt_date) filter (where mdt_type is null) as untyped_date
    from extract.mdt
    where mdt_date <= $as_of
    group by patient_id
),

score as (
    select
        first_treatment.patient_id,
        arg_max(decision.fong_score_min, (decision.decision_date, decision.setting, decision.decision_id)) as least,
        arg_max(decision.fong_score_max, (decision.decision_date, decision.setting, decision.decision_id)) as most
    from first_treatment
    inner join cohort.decision as decision
        on
            first_treatment.patient_id = decision.patient_id
            and first_treatment.possible_date >= decision.decision_date
    group by first_treatment.patient_id
)

select
    patient.patient_id,
    coalesce(first_treatment.centre_id, patient.centre_id) as centre_id,
    case when not patient.is_relative_calendar then first_treatment.possible_date end as event_date,
    case
        when first_treatment.certain_date is not null then true
        when first_treatment.possible_date is null then false
    end as is_treated,
    case
        when meeting.liver_date <= first_treatment.possible_date then true
        -- A registry without any meeting does not collect them.
        when not exists (from extract.mdt) then null
        when least(meeting.liver_date, meeting.untyped_date) <= first_treatment.certain_date then null
        when first_treatment.certain_date is not null then false
    end as is_met_before,
    case when score.most <= 2 then 'low' when score.least >= 3 then 'high' end as risk
from cohort.patient as patient
left join first_treatment on patient.patient_id = first_treatment.patient_id
left join meeting on patient.patient_id = meeting.patient_id
left join score on patient.patient_id = score.patient_id
where patient.is_crlm
