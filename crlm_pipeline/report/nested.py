"""What the report counts more than once: under several names, as several things, or as a part of something else.

A reader knows the definitions, so a number that two tables share must be hidden in both, and the difference of two
numbers of which one is part of the other is a number as well. A new indicator whose population or denominator is that
of another belongs here.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from crlm_pipeline.disclosure import Nested

_State = tuple[str, Mapping[str, str]]
_MEMBER: Final = "member of an indicator"
_CRLM: Final = {"is_metastatic": "yes", "is_crlm": "yes"}
_EVALUATED: Final = {"is_evaluated": "yes"}
_MET: Final = {"is_evaluated": "yes", "is_met": "yes"}
_UNMET: Final = {"is_evaluated": "yes", "is_met": "no"}

# Indicators of one population at the same centres, each list after the one that the others are compared with.
_POPULATIONS: Final = (
    ("P3", "P4", "P5", "P7", "P8", "P11a", "P11b", "P16a", "P16b"),  # first lines
    ("P9", "P13"),  # lines of metastatic disease
    ("P1", "P1a", "P1b"),
    ("MIPS-452-adapted", "MIPS-452", "MIPS-452-2017"),
    ("P17a", "P17b", "P15a", "P15b", "DHBA-combined", "DHBA-simultaneous", "DHBA-rescue"),  # resections
    ("P17a", "DHBA-morbidity-major", "DHBA-morbidity-minor", "DHBA-mortality-major", "DHBA-mortality-minor"),
)
# Parts, and the whole that they are parts of: indicators and their states.
_PARTS: Final[tuple[tuple[tuple[_State, ...], _State], ...]] = (
    ((("P1a", _EVALUATED), ("P1b", _EVALUATED)), ("P1", _EVALUATED)),
    ((("P1a", _MET), ("P1b", _MET)), ("P1", _MET)),
    ((("P1a", _UNMET), ("P1b", _UNMET)), ("P1", _UNMET)),
    ((("P8", {}), ("P12", {})), ("P9", {})),
    ((("P9", _UNMET),), ("P10", _EVALUATED)),
    ((("P11b", _EVALUATED),), ("P11a", _EVALUATED)),
    ((("P11a", _MET), ("P11b", _MET)), ("P11a", _EVALUATED)),
    ((("P16a", _EVALUATED),), ("P16b", _EVALUATED)),
    ((("P7", _MET),), ("P3", _MET)),
    ((("P7", _MET),), ("P4", _MET)),
    ((("P15b", _EVALUATED),), ("P15a", _EVALUATED)),
    ((("DHBA-morbidity-major", _EVALUATED),), ("P15a", _EVALUATED)),
    ((("DHBA-mortality-major", _EVALUATED),), ("P15a", _EVALUATED)),
    ((("DHBA-morbidity-major", _EVALUATED), ("DHBA-morbidity-minor", _EVALUATED)), ("P17a", {})),
    ((("DHBA-mortality-major", _EVALUATED), ("DHBA-mortality-minor", _EVALUATED)), ("P17a", {})),
    ((("DHBA-morbidity-major", _MET), ("DHBA-morbidity-minor", _MET)), ("DHBA-rescue", _EVALUATED)),
    ((("DHBA-mortality-major", _MET), ("DHBA-mortality-minor", _MET)), ("P17a", _MET)),
    ((("DHBA-rescue", _MET),), ("P17a", _MET)),
    ((("MIPS-452", _EVALUATED),), ("MIPS-452-adapted", _EVALUATED)),
    ((("MIPS-452-2017", _EVALUATED),), ("MIPS-452", _EVALUATED)),
    ((("MIPS-452-2017", _UNMET),), ("MIPS-452", _UNMET)),
)


def _cell(indicator: str, state: Mapping[str, str]) -> dict[str, str]:
    return {"indicator_id": indicator, **state}


def _nested() -> Iterator[Nested]:
    yield Nested("row", ({"table_name": "patient", "outcome": "accepted"},), "patient", {})
    yield Nested("row", ({},), "source record", {"is_mapped": "yes"}, by=())
    for everybody in ("P2", "DG27-1.1", "NCIN-resection"):
        yield Nested(_MEMBER, (_cell(everybody, {}),), "patient", {})
    yield Nested(_MEMBER, (_cell("P2", _MET),), "patient", {"analyte": "msi", "is_tested": "yes"})
    yield Nested(_MEMBER, (_cell("P14", {}),), "patient", _CRLM)
    yield Nested(_MEMBER, (_cell("P1", {}),), "patient", _CRLM, by=())
    for first, *others in _POPULATIONS:
        for other in others:
            yield Nested(_MEMBER, (_cell(other, {}),), _MEMBER, _cell(first, {}))
    for parts, (indicator, state) in _PARTS:
        yield Nested(_MEMBER, tuple(_cell(*part) for part in parts), _MEMBER, _cell(indicator, state))


NESTED: Final = tuple(_nested())
