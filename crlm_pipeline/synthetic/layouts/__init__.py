"""The source formats in which a synthetic registry can be written: one module each, named as the format is."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from crlm_pipeline.synthetic.layouts import canonical, cbioportal, maf_folder, mcode, naaccr, obds, omop, spreadsheet

# Writes canonical tables (every column as text, unknown = null) into a folder, as far as the format can carry them.
Write = Callable[[Path, Mapping[str, pl.DataFrame]], None]

LAYOUTS: Final[dict[str, Write]] = {
    "canonical": canonical.write,
    "cbioportal": cbioportal.write,
    "maf_folder": maf_folder.write,
    "mcode": mcode.write,
    "omop": omop.write,
    "naaccr": naaccr.write,
    "obds": obds.write,
    "spreadsheet": spreadsheet.write,
}
