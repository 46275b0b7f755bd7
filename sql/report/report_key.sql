-- Centres and their codes in the report.
-- Grain: centre. Parameters: none.
select
    centre_id,
    code
from audit.report_key
order by code
