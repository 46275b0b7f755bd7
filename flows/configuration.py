"""What a server is told once: `crlm.toml` and environment variables, checked when they are read.

A variable (`CRLM_` and the setting's name; within a section as `CRLM_JUDGING__GRACE_DAYS`) wins over the file, an
option of the command line over both.
"""

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from crlm_pipeline.errors import UsageError
from crlm_pipeline.settings import Overdispersion, Settings, SidePolicy

FILE: Final = Path("crlm.toml")
NAMED_BY: Final = "CRLM_CONFIG"
PREFIX: Final = "CRLM_"
_BETWEEN: Final = "__"
_DEFAULTS: Final = Settings()


class Judging(BaseModel):
    """How decisions are judged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: date | None = Field(None, description="Day up to which facts count; none: the latest found.")
    guideline: list[str] = Field([], description="Series to judge by; none: every series that is not on request only.")
    judge_by: str | None = Field(None, description="One edition that judges every decision.")
    side_policy: SidePolicy = Field(_DEFAULTS.side_policy, description="How the transverse colon is sided.")
    grace_days: int = Field(_DEFAULTS.grace_days, ge=0, description="Days in which the older edition may count too.")
    funnel_overdispersion: Overdispersion = Field(
        _DEFAULTS.funnel_overdispersion, description="How funnel limits allow for centres that vary more than chance."
    )


class Drops(BaseModel):
    """Where deliveries arrive, and when one is complete."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: Path | None = Field(None, description="Folder with a folder for each source; none: there is no drop zone.")
    settle_seconds: int = Field(
        300, ge=0, description="A file without marker or manifest is complete when unchanged for so many seconds."
    )
    expected_days: dict[str, int] = Field(
        {}, description="Days within which a source must have delivered, by its name; an alert tells that one is late."
    )


class Watching(BaseModel):
    """Who is told what, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    log_format: Literal["text", "json"] = Field("text", description="How unattended runs write their log.")
    metrics_file: Path | None = Field(None, description="File for metrics in the text format of Prometheus.")
    notify: list[SecretStr] = Field(
        [], description="Apprise addresses that alerts go to. Secret: in the variable alone, never in the file."
    )
    notify_file: Path | None = Field(None, description="File with Apprise addresses, one on a line; its owner's alone.")
    rejected_share: float = Field(0.05, ge=0, le=1, description="Share of rejected rows or cells that is an alert.")


class Keeping(BaseModel):
    """What is kept, and how long."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backups: Path | None = Field(None, description="Folder for a copy of each published warehouse; none: no copies.")
    warehouses: int = Field(7, ge=1, description="How many copies of the warehouse are kept.")
    raw_days: int | None = Field(
        None,
        ge=1,
        description="Days for which rejected and replaced rows and drops that were put away are kept; none: for good.",
    )
    journal_days: int = Field(400, ge=1, description="Days for which the record of unattended runs is kept.")


class Configuration(BaseSettings):
    """Everything that a server may be told; a relative path of the file counts from the file's folder."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter=_BETWEEN, extra="forbid", frozen=True)

    warehouse: Path = Field(Path("crlm.duckdb"), description="The DuckDB file.")
    report: Path = Field(Path("report"), description="The folder of the report.")
    lake: Path | None = Field(None, description="Folder for the rows of patients as Parquet; none: the warehouse.")
    scheduler: str | None = Field(None, description="Address of the Dask scheduler that judges the lake; none: here.")
    mapping: list[str] = Field([], description="Mapping files, or the names of those that ship.")
    pseudonym_key: Path | None = Field(None, description="File with the key that makes pseudonyms of ids.")
    judging: Judging = Judging()
    drops: Drops = Drops()
    watching: Watching = Watching()
    keeping: Keeping = Keeping()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment, then what the file said (`init_settings`); no other place."""
        return env_settings, init_settings


