"""The engine: plain functions from registry extracts to judged decisions and safe reports."""
