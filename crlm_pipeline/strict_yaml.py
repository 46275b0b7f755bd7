"""Reads YAML and refuses a key that is given twice, where YAML itself would keep the last. The only place that does."""

from typing import Any, Final, cast

import yaml

Place = tuple[str | int, ...]

_UNKNOWN: Final = frozenset({"", "~", "null", "Null", "NULL"})
_DEEPEST: Final = 20
_MOST_PLACES: Final = 100_000  # aliases of aliases can make any number of places of a few lines


class YamlError(ValueError):
    """Content that is no YAML, or gives a key twice; `line` counts from 1."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        """Keep the problem, as one line, and where it stands."""
        super().__init__(problem)
        self.line = line

    def __str__(self) -> str:
        """Return the problem, after its line."""
        return f"line {self.line}: {self.args[0]}" if self.line else str(self.args[0])


def load(content: bytes) -> Any:
    """Return the content as numbers, dates and text; raises `YamlError`."""
    try:
        return yaml.load(content, Loader=_StrictLoader)  # noqa: S506  # a safe loader that refuses repeated keys
    except yaml.YAMLError as error:
        raise _told(error) from None


def load_text(content: bytes) -> tuple[Any, dict[Place, int]]:
    """Return the content with every scalar as it is written (`007`, `no`; nothing or `~` is None), and its lines.

    The lines tell, for each path of keys and positions, where it begins. Raises `YamlError`.
    """
    lines: dict[Place, int] = {}
    try:
        node = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _told(error) from None
    except RecursionError:
        raise YamlError("nested too deep") from None
    return _text(node, (), lines), lines


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C loader where it is built
    """A safe loader that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping; raises on a repeated key."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        repeated = _repeated(keys)
        if repeated is not None:
            key_node = node.value[repeated][0]
            raise yaml.constructor.ConstructorError(None, None, _twice(keys[repeated]), key_node.start_mark)
        return cast("dict[Any, Any]", super().construct_mapping(node, deep))


def _text(node: yaml.Node | None, place: Place, lines: dict[Place, int]) -> Any:
    if node is None:
        return None
    lines.setdefault(place, node.start_mark.line + 1)
    if len(place) > _DEEPEST or len(lines) > _MOST_PLACES:
        raise YamlError("nested too deep, or too long", lines[place])
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_text(item, (*place, number), lines) for number, item in enumerate(node.value)]
    is_unknown = getattr(node, "style", None) is None and node.value in _UNKNOWN
    return None if is_unknown else node.value


def _mapping(node: yaml.MappingNode, place: Place, lines: dict[Place, int]) -> dict[str, Any]:
    keys = [str(key.value) for key, _ in node.value]
    repeated = _repeated(keys)
    if repeated is not None:
        raise YamlError(_twice(keys[repeated]), node.value[repeated][0].start_mark.line + 1)
    lines |= {(*place, key): item.start_mark.line + 1 for key, (item, _) in zip(keys, node.value, strict=True)}
    return {key: _text(value, (*place, key), lines) for key, (_, value) in zip(keys, node.value, strict=True)}


def _repeated(keys: list[Any]) -> int | None:
    """Return the position of the first key that stood before."""
    return next((number for number, key in enumerate(keys) if key in keys[:number]), None)


def _twice(key: Any) -> str:
    return f"key {key!r} given twice"


def _told(error: yaml.YAMLError) -> YamlError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    place = f" (column {mark.column + 1})" if mark else ""
    return YamlError(f"{problem}{place}", mark.line + 1 if mark else None)