SECTIONS: Final = tuple(
    name for name, field in Configuration.model_fields.items() if isinstance(field.default, BaseModel)
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that holds: its name (within a section `section.name`), its meaning, its value, where that is from."""

    name: str
    meaning: str
    value: Any
    origin: str

    @property
    def is_secret(self) -> bool:
        """Whether the value may be shown to nobody."""
        return isinstance(self.value, list) and any(isinstance(one, SecretStr) for one in self.value)


DEFAULT: Final = "default"
# Sections of which no command has an option.
_WITHOUT_OPTIONS: Final = ("drops", "keeping")


@dataclass(frozen=True, slots=True)
class Configured:
    """A configuration, the file that it was read from, if there is one, and the text of that file."""

    configuration: Configuration
    file: Path | None = None
    text: str = ""

    @classmethod
    def read(cls, named: Path | None = None) -> Self:
        """Read the file that is named, else that of `CRLM_CONFIG`, else `crlm.toml` here if there is one.

        Raises `UsageError` with file and line, or the variable, for what can be no setting.
        """
        variable = os.environ.get(NAMED_BY)
        file = named or (Path(variable) if variable else FILE if FILE.is_file() else None)
        text = _text(file) if file else ""
        try:
            told = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{file}: is not TOML: {error}.") from None
        try:
            configured = cls(Configuration(**told), file, text)
        except ValidationError as error:
            raise UsageError(cls(Configuration.model_construct(), file, text)._refusal(error)) from None
        for setting in configured.settings():
            if setting.is_secret and setting.origin not in {DEFAULT, _variable(setting.name)}:
                raise UsageError(f"{setting.origin}: {setting.name} is secret. Say it in {_variable(setting.name)}.")
        return configured

    def settings(self) -> Iterator[Setting]:
        """Yield every setting in the order of its declaration."""
        whole = self.configuration
        sections = [(getattr(whole, name), f"{name}.") for name in SECTIONS]
        for model, section in ((whole, ""), *sections):
            for name, field in type(model).model_fields.items():
                value = getattr(model, name)
                if not isinstance(value, BaseModel):
                    full = f"{section}{name}"
                    yield Setting(full, str(field.description), self._from_here(value, full), self._origin(full))

    def resolved(self) -> Configuration:
        """Return the configuration with every path as it is to be opened."""
        found = {setting.name: setting.value for setting in self.settings()}
        sections = {
            name: model.model_copy(update={key: found[f"{name}.{key}"] for key in type(model).model_fields})
            for name in SECTIONS
            for model in [getattr(self.configuration, name)]
        }
        bare = {name: value for name, value in found.items() if "." not in name}
        return self.configuration.model_copy(update=bare | sections)

    def told(self) -> dict[str, str | list[str]]:
        """Return by its bare name what is told of the settings that commands have an option for, as that takes it."""
        return {
            setting.name.rpartition(".")[2]: setting.value if isinstance(setting.value, list) else str(setting.value)
            for setting in self.settings()
            if setting.origin != DEFAULT
            and setting.value is not None
            and not setting.is_secret
            and setting.name.partition(".")[0] not in _WITHOUT_OPTIONS
        }

    def _from_here(self, value: Any, name: str) -> Any:
        is_in_file = self.file and isinstance(value, Path) and self._origin(name) == self._place(name)
        return self.file.parent / value if self.file and is_in_file else value

    def _origin(self, name: str) -> str:
        variable = _variable(name)
        return variable if variable in os.environ else self._place(name) or DEFAULT

    def _place(self, name: str) -> str | None:
        """Return file and line of a setting, or of its section where it stands on no line of its own."""
        section, _, key = name.rpartition(".")
        at_section, now = None, ""
        for number, line in enumerate(self.text.splitlines(), start=1):
            if header := re.match(r"\s*\[\s*([\w.]+)\s*\]", line):
                now = header[1]
                at_section = number if now == (section or key) else at_section
            elif now == section and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
                return f"{self.file}, line {number}"
        return f"{self.file}, line {at_section}" if at_section and not section else None

    def _refusal(self, error: ValidationError) -> str:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"][:2] if isinstance(part, str))
        if first["type"] == "extra_forbidden":
            return f"{self._origin(name)}: {name} is no setting. `crlm config template` lists them."
        return f"{self._origin(name)}: {name}: {first['msg'].lower()}."


def template() -> str:
    """Return a `crlm.toml` with every setting at its default, explained and commented out."""
    lines: list[str] = []
    for setting in Configured(Configuration.model_construct()).settings():
        section, _, name = setting.name.rpartition(".")
        if section and f"[{section}]" not in lines:
            lines += ["", f"[{section}]"]
        lines += [f"# {setting.meaning}", f"# {name} = {as_toml(setting.value)}".rstrip()]
    return "\n".join(lines)


def as_toml(value: Any) -> str:
    """Return a value as the file writes it; nothing for none."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name} = {as_toml(one)}' for name, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    if value is None:
        return ""
    return str(value) if isinstance(value, (int, float, date)) else f'"{value}"'


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{file}: cannot be read ({reason}).") from None


def _variable(name: str) -> str:
    return PREFIX + name.replace(".", _BETWEEN).upper()
