-- Purpose: the outcomes of the what-ifs of the decisions that were carried over.
-- Grain: number and edition.
select outcome.*
from before.cohort.what_if_outcome as outcome
where outcome.what_if_no in (select carried.what_if_no from cohort.what_if as carried)
