"""Reading: files of any known format become the eight canonical tables, as text with row numbers."""
