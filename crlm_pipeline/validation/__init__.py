"""Decides of every row and cell that was read whether it may enter the extract tables, and says why not."""

from crlm_pipeline.validation.corrections import CorrectionList, write_corrections
from crlm_pipeline.validation.ingest import Ingested, Outcome, outcomes, validate
from crlm_pipeline.validation.shares import check_evaluated, check_shares

__all__ = [
    "CorrectionList",
    "Ingested",
    "Outcome",
    "check_evaluated",
    "check_shares",
    "outcomes",
    "validate",
    "write_corrections",
]
