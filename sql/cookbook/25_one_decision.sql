-- question: What does one decision rest on?
-- for: auditor
-- columns: fact, value, table_name, source_file_id, file_name, source_row, reason
-- means: Each known fact, its value that day, and the rows behind it. Facts without a row are those that say what was
--   not there (no line before, no contraindication) or that name the decision. `crlm explain` says which rule
--   followed from them.
from mart.lineage_of_decision('P0000221/systemic/1')
