-- question: What was given although it should not have been, and which rows say so?
-- for: auditor
-- columns: decision_id, treatment, reason, file_name, source_row
-- means: One line per row that the RAS status rests on; a decision without one has a line without a file.
--   Contraindicated is a verdict on the record, not on the patient: look at the rows before anything else.
select
    verdict.decision_id,
    decision.treatment,
    verdict.reason,
    file.file_name,
    source.source_row
from cohort.verdict
inner join cohort.decision on verdict.decision_id = decision.decision_id
left join cohort.fact_source as source on verdict.decision_id = source.decision_id and source.fact = 'ras'
left join audit.source_file as file on source.source_file_id = file.source_file_id
where verdict.guideline = 'esmo' and verdict.verdict = 'contraindicated'
order by all
