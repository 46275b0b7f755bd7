-- Purpose: every decision with its facts and its verdict under each series, so that one row answers most questions.
-- Grain: decision and guideline. Parameters: none.
create view mart.judged_decision as
select
    decision.*,
    (case when not decision.is_relative_calendar then year(decision.decision_date) end)::integer as year,
    report_key.code as centre_code,
    patient.is_metastatic,
    patient.is_crlm,
    verdict.guideline,
    verdict.edition_id,
    edition.is_signed as is_edition_signed,
    verdict.verdict,
    case
        when starts_with(verdict.verdict, 'concordant') then 'concordant'
        when starts_with(verdict.verdict, 'discordant') then 'discordant'
        else verdict.verdict
    end as verdict_class,
    verdict_class in ('concordant', 'discordant', 'contraindicated') as is_evaluable,
    case when verdict_class in ('concordant', 'discordant', 'contraindicated') then verdict_class = 'concordant' end
        as is_concordant,
    verdict.rule_id,
    rule.title as rule_title,
    rule.pathway,
    verdict.reason,
    verdict.missing_facts,
    verdict.unlocking_facts,
    verdict.would_be,
    verdict.is_within_grace,
    verdict.is_edition_superseded
from cohort.verdict
inner join cohort.decision on verdict.decision_id = decision.decision_id
inner join cohort.patient on decision.patient_id = patient.patient_id
inner join audit.report_key on decision.centre_id = report_key.centre_id
left join guideline.edition on verdict.edition_id = edition.edition_id
left join guideline.rule on verdict.edition_id = rule.edition_id and verdict.rule_id = rule.rule_id
