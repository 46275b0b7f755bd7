"""Every statement of the clinical knowledge base is a rule of an edition, or says why it cannot be one."""

from crlm_pipeline.guidelines.coverage import coverage
from crlm_pipeline.guidelines.load import load_editions


def test_every_statement_is_carried_or_has_a_reason() -> None:
    lacking = [each.clinical_id for each in coverage(load_editions()) if not each.is_covered]
    assert lacking == []
