-- Purpose: every test that the edition in force asks for at a decision, and whether its result came in time.
-- Grain: decision, edition and test.
create view cohort.required_test as
with asked as (
    select
        found.decision_id,
        found.guideline,
        found.edition_id,
        test.rule_id as test_id,
        test.analyte,
        decision.patient_id,
        (found.tests_required >> (test.position - 1)) & 1 = 1 as is_required,
        (found.tests_unknown >> (test.position - 1)) & 1 = 1 as is_unknown,
        case test.due_by
            when 'antibody_start' then coalesce(decision.antibody_start_date, decision.decision_date)
            when 'fluoropyrimidine_start'
                then coalesce(decision.fluoropyrimidine_start_date, decision.decision_date)
            else decision.decision_date
        end as due_date
    from cohort.edition_state as found
    inner join guideline.required_test as test on found.edition_id = test.edition_id
    inner join cohort.decision as decision on found.decision_id = decision.decision_id
    where not found.is_older
)

select
    asked.decision_id,
    asked.guideline,
    asked.edition_id,
    asked.test_id,
    asked.analyte,
    asked.due_date,
    known.known_date,
    case
        when asked.is_unknown then 'unknown'
        when not asked.is_required then 'not_required'
        when known.known_date is null then 'missing'
        when known.known_date <= asked.due_date then 'in_time'
        else 'late'
    end as status
from asked
left join cohort.analyte_known as known
    on asked.patient_id = known.patient_id and asked.analyte = known.analyte
