"""The JSON Schema of edition files, so that an editor completes and checks them while they are written."""

from typing import Any

from crlm_pipeline.guidelines.model import UNKNOWN, Edition, fact_columns
from schemas.column import Column

_RANGE: dict[str, Any] = {
    "type": "object",
    "properties": {bound: {"type": "number"} for bound in ("gt", "gte", "lt", "lte")},
    "additionalProperties": False,
    "minProperties": 1,
}


def edition_schema() -> dict[str, Any]:
    """Return the schema: the models of an edition, with the facts that a condition may name and their values."""
    schema = Edition.model_json_schema(by_alias=True)
    reference = {"$ref": "#/$defs/Conditions"}
    for definition in schema["$defs"].values():
        for name, declared in definition.get("properties", {}).items():
            if name in ("when", "known", "unless"):
                definition["properties"][name] = reference
            elif name == "any":
                declared["items"] = reference
    schema["$defs"]["Conditions"] = {
        "type": "object",
        "properties": {name: _test(column) for name, column in fact_columns().items()},
        "additionalProperties": False,
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Guideline edition", **schema}


def _test(column: Column) -> dict[str, Any]:
    value: dict[str, Any]
    if column.values is not None:
        value = {"enum": [*column.values, UNKNOWN]}
    elif str(column.dtype) == "Boolean":
        value = {"enum": [True, False, UNKNOWN]}
    else:
        value = {"type": "number"}
    ranges = [_RANGE] if column.dtype.is_numeric() else []
    return {"description": column.sentence, "anyOf": [value, {"type": "array", "items": value}, *ranges]}
