"""What `prefect.yaml` deploys: that it is whole, and what its flows do on a real, ephemeral server."""

import shutil
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from crlm_pipeline.errors import SourceError, UsageError
from crlm_pipeline.guidelines.load import shipped_knowledge
from crlm_pipeline.warehouse import Warehouse
from flows.job import Job
from flows.journal import Entry
from flows.run import run
from flows.steps import STEPS, summary
from schemas.audit import Run
from tests.servers import prefect_server

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
# A month of which the registry knows a part.
PAST = date(2020, 12, 31)


def flow_of(deployment: dict[str, Any]) -> Any:
    module, _, name = deployment["entrypoint"].rpartition(".")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: str(one["name"]))
def test_a_deployment_is_told_where_and_when_and_how_often_at_once(deployment: dict[str, Any]) -> None:
    assert deployment["work_pool"] == {"name": "crlm"}
    assert deployment["concurrency_limit"]["limit"] == 1
    assert deployment["description"]
    is_scheduled = "scheduled" in deployment["tags"]
    assert is_scheduled == bool(deployment.get("schedules"))
    assert all(schedule["timezone"] for schedule in deployment.get("schedules", ()))
    flow = flow_of(deployment)
    assert flow.name == f"crlm-{deployment['name']}"
    assert not flow.persist_result


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: str(one["name"]))
def test_a_form_says_what_each_field_is(deployment: dict[str, Any]) -> None:
    fields = flow_of(deployment).parameters.model_dump()["properties"]
    assert all(field["description"] and (field.keys() & {"type", "anyOf"}) for field in fields.values())
    assert fields.keys() >= deployment.get("parameters", {}).keys()


def test_the_form_of_a_what_if_offers_the_editions() -> None:
    from flows.deployments import what_if

    fields = what_if.parameters.model_dump()["properties"]
    assert fields["judge_by"]["enum"] == sorted(one.edition for one in shipped_knowledge().editions)
    assert {"format": "date", "type": "string"} in fields["as_of"]["anyOf"]
    assert fields["grace_days"]["anyOf"][0]["minimum"] == 0
    assert fields["side_policy"]["anyOf"][0]["enum"] == ["right", "exclude", "split"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with prefect_server(tmp_path_factory.mktemp("prefect")):
        yield


@pytest.fixture(scope="module")
def once_published(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    job = Job((registry,), folder / "crlm.duckdb", folder / "report")
    run(job, STEPS[:2])
    return job.warehouse


@pytest.fixture
def published(once_published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A published warehouse, and the settings that name it."""
    settings = tmp_path / "crlm.toml"
    settings.write_text('warehouse = "crlm.duckdb"\nreport = "report"\n[judging]\ngrace_days = 30\n', encoding="utf-8")
    monkeypatch.setenv("CRLM_CONFIG", str(settings))
    return Path(shutil.copyfile(once_published, tmp_path / "crlm.duckdb"))


@pytest.mark.usefixtures("server", "quick_report")
def test_every_decision_is_judged_anew(published: Path) -> None:
    from flows.deployments import rejudge

    rejudge()
    told = summary(published)
    assert told["decisions_judged"] == told["decisions"] > 0
    assert ((published.parent / "report") / "index.html").is_file()


@pytest.mark.usefixtures("server", "quick_report")
def test_what_is_asked_for_lies_beside_what_is_published(published: Path) -> None:
    from flows.deployments import audit_report, backfill, what_if

    before, folder = published.read_bytes(), published.parent
    audit_report()
    what_if("esmo_2016_07", side_policy="split")
    backfill(PAST, PAST)
    assert published.read_bytes() == before
    assert not (published.parent / "report").exists()
    written = {str(file.parent.relative_to(folder)) for file in folder.rglob("index.html")}
    month = next((folder / "audit-reports").iterdir()).name
    assert written == {f"audit-reports/{month}", "what-if/esmo_2016_07/report", f"backfill/{PAST}/report"}
    with Warehouse.open_readonly(folder / "what-if" / "esmo_2016_07" / "crlm.duckdb") as opened:
        asked = opened.read(Run).row(0, named=True)
    # What the form leaves open is as the server is set.
    assert (asked["judge_by"], asked["side_policy"], asked["grace_days"]) == ("esmo_2016_07", "split", 30)
    assert summary(folder / "backfill" / str(PAST) / "crlm.duckdb")["as_of"] == PAST


@pytest.mark.usefixtures("server")
def test_an_edition_that_is_not_held_leaves_nothing_behind(published: Path) -> None:
    from flows.deployments import what_if

    with pytest.raises(UsageError, match="There is no edition"):
        what_if("../elsewhere")
    assert not (published.parent / "what-if").exists()


@pytest.mark.usefixtures("server")
def test_people_are_told_when_what_runs_by_the_clock_fails(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows import deployments

    told: list[Entry] = []
    monkeypatch.setattr(deployments, "notify", lambda _, entry: told.append(entry))
    published.unlink()
    for run_by_clock in (deployments.audit_report, deployments.rejudge):
        with pytest.raises(SourceError, match="there is no such warehouse"):
            run_by_clock()
    assert [(one.name, one.outcome, one.exit_code) for one in told] == [
        ("audit report", "failed", 3),
        ("rejudge", "failed", 3),
    ]
    assert all("there is no such warehouse" in str(one.problem) for one in told)
