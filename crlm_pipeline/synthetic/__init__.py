"""A synthetic registry of any size: invented patients, realistic disease, tests and treatment."""

from crlm_pipeline.synthetic.centres import found_centres
from crlm_pipeline.synthetic.plants import PLANTS, alike, planted
from crlm_pipeline.synthetic.registry import batch_count, write_registry, write_sample

__all__ = ["PLANTS", "alike", "batch_count", "found_centres", "planted", "write_registry", "write_sample"]
