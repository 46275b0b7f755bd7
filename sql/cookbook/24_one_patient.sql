-- question: What happened to one patient, in order, and where is it written?
-- for: auditor
-- columns: event_date, event_type, event, decision_id, file_name, source_row
-- means: Every dated event with its file and row; decisions carry their id instead, to be used in the next question.
from mart.timeline_of('P0000221')
