"""A Prefect server of a test's own, with a home of its own."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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

    with ExitStack() as stack:
        home.mkdir(exist_ok=True)
        # The harness leaves a folder behind: in its home, and not among the temporary files of the test.
        of_test, tempfile.tempdir = tempfile.tempdir, str(home)
        stack.enter_context(prefect_test_harness(server_startup_timeout=120))
        tempfile.tempdir = of_test
        yield str(PREFECT_API_URL.value())
