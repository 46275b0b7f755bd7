-- Purpose: the files all of whose patients are touched.
-- Grain: file and table. Reads the frame read_again (source_file_id, table_name).
select
    source_file_id,
    table_name
from read_again
order by source_file_id, table_name
