-- Purpose: findings of the last published run that validation took for resolved and the cohort notices again.
-- Grain: finding. Reads the registered frame noticed_again (finding_id).
select finding.finding_id
from audit.finding
inner join noticed_again on finding.finding_id = noticed_again.finding_id
order by finding.finding_id
