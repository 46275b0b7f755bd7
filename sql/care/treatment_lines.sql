-- The lines of systemic therapy given for metastatic disease: the drugs given in any role and the facts of the day.
-- Grain: systemic decision from the first line on. Reads `country`. Parameters: none.
with
given as (
    select
        patient_id,
        line,
        course,
        list(distinct inn) as drugs,
        list(distinct drug_class) filter (where drug_class is not null) as classes
    from cohort.exposure_role
    where line >= 1 and role != 'excluded' and inn is not null
    group by patient_id, line, course
)

select
    decision.decision_id,
    decision.patient_id,
    decision.centre_id,
    decision.line,
    decision.decision_date,
    decision.antibody_start_date,
    case when not decision.is_relative_calendar then decision.decision_date end as event_date,
    -- Whose approvals count: the FDA's, those of the European Union and the EEA, or nobody's that is held here.
    case when decision.country = 'US' then 'us' when country.is_eu_eea then 'eu' else 'other' end as region,
    coalesce(given.drugs, []) as drugs,
    coalesce(given.classes, []) as classes,
    string_split(decision.treatment, '+') as regimen,
    decision.trial_id is not null or coalesce(decision.out_of_scope_reason = 'trial', false) as is_trial,
    decision.side,
    decision.msi,
    decision.ras,
    decision.braf,
    decision.contraindications,
    decision.treatment_setting,
    decision.has_pole_variant,
    decision.prior_braf_inhibitor
from cohort.decision as decision
inner join cohort.patient as patient on decision.patient_id = patient.patient_id
left join country on decision.country = country.alpha_2
left join given
    on decision.patient_id = given.patient_id and decision.line = given.line and decision.course = given.course
where decision.setting = 'systemic' and decision.line >= 1 and not decision.is_open and patient.is_metastatic
