"""Which flow runs are taken for dead: those whose process is gone, and no other."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest

from tests.command_line import Crlm
from tests.servers import QUIET, prefect_server

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NOW = datetime.now(tz=UTC)
RUN = UUID(int=1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prefect_server(tmp_path_factory.mktemp("prefect")) as address:
        yield address


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)


def of_worker(state: str = "RUNNING", since: timedelta = timedelta(hours=1), pid: str | None = "7") -> Any:
    """Return a flow run that a worker started, as the server tells of it."""
    from prefect.client.schemas.objects import FlowRun, State, StateType

    told = State(type=StateType(state), timestamp=datetime.now(tz=UTC) - since)
    return FlowRun(
        id=RUN, flow_id=uuid4(), deployment_id=uuid4(), state=told, state_type=told.type, infrastructure_pid=pid
    )


def of_command(tags: list[str]) -> Any:
    """Return a flow run of `crlm run` that began at `NOW`."""
    from prefect.client.schemas.objects import FlowRun, StateType

    return FlowRun(id=RUN, flow_id=uuid4(), state_type=StateType.RUNNING, start_time=NOW, tags=tags)


def process(
    flow_run_id: UUID | None = None, started: timedelta = timedelta(hours=-1), *, is_readable: bool = True
) -> Any:
    from flows.reaping import Process

    return Process(NOW + started, is_readable, str(flow_run_id) if flow_run_id else None)


def test_a_run_of_the_worker_lives_while_a_process_says_so() -> None:
    from flows.reaping import is_gone

    assert is_gone(of_worker(), {})
    assert is_gone(of_worker(), {7: process(), 8: process(UUID(int=2))})
    assert not is_gone(of_worker(), {9: process(RUN)})


def test_a_process_that_may_not_be_read_may_be_the_one() -> None:
    from flows.reaping import is_gone

    hidden = process(is_readable=False)
    assert not is_gone(of_worker(), {7: hidden})
    assert is_gone(of_worker(), {8: hidden})
    assert is_gone(of_worker(pid=None), {8: hidden})


def test_a_pending_run_is_given_the_time_to_start() -> None:
    from flows.reaping import is_gone

    assert not is_gone(of_worker("PENDING", timedelta(minutes=4)), {})
    assert is_gone(of_worker("PENDING", timedelta(minutes=6)), {})
    assert is_gone(of_worker("CANCELLING", timedelta(minutes=4)), {})


def test_a_run_of_a_command_lives_while_its_process_does() -> None:
    from flows.reaping import is_gone, process_tag

    own = psutil.Process().pid
    assert not is_gone(of_command([process_tag()]), {own: process()})
    assert is_gone(of_command([process_tag()]), {})
    assert is_gone(of_command([process_tag()]), {own: process(started=timedelta(seconds=1))})


def test_what_another_machine_runs_is_left() -> None:
    from flows.reaping import is_gone

    assert not is_gone(of_command(["process:elsewhere:1"]), {})
    assert not is_gone(of_command([]), {})


@pytest.fixture
def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    return ended.pid


def test_only_the_run_of_a_dead_process_is_crashed(
    server: str, dead_pid: int, crlm: Crlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    from flows.reaping import process_tag

    @flow
    def some_flow() -> None: ...

    monkeypatch.setenv("PREFECT_API_URL", server)
    own = process_tag()
    with get_client(sync_client=True) as client:
        dead, living = (
            client.create_flow_run(some_flow, state=Running(), tags=[tag])
            for tag in (f"{own.rpartition(':')[0]}:{dead_pid}", own)
        )
        assert crlm("reap").out == "marked as crashed: 1\n"
        assert client.read_flow_run(dead.id).state_name == "Crashed"
        assert client.read_flow_run(living.id).state_name == "Running"
        assert crlm("reap").out == "marked as crashed: 0\n"


def test_without_a_server_there_is_nothing_to_ask(crlm: Crlm) -> None:
    answer = crlm("reap")
    assert answer.code == 2
    assert answer.is_one_line
    assert "PREFECT_API_URL" in answer.err
