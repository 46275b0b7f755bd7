"""Guideline editions: loaded, compiled, applied to decisions, and explained."""
