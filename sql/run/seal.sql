-- Purpose: put the hash of the content on the record of the run.
-- Grain: the one run of the warehouse.
-- Parameters: $content_hash.
update audit.run
set content_hash = $content_hash
