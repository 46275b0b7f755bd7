-- Purpose: the options of the states of the decisions that were carried over.
-- Grain: as cohort.state_option.
select option.*
from before.cohort.state_option as option
where exists (
    select 1
    from cohort.edition_state as carried
    where carried.edition_id = option.edition_id and carried.state_no = option.state_no
)
