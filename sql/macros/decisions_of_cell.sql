-- title: The decisions that a cell of the report's tables of verdicts counts.
-- grain: decision
-- parameter: verdict := null: verdict, or its class: concordant, discordant
-- parameter: centre := null: centre_id, or its code in the report
-- parameter: guideline := 'esmo': series
-- parameter: edition := null: edition_id
-- parameter: setting := null: systemic or local
-- parameter: line := null: line of therapy
-- parameter: year := null: calendar year
-- parameter: population := 'crlm': crlm, metastatic or all
-- columns: null in a parameter means all
-- example: from mart.decisions_of_cell('contraindicated')
select
    judged.decision_id,
    judged.patient_id,
    judged.centre_id,
    judged.decision_date,
    judged.setting,
    judged.line,
    judged.treatment,
    judged.verdict,
    judged.rule_id,
    judged.reason
from mart.judged_decision as judged
where
    judged.guideline = $guideline
    and ($verdict is null or judged.verdict = $verdict or judged.verdict_class = $verdict)
    and ($centre is null or judged.centre_id = $centre or judged.centre_code = $centre)
    and ($edition is null or judged.edition_id = $edition)
    and ($setting is null or judged.setting = $setting)
    and ($line is null or judged.line = $line)
    and ($year is null or judged.year = $year)
    and mart.is_counted($population, judged.is_metastatic, judged.is_crlm)
order by judged.decision_id
