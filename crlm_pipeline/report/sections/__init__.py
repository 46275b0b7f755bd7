"""The sections of a page in reading order; a new one is one function in a module here and one line in `build`."""
