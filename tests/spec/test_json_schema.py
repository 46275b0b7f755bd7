"""The published JSON Schema accepts every edition and refuses what the loader refuses."""

import json
from typing import Any

import jsonschema
import pytest
import yaml

from crlm_pipeline import resources
from crlm_pipeline.guidelines.json_schema import edition_schema

SCHEMA = edition_schema()
FILES = resources.edition_files()


def as_json(path: Any) -> Any:
    return json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_edition_is_valid(path: Any) -> None:
    jsonschema.validate(as_json(path), SCHEMA)


@pytest.mark.parametrize(
    ("field", "value"),
    [("when", {"ras": "mutated"}), ("when", {"colour": "red"}), ("note", 3), ("surprise", "x")],
)
def test_an_unknown_value_fact_or_field_is_refused(field: str, value: Any) -> None:
    content = as_json(FILES[0])
    content["ladder"][0][field] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, SCHEMA)
