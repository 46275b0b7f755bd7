"""A Prefect server of a test's own, with a home of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """Yield the address of a server that lasts as long as the context."""
    os.environ.update(QUIET, PREFECT_HOME=str(home))
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415  # Prefect reads its settings when it is imported
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    with prefect_test_harness(server_startup_timeout=120):
        yield str(PREFECT_API_URL.value())
