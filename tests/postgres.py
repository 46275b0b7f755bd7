"""A PostgreSQL of a test's own, from the programs that are installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "of-the-superuser"  # noqa: S105  # of a database that lives as long as a test


def programs() -> Path:
    """Return the folder of its programs; skips where there are none, fails where `CRLM_REQUIRE_POSTGRES` is set."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if found or on_path:
        return found[-1].parent if found else Path(str(on_path)).parent
    if os.environ.get("CRLM_REQUIRE_POSTGRES"):
        pytest.fail("there is no PostgreSQL: apt-get install postgresql")
    pytest.skip("there is no PostgreSQL on this machine")


@contextmanager
def postgres(port: int, as_user: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Yield the environment in which its programs reach a new cluster as its superuser. `as_user`: who runs it."""
    folder = programs()
    with tempfile.TemporaryDirectory(prefix="crlm-postgres-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o777)
        data = f"{name}/data"
        given = {"PATH": f"{folder}:/usr/bin:/bin", "LANG": "C.UTF-8"}
        environment = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "postgres", "PGPASSWORD": PASSWORD}
        password = Path(name, "password")
        password.write_text(PASSWORD, encoding="utf-8")
        password.chmod(0o644)

        def do(*command: str) -> None:
            subprocess.run([*as_user, *command], cwd=name, env=given, check=True, capture_output=True)

        do("initdb", "--no-sync", "--auth=scram-sha-256", f"--pwfile={password}", "--username=postgres", "-D", data)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={name} -c fsync=off"
        do("pg_ctl", "-D", data, "-o", options, "-l", f"{name}/log", "-w", "start")
        try:
            yield {"PATH": str(folder), **environment}
        finally:
            do("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
