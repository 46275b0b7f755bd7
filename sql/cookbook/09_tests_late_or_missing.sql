-- question: Which tests that ESMO asks for were late or are missing, by centre?
-- for: auditor
-- columns: centre_id, analyte, late, missing
-- means: Tests at decisions on patients with liver metastases: one patient can count at several decisions. Late: the
--   result came, but after the day it was due.
select
    centre_id,
    analyte,
    count(*) filter (where status = 'late') as late,
    count(*) filter (where status = 'missing') as missing
from mart.missing_tests()
group by centre_id, analyte
order by centre_id, analyte
