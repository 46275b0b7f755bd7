-- title: The pathway of a patient under every guideline, and what would have to be known.
-- grain: guideline
-- parameter: patient: a patient_id
-- example: from mart.pathway_of('P0000007')
select
    found.guideline,
    found.edition_id,
    edition.is_signed as is_edition_signed,
    found.basis,
    found.decision_id,
    found.pathway,
    found.certainty,
    found.treatment,
    found.missing_facts,
    found.reason
from cohort.patient_pathway as found
left join guideline.edition on found.edition_id = edition.edition_id
where found.patient_id = $patient
order by found.guideline
