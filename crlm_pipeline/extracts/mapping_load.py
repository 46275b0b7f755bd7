"""Loads a mapping file and refuses one that does not fit the extract contract, naming the line to mend.

Every scalar of the file is text, so that `01`, `no` and `9` stay what they are.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from crlm_pipeline import resources, strict_yaml
from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import limits
from crlm_pipeline.extracts.mapping import Mapping
from crlm_pipeline.extracts.mapping_fit import complaints
from crlm_pipeline.extracts.source import SourceBytes
from crlm_pipeline.extracts.tables import SourceFile
from crlm_pipeline.extracts.text import UnreadableError
from crlm_pipeline.printable import printable
from crlm_pipeline.strict_yaml import Place

_PAGE: Final = "docs/formats/mapping.md"
MAPPING_FILE: Final = "mapping"  # the format of a mapping file itself


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping and the file that holds it, which stands in `audit.source_file`: what was read depends on it."""

    mapping: Mapping
    file: SourceBytes

    def described(self) -> SourceFile:
        """Return the file as one of the run, without records."""
        return SourceFile(
            source_file_id=self.file.source_file_id,
            file_name=self.file.name,
            format=MAPPING_FILE,
            sha256=self.file.sha256,
            byte_count=len(self.file.content),
            calendar=self.mapping.calendar,
            row_count=0,
            unmapped_count=0,
        )


def load_mapping(named: Path) -> MappingFile:
    """Read a mapping file, or one that ships if only its name is given; raises `SourceError` with the line to mend."""
    path = _path(named)
    file = SourceBytes(path, printable(path.name))
    lines: dict[Place, int] = {}
    try:
        content, lines = strict_yaml.load_text(_content(file))
        mapping = Mapping.model_validate(content)
    except strict_yaml.YamlError as error:
        raise _refusal(path, f"not readable as YAML: {error.args[0]}.", error.line) from None
    except ValidationError as error:
        raise _refusal(path, *_told(error, lines)) from None
    for place, problem in complaints(mapping):
        raise _refusal(path, problem, _line(place, lines))
    return MappingFile(mapping, file)


def _path(named: Path) -> Path:
    shipped = {path.stem: path for path in resources.mapping_files()}
    if named.is_file() or named.name != str(named) or named.stem not in shipped:
        return named
    return shipped[named.stem]


def _content(file: SourceBytes) -> bytes:
    try:
        if len(file.content) > limits.MAX_MAPPING_BYTES:
            problem = f"The mapping file is larger than {limits.MAX_MAPPING_BYTES >> 20} MB."
            raise SourceError(problem, "Check that it is a mapping file.", file.name)
        return file.content
    except UnreadableError:
        shipped = ", ".join(mapping.stem for mapping in resources.mapping_files())
        raise SourceError(
            "The mapping file cannot be read.", f"Check its path, or name one that ships: {shipped}.", file.name
        ) from None


def _refusal(path: Path, problem: str, line: int | None) -> SourceError:
    return SourceError(problem, f"Mend the line; {_PAGE} tells what each key means.", path.name, line=line)


def _told(error: ValidationError, lines: dict[Place, int]) -> tuple[str, int | None]:
    """Return the first fault of shape as a sentence, and its line."""
    first = error.errors()[0]
    place = first["loc"]
    key = ".".join(map(str, place)) or "the file"
    told = {
        "extra_forbidden": f"{key}: there is no such key.",
        "missing": f"{key}: the key is missing.",
    }
    return told.get(first["type"], f"{key}: {first['msg']}."), _line(place, lines)


def _line(place: Place, lines: dict[Place, int]) -> int | None:
    """Return the line of a place, else that of the nearest part around it."""
    around = (place[:length] for length in range(len(place), -1, -1))
    return next((lines[part] for part in around if part in lines), None)
