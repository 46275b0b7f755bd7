"""The language of the registry: every table and column, described once.

The DuckDB tables and their comments, the data dictionary, the validation of extracts and the synthetic registry are
derived from these models; nothing is described in a second place.
"""
