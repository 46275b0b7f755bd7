"""A machine as docs/deploy/README.md leaves it, in a folder: its commands are run as written, its units started.

What needs root or systemd is put in its place: folders and ports of the machine become those of the test, accounts are
not made, a unit is the process of its `ExecStart`. All runs without rights where they can be given up.
"""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("/opt/crlm", "/etc/crlm", "/etc/systemd/system", "/var/lib/crlm")
PORTS = {"server": 4200, "database": 5432}
NOBODY = 65534
# By way of a shell, as what it starts itself may still use rights that were given up.
WITHOUT_RIGHTS = [
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("sh", "-c", 'exec "$@"', "sh"),
]
# What only root may do, and what is there already.
STUBS = {
    "apt-get": "exit 0",
    "useradd": "exit 0",
    "systemctl": "exit 0",
    "runuser": 'shift 3; exec "$@"',
    "install": """
for word; do
  shift
  case $word in
    -o | -g) is_owner=1 ;;
    *) [ "${is_owner:-}" ] || set -- "$@" "$word"; is_owner= ;;
  esac
done
exec /usr/bin/install "$@\"""",
}


class Machine:
    """The machine, the release to be installed on it, and the units that run."""

    def __init__(self, root: Path, *, is_installed_for_real: bool = False) -> None:
        self.root = root
        self.release = root / "release"
        self.ports = {name: _free_port() for name in PORTS}
        self.environment = {"PATH": f"{root / 'bin'}:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}
        self.units: dict[str, subprocess.Popen[bytes]] = {}
        self.python, self.as_user = _python()
        self._is_installed_for_real = is_installed_for_real
        for folder in FOLDERS:
            Path(self.placed(folder)).parent.mkdir(parents=True, exist_ok=True)
        Path(self.placed("/etc/systemd/system")).mkdir()
        self._lay_out()

    def _lay_out(self) -> None:
        self.release.mkdir()
        for name in ("docs/deploy", "crlm_pipeline", "flows", "schemas", "sql", "data"):
            shutil.copytree(ROOT / name, self.release / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("prefect.yaml", "requirements.txt", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copyfile(ROOT / name, self.release / name)
        for file in (*(self.release / "docs" / "deploy").iterdir(), self.release / "prefect.yaml"):
            file.write_text(self.placed(file.read_text(encoding="utf-8")), encoding="utf-8")
        (self.root / "bin").mkdir()
        for name, does in (*STUBS.items(), ("python3", f'exec {self.python} "$@"')):
            stub = self.root / "bin" / name
            stub.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
            stub.chmod(0o755)
        if self.as_user:
            for path in (self.root, *self.root.rglob("*")):
                os.chown(path, NOBODY, NOBODY)

    def placed(self, text: str) -> str:
        """Return a text of the documentation as it holds here."""
        for folder in FOLDERS:
            text = re.sub(rf"(?<![\w.]){re.escape(folder)}\b", f"{self.root}{folder}", text)
        for name, port in PORTS.items():
            text = text.replace(str(port), str(self.ports[name]))
        return text

    def path(self, path: str) -> Path:
        """Return where a path of the documentation is."""
        return Path(self.placed(path))

    def follow(self, *headings: str) -> None:
        """Do what stands under these headings of the README, in this order."""
        sections = _sections((self.release / "docs" / "deploy" / "README.md").read_text(encoding="utf-8"))
        for block in [block for heading in headings for block in sections[heading]]:
            for segment in _segments(block):
                self._do(segment)

    def _do(self, segment: str) -> None:
        command = segment.split()
        if command[0] == "systemctl":
            self.systemctl(*command[1:])
        elif "/pip install" in segment and not self._is_installed_for_real:
            self._link()
        else:
            self.run(segment)

    def run(self, script: str) -> str:
        """Run commands in the folder of the release; return what they wrote. Raises where one of them fails."""
        command = [*self.as_user, "sh", "-euc", script]
        ended = subprocess.run(
            command, cwd=self.release, env=self.environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{script}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def systemctl(self, verb: str, *words: str) -> None:
        """Start the services among the units, or stop those that run; every unit must be there."""
        if verb == "stop":
            assert words == ("'crlm-*'",), words
            self.close()
        for unit in (word for word in words if verb in {"enable", "start"} and not word.startswith("--")):
            assert self.path(f"/etc/systemd/system/{unit}").is_file(), unit
            if unit.endswith(".service"):
                self._start(unit)

    def _start(self, unit: str) -> None:
        settings = _unit(self.path(f"/etc/systemd/system/{unit}").read_text(encoding="utf-8"))
        (command,) = settings["ExecStart"]
        environment = self.environment | self._environment(settings.get("EnvironmentFile", []))
        for name in settings.get("UnsetEnvironment", []):
            environment.pop(name, None)
        log = (self.root / f"{unit}.log").open("ab")
        process = subprocess.Popen(
            [*self.as_user, *shlex.split(command)],
            cwd=settings["WorkingDirectory"][0],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        if settings["Type"] == ["oneshot"]:
            assert process.wait() == 0, self.log(unit)
        else:
            self.units[unit] = process
        for afterwards in settings.get("ExecStartPost", []):
            command = [*self.as_user, *shlex.split(afterwards)]
            told = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
            assert told.returncode == 0, told.stdout + told.stderr + self.log(unit)

    def _environment(self, files: list[str]) -> Mapping[str, str]:
        found = {}
        for file in files:
            path = Path(file.removeprefix("-"))
            if path.is_file() or not file.startswith("-"):
                lines = shlex.split(path.read_text(encoding="utf-8"), comments=True)
                found.update(line.split("=", 1) for line in lines)
        return found

    def _stop(self, unit: str) -> None:
        process = self.units.pop(unit, None)
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def log(self, unit: str) -> str:
        """Return what a unit has written."""
        return (self.root / f"{unit}.log").read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Stop all units, the last first."""
        for unit in reversed([*self.units]):
            self._stop(unit)

    def _link(self) -> None:
        """Let the machine's venv see the packages of this one, in place of an installation that takes minutes."""
        venv = self.path("/opt/crlm/venv")
        (packages,) = venv.glob("lib/*/site-packages")
        (packages / "crlm.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n{ROOT}\n", encoding="utf-8")
        for name in ("crlm", "prefect"):
            script = Path(sys.executable).with_name(name).read_text(encoding="utf-8")
            copy = venv / "bin" / name
            copy.write_text(f"#!{venv}/bin/python\n{script.partition(chr(10))[2]}", encoding="utf-8")
            copy.chmod(0o755)


@contextmanager
def machine(*, is_installed_for_real: bool = False) -> Iterator[Machine]:
    """Yield a machine that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="crlm-machine-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        made = Machine(Path(folder), is_installed_for_real=is_installed_for_real)
        try:
            yield made
        finally:
            made.close()


def _python() -> tuple[str, list[str]]:
    """Return a Python of this version and how to run it: without rights where it can be, else as who runs the test."""
    own = str(getattr(sys, "_base_executable", sys.executable))
    if os.geteuid() != 0:
        return own, []
    reads = (
        f"import sys, venv, ensurepip; assert sys.version_info[:2] == {sys.version_info[:2]}; "
        f"sys.path += [{sysconfig.get_paths()['purelib']!r}, {str(ROOT)!r}]; import prefect, flows.cli"
    )
    for python in (own, "/usr/bin/python3"):
        if Path(python).is_file():
            tried = subprocess.run([*WITHOUT_RIGHTS, python, "-c", reads], cwd="/", capture_output=True, check=False)
            if tried.returncode == 0:
                return python, WITHOUT_RIGHTS
    return own, []


def _sections(text: str) -> dict[str, list[str]]:
    """Return the blocks of commands by heading."""
    parts = re.split(r"^#+ (.+)$", text, flags=re.M)
    return {
        heading: re.findall(r"^```sh\n(.*?)^```$", body, flags=re.M | re.S)
        for heading, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def _segments(block: str) -> Iterator[str]:
    """Yield what is done in one shell, and by itself each command that is another's here."""
    for is_other, lines in _grouped(block.splitlines()):
        if is_other:
            yield from lines
        else:
            yield "\n".join(lines)


def _grouped(lines: list[str]) -> Iterator[tuple[bool, list[str]]]:
    for is_other, group in groupby(lines, key=lambda line: line.startswith("systemctl ") or "/pip install" in line):
        yield is_other, list(group)


def _unit(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
