-- Purpose: say on the record of the run by what it judged, and how many decisions it judged anew.
-- Grain: the one run of the warehouse.
-- Parameters: $judgement_key, $decisions_judged.
update audit.run
set
    judgement_key = $judgement_key,
    decisions_judged = $decisions_judged
