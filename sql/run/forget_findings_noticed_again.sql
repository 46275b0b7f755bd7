-- Purpose: make room for findings that the cohort notices again, which validation had taken for resolved.
-- Grain: finding. Reads the registered frame noticed_again (finding_id).
delete from audit.finding
where finding_id in (select noticed_again.finding_id from noticed_again)
