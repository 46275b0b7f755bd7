-- title: The record of a patient by date, with the row each event came from.
-- grain: event
-- parameter: patient: a patient_id
-- example: from mart.timeline_of('P0000007')
select
    timeline.event_date,
    timeline.event_type,
    timeline.event,
    timeline.decision_id,
    file.file_name,
    timeline.source_row
from mart.patient_timeline as timeline
left join audit.source_file as file on timeline.source_file_id = file.source_file_id
where timeline.patient_id = $patient
order by timeline.event_date, timeline.event_type, timeline.event, timeline.source_row
