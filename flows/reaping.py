"""Flow runs whose process is gone: nobody is left to tell the server, which would show them as running for good.

The process of a run is known by what the worker put into its environment, or by the tag that a run of `crlm` carries.
Both hold on one machine: this is to be called on that of the worker, and runs of `crlm` elsewhere are left as they are.
"""

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import psutil
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Crashed

_ENVIRONMENT: Final = "PREFECT__FLOW_RUN_ID"
_UNDER_WAY: Final = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
# A worker says that a run is pending before it starts the process.
_TO_START: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine; `flow_run_id`: the run that a worker started it for, if that can be read."""

    started_at: datetime
    is_readable: bool
    flow_run_id: str | None = None


def process_tag() -> str:
    """Return the tag by which a flow run of this process is known."""
    return f"{_on_this_machine()}{psutil.Process().pid}"


def reap() -> int:
    """Mark the flow runs whose process is gone as crashed; return how many. It may be called at any time."""
    under_way = {"state": {"type": {"any_": [*_UNDER_WAY]}}}
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(under_way))
        processes = dict(_processes())
        # Asked for once more, as a run may have ended meanwhile; a process that is gone reports nothing any more.
        gone = [client.read_flow_run(run.id) for run in runs if is_gone(run, processes)]
        left = [run for run in gone if run.state_type in _UNDER_WAY]
        for run in left:
            client.set_flow_run_state(run.id, Crashed(message="The process of this run is gone."))
    return len(left)


def is_gone(run: FlowRun, processes: Mapping[int, Process]) -> bool:
    """Whether none of the processes of this machine does a run that is under way."""
    if run.deployment_id:
        return _is_gone_from_worker(run, processes)
    numbers = [tag.removeprefix(_on_this_machine()) for tag in run.tags if tag.startswith(_on_this_machine())]
    if not numbers or run.start_time is None:
        return False
    process = processes.get(int(numbers[0]))
    # A number is given again to a later process.
    return process is None or process.started_at > run.start_time


def _is_gone_from_worker(run: FlowRun, processes: Mapping[int, Process]) -> bool:
    since = run.state.timestamp if run.state else None
    if run.state_type == StateType.PENDING and since and datetime.now(tz=UTC) - since < _TO_START:
        return False
    named = processes.get(int(run.infrastructure_pid or 0))
    may_be_hidden = named is not None and not named.is_readable
    return not may_be_hidden and all(process.flow_run_id != str(run.id) for process in processes.values())


def _processes() -> Iterator[tuple[int, Process]]:
    for process in psutil.process_iter():
        try:
            started_at = datetime.fromtimestamp(process.create_time(), tz=UTC)
            yield process.pid, Process(started_at, True, process.environ().get(_ENVIRONMENT))
        except psutil.AccessDenied:
            yield process.pid, Process(started_at, is_readable=False)
        except psutil.NoSuchProcess:
            continue


def _on_this_machine() -> str:
    return f"process:{socket.gethostname()}:"
