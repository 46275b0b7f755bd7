"""Treatment patterns: `folfox | folfiri + anti_egfr` means (folfox or folfiri) and one anti-EGFR antibody.

`|` binds tighter than `+`. A systemic pattern expands to the finite set of regimen keys that meet it; a local pattern
to sets of procedures. Names come from `data/reference/drugs.csv` (substances and classes) and `regimens.csv`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import product

from crlm_pipeline import resources
from crlm_pipeline.errors import KnowledgeError
from schemas import vocabulary as v

NOTHING = "none"
SYSTEMIC = "systemic"
LOCAL_TOKENS = frozenset((*v.PROCEDURE, SYSTEMIC))

Tokens = frozenset[str]


@cache
def classes() -> dict[str, frozenset[str]]:
    """Return the substances of each drug class."""
    members: dict[str, set[str]] = {}
    for row in resources.reference("drugs"):
        members.setdefault(row["drug_class"], set()).add(row["inn"])
    return {name: frozenset(inns) for name, inns in members.items()}


@cache
def targeted_drugs() -> frozenset[str]:
    """Return the substances that a label names as targeted (antibodies and inhibitors, not cytotoxics)."""
    return frozenset(row["inn"] for row in resources.reference("drugs") if row["is_targeted"] == "true")


@cache
def _groups() -> dict[str, str]:
    return {row["name"]: row["pattern"] for row in resources.reference("regimens")}


@cache
def _substances() -> frozenset[str]:
    return frozenset(row["inn"] for row in resources.reference("drugs"))


def key(tokens: Iterable[str]) -> str:
    """Return the regimen key, or the set of procedures, as text: sorted tokens joined by +."""
    return "+".join(sorted(tokens))


def tokens(treatment: str | None) -> Tokens:
    """Return the tokens of a regimen key or set of procedures; nothing given is the empty set."""
    return frozenset(treatment.split("+")) if treatment else frozenset()


@cache
def expand(pattern: str) -> frozenset[Tokens]:
    """Return every set of tokens that meets the pattern exactly.

    Raises `KnowledgeError` for a name that is no substance, class, regimen, group or procedure.
    """
    if pattern.strip() == NOTHING:
        return frozenset([frozenset()])
    parts = [_alternatives(part) for part in _split_top(pattern, "+")]
    return frozenset(frozenset().union(*chosen) for chosen in product(*parts))


def _split_top(pattern: str, separator: str) -> list[str]:
    return [part.strip() for part in pattern.split(separator)]


def _expand_name(name: str) -> frozenset[Tokens]:
    if name in _substances() or name in LOCAL_TOKENS:
        # `oxaliplatin` and `irinotecan` name a substance and a class with that one member: the same set.
        return frozenset([frozenset([name])])
    if name in classes():
        return frozenset(frozenset([inn]) for inn in classes()[name])
    if name in _groups():
        return expand_alternatives(_groups()[name])
    raise KnowledgeError(f"{name!r} is no substance, class, regimen, group or procedure; add it to data/reference.")


def expand_alternatives(pattern: str) -> frozenset[Tokens]:
    """Return the sets that meet a group of `regimens.csv`, where `|` separates whole regimens."""
    return frozenset().union(*(expand(alternative) for alternative in _split_top(pattern, "|")))


@dataclass(frozen=True, slots=True)
class Containment:
    """A question to a treatment: one alternative of each part wholly contained, and no excluded drug."""

    parts: tuple[frozenset[Tokens], ...]
    excluded: Tokens

    def holds(self, treatment: Tokens) -> bool:
        """Whether the treatment contains each part and none of the excluded drugs."""
        return not treatment & self.excluded and all(
            any(wanted <= treatment for wanted in alternatives) for alternatives in self.parts
        )


@cache
def containment(pattern: str) -> Containment:
    """Read a `given` or `not_recommended` pattern such as `anti_egfr - kras_g12c_inhibitor`."""
    included, *excluded = [side.strip() for side in pattern.split(" - ")]
    excluded_sets = (wanted for side in excluded for part in _split_top(side, "+") for wanted in _alternatives(part))
    return Containment(
        parts=tuple(_alternatives(part) for part in _split_top(included, "+")),
        excluded=frozenset().union(*excluded_sets),
    )


def _alternatives(part: str) -> frozenset[Tokens]:
    return frozenset().union(*(_expand_name(name.strip()) for name in part.split("|")))


def meets_local(option: str, treatment: Tokens) -> bool:
    """Whether a set of procedures contains every procedure of one alternative of the option; more do not unmake it."""
    return any(wanted <= treatment and (bool(wanted) or not treatment) for wanted in expand(option))
