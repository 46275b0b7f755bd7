-- question: Who is in the denominator of an indicator and did not meet it?
-- for: auditor
-- columns: member_id, centre_id, event_date, state
-- means: The members that the indicator's own statement names, so their number is that of the report: denominator
--   less numerator, and those not evaluable.
select
    member_id,
    centre_id,
    event_date,
    state
from mart.members_of_indicator('P3')
where state in ('not met', 'not evaluable')
order by centre_id, member_id
