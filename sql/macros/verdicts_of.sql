-- title: Every verdict on a decision, or on all decisions of a patient.
-- grain: decision and guideline, by date
-- parameter: id: a decision_id or a patient_id
-- example: from mart.verdicts_of('P0000007')
select
    judged.decision_id,
    judged.decision_date,
    judged.setting,
    judged.line,
    judged.treatment,
    judged.guideline,
    judged.edition_id,
    judged.verdict,
    judged.rule_id,
    judged.reason,
    judged.missing_facts,
    judged.would_be,
    judged.is_within_grace,
    judged.is_edition_signed
from mart.judged_decision as judged
where judged.decision_id = $id or judged.patient_id = $id
order by judged.decision_date, judged.decision_id, judged.guideline
