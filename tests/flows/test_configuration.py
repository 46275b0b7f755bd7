"""`crlm.toml` and the environment: what they say holds for every command, and what is wrong names its line."""

import re
from pathlib import Path

import pytest

from crlm_pipeline.errors import UsageError
from flows.configuration import Configured, template
from flows.job import Job
from tests.command_line import Crlm

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def wrote(text: str, name: str = "crlm.toml") -> Path:
    file = Path(name)
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text(text)
    return file


def origins(configured: Configured) -> dict[str, tuple[object, str]]:
    return {one.name: (one.value, one.origin) for one in configured.settings()}


def test_without_a_file_and_variables_the_defaults_hold() -> None:
    found = Configured.read()
    assert found.told() == {}
    assert {origin for _, origin in origins(found).values()} == {"default"}


def test_a_variable_wins_over_the_file_and_each_setting_says_where_it_is_from(monkeypatch: pytest.MonkeyPatch) -> None:
    wrote('warehouse = "a.duckdb"\n\n[judging]\nguideline = ["esmo", "fda"]\ngrace_days = 30\n')
    monkeypatch.setenv("CRLM_JUDGING__GRACE_DAYS", "60")
    found = Configured.read()
    assert origins(found)["warehouse"] == (Path("a.duckdb"), "crlm.toml, line 1")
    assert origins(found)["judging.guideline"] == (["esmo", "fda"], "crlm.toml, line 4")
    assert origins(found)["judging.grace_days"] == (60, "CRLM_JUDGING__GRACE_DAYS")
    assert found.told() == {"warehouse": "a.duckdb", "guideline": ["esmo", "fda"], "grace_days": "60"}


def test_a_path_counts_from_the_folder_of_the_file_but_not_one_of_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    file = wrote('warehouse = "a.duckdb"\nreport = "/srv/report"\nlake = "lake"\n', "etc/crlm.toml")
    monkeypatch.setenv("CRLM_LAKE", "here")
    monkeypatch.setenv("CRLM_CONFIG", str(file))
    assert Configured.read().told() == {"warehouse": "etc/a.duckdb", "report": "/srv/report", "lake": "here"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("warehouse = 'a'\ngrace = 3\n", "crlm.toml, line 2: grace is no setting."),
        ("\n[judging]\ngrace_days = -1\n", "crlm.toml, line 3: judging.grace_days: input should be greater"),
        ("[judging]\nside_policy = 'left'\n", "crlm.toml, line 2: judging.side_policy: input should be 'right'"),
        ("[judging]\nas_of = 'soon'\n", "crlm.toml, line 2: judging.as_of: input should be a valid date"),
        ("[judging]\nmapping = []\n", "crlm.toml, line 2: judging.mapping is no setting."),
        ("[waking]\nx = 1\n", "crlm.toml, line 1: waking is no setting."),
        ("[watching]\nx = 1\n", "crlm.toml, line 2: watching.x is no setting."),
        ("[watching]\nnotify = ['mailto://x']\n", "crlm.toml, line 2: watching.notify is secret. Say it in CRLM_WATCH"),
        ("warehouse = \n", "crlm.toml: is not TOML: Invalid value (at line 1"),
    ],
)
def test_what_can_be_no_setting_is_refused_with_its_line(text: str, told: str) -> None:
    wrote(text)
    with pytest.raises(UsageError) as refused:
        Configured.read()
    assert str(refused.value).startswith(told)


def test_a_wrong_variable_and_a_file_that_is_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml: cannot be read"):
        Configured.read(Path("nowhere.toml"))
    monkeypatch.setenv("CRLM_JUDGING__GRACE_DAYS", "many")
    with pytest.raises(UsageError, match=r"^CRLM_JUDGING__GRACE_DAYS: judging\.grace_days: input should be"):
        Configured.read()


def test_a_secret_is_masked_and_its_variable_named(crlm: Crlm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRLM_WATCHING__NOTIFY", '["json://user:hush@localhost"]')
    shown = crlm("config", "show").out
    assert "hush" not in shown
    assert re.search(r"watching\.notify +\[\"\*+\"\] +CRLM_WATCHING__NOTIFY", shown)


def test_the_template_is_a_file_in_which_every_setting_can_be_switched_on() -> None:
    wrote(template())
    defaults = Configured.read()
    assert defaults.told() == {}
    lines = [line.removeprefix("# ") for line in template().splitlines() if " = " in line or line.startswith("[")]
    wrote("\n".join(lines))
    switched_on = Configured.read()
    assert [one.value for one in switched_on.settings()] == [one.value for one in defaults.settings()]
    assert origins(switched_on)["report"] == (Path("report"), "crlm.toml, line 2")
    assert template() in (DOCS / "configuration.md").read_text(encoding="utf-8")


def test_the_commands_take_what_is_told_and_an_option_wins(
    crlm: Crlm, monkeypatch: pytest.MonkeyPatch, registry: Path
) -> None:
    jobs: list[Job] = []
    monkeypatch.setattr("flows.cli._perform", lambda job, *_: jobs.append(job))
    monkeypatch.setattr("flows.console.show_summary", lambda *_, **__: None)
    file = wrote(
        'warehouse = "w.duckdb"\nlake = "lake"\n[judging]\ngrace_days = 30\nas_of = 2024-01-01\n', "etc/x.toml"
    )
    assert crlm("--config", file, "run", registry, "--grace-days", 10, "--guideline", "esmo").code == 0
    assert crlm("--config", file, "annotate").code == 0
    run, annotate = jobs
    assert run.warehouse == annotate.warehouse == Path("etc/w.duckdb")
    assert run.lake == Path("etc/lake")
    assert (run.settings.grace_days, annotate.settings.grace_days) == (10, 30)
    assert str(run.settings.as_of) == "2024-01-01"
    assert run.settings.guidelines == ("esmo",)


def test_show_tells_what_holds_and_a_mistake_ends_with_two(crlm: Crlm) -> None:
    wrote('warehouse = "a.duckdb"\n')
    answer = crlm("config", "show")
    assert answer.code == 0
    assert '"a.duckdb"' in answer.out
    assert "crlm.toml, line 1" in answer.out
    wrote("warehuose = 1\n")
    answer = crlm("run", "source")
    assert answer.code == 2
    assert answer.is_one_line
    assert "crlm.toml, line 1: warehuose is no setting" in answer.err
