-- Purpose: the file and row that each fact of a decision rests on.
-- Grain: fact and row of the decisions named by $decision_ids.
select
    source.decision_id,
    source.fact,
    source.table_name,
    file.file_name,
    source.source_row,
    source.reason
from cohort.fact_source as source
inner join audit.source_file as file on source.source_file_id = file.source_file_id
-- Not `in (select ...)`: the view would first find the rows of every decision.
where list_contains($decision_ids, source.decision_id)
order by source.fact, file.file_name, source.source_row
