"""A synthetic registry of any size: invented patients, realistic disease, tests and treatment."""

from crlm_pipeline.synthetic.registry import write_registry, write_sample

__all__ = ["write_registry", "write_sample"]
