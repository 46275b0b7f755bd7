"""The drop zone: a folder for each source, in which deliveries arrive; what is done with is moved out of the way.

A drop is a file or a folder directly in a source's folder. What becomes of it is where it lies afterwards:
`ZONE/_processed/<run_id>/<source>/NAME`, and so `_rejected` and `_quarantined`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROCESSED: Final = "_processed"
REJECTED: Final = "_rejected"
QUARANTINED: Final = "_quarantined"


@dataclass(frozen=True, slots=True)
class Drop:
    """A delivery that lies in the zone: the source that it is from, and the file or folder."""

    source: str
    path: Path
