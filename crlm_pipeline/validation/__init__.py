"""Decides of every row and cell that was read whether it may enter the extract tables, and says why not."""

from crlm_pipeline.validation.corrections import CorrectionList, write_corrections
from crlm_pipeline.validation.ingest import Ingested, validate
from crlm_pipeline.validation.shares import check_evaluated, check_shares

__all__ = ["CorrectionList", "Ingested", "check_evaluated", "check_shares", "validate", "write_corrections"]
