"""Elements of FHIR resources: what stands at a path, days, references. Elements of another shape count as not there."""

import re
from typing import Any, Final

_DAY: Final = re.compile(r"^\d{4}(-\d\d(-\d\d)?)?(?=$|T)")
_HISTORY: Final = re.compile(r"/_history/.*$")


def parts(element: Any, *path: str) -> list[Any]:
    """Return everything at a path below an element, lists spread out."""
    found = _spread(element)
    for name in path:
        if not found:
            break
        found = [part for each in found if isinstance(each, dict) and name in each for part in _spread(each[name])]
    return found


def _spread(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def text(element: Any, *path: str) -> str | None:
    """Return the first text, number or boolean at a path, as text; blank text is unknown."""
    for value in parts(element, *path):
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str) and value.strip():
            return value.strip()
    return None


def day(element: Any, name: str) -> str | None:
    """Return the day of a date, a time or a period's start (`performed` for `performedDateTime`, ...) as delivered."""
    for path in ((f"{name}DateTime",), (f"{name}Period", "start"), (f"{name}Instant",), (name,)):
        if found := text(element, *path):
            return without_time(found)
    return None


def without_time(value: str | None) -> str | None:
    """Return a date without its time, as exact as it is (`2021`, `2021-03`); any other text as delivered."""
    found = _DAY.match(value) if value else None
    return found[0] if found else value


def extensions(element: Any, *names: str) -> list[Any]:
    """Return the extensions whose URL ends with one of these names."""
    return [each for each in parts(element, "extension") if (text(each, "url") or "").rsplit("/", 1)[-1] in names]


def profiles(resource: Any) -> list[str]:
    """Return the names of the profiles a resource claims, without their address."""
    return [p.split("|")[0].rsplit("/", 1)[-1] for p in parts(resource, "meta", "profile") if isinstance(p, str)]


def key(reference: str) -> str:
    """Return the last part of a reference or URL: the id of `Patient/1`, of its address, of `urn:uuid:1`."""
    address = _HISTORY.sub("", reference)
    return address.rsplit(":", 1)[-1] if address.startswith("urn:") else address.rsplit("/", 1)[-1]


def target(element: Any, *path: str) -> str | None:
    """Return the key of what an element refers to, by reference or else by identifier."""
    for reference in parts(element, *path):
        found = text(reference, "reference")
        if found or text(reference, "identifier", "value"):
            return key(found) if found else text(reference, "identifier", "value")
    return None


def contained(resource: Any, reference: str | None) -> Any:
    """Return the resource within a resource that a reference (`#1`) means, else None."""
    if reference is None or not reference.startswith("#"):
        return None
    return next((each for each in parts(resource, "contained") if text(each, "id") == reference[1:]), None)
