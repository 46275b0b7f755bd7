-- Files that the run read, by name, format and hash; no counts.
-- Grain: file. Parameters: none.
select
    file_name,
    format,
    calendar,
    sha256
from audit.source_file
order by file_name
