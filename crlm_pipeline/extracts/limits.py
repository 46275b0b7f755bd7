"""How much is taken of a delivery: what is larger is refused with a clear error before it can fill memory or disk.

docs/formats/limits.md tells them; a real registry stays far below.
"""

from typing import Final

MAX_FILES: Final = 100_000  # in a source folder
MAX_DEPTH: Final = 32  # folders in folders
MAX_FILE_BYTES: Final = 16 * 2**30
MAX_MAPPING_BYTES: Final = 2**20
MAX_COLUMNS: Final = 16_384  # as many as a workbook can have
MAX_CELLS: Final = 500_000_000  # rows times columns of a table
MAX_CELL_BYTES: Final = 10_000_000
MAX_WORKBOOK_BYTES: Final = 2 * 2**30  # unpacked, with all its parts
MAX_SHEET_CELLS: Final = 50_000_000  # of the rectangle around all cells: so much memory one sheet takes
MAX_UNPACKED_BYTES: Final = 32 * 2**30  # of a gzipped file
MAX_RECORD_BYTES: Final = 64 * 2**20  # of one record of XML or JSON; a real one has some kilobytes
MAX_RATIO: Final = 200  # unpacked to packed bytes, from RATIO_COUNTS_FROM on; registry XML unpacks to some 20 times
RATIO_COUNTS_FROM: Final = 2**24  # unpacked bytes; below them any ratio is harmless
