"""Benchmarks: what the pipeline costs beside reading the same data and beside other engines, as ratios of one run.

`python -m bench --help` explains. Seconds belong to the machine that took them; compare ratios only.
"""
