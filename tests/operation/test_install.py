"""docs/deploy/README.md is followed, command by command, without a server; its units hold together."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.configuration import Configured
from tests.machine import FOLDERS, ROOT, Machine, machine

DEPLOY = ROOT / "docs" / "deploy"
README = (DEPLOY / "README.md").read_text(encoding="utf-8")
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
SERVICES = sorted(DEPLOY.glob("*.service"))


@pytest.fixture(scope="module")
def installed() -> Iterator[Machine]:
    with machine() as made:
        made.follow("Install", "Secrets", "Settings")
        yield made


def test_the_first_drop_is_in_the_first_report(installed: Machine) -> None:
    installed.follow("Without a server", "The first drop")
    installed.systemctl("start", "crlm-nightly.service")
    told = installed.run(installed.placed("/opt/crlm/as-crlm crlm status"))
    assert "published" in told
    assert installed.path("/var/lib/crlm/report/index.html").is_file()
    data = installed.path("/var/lib/crlm")
    of_others = {path: path.stat().st_mode & 0o007 for path in (data, *data.rglob("*"))}
    # A sender comes through these to the folder of its source, and can list neither.
    assert {of_others.pop(data), of_others.pop(data / "drops")} == {1}
    assert set(of_others.values()) == {0}


def test_an_uninstallation_leaves_the_registry(installed: Machine) -> None:
    installed.follow("Uninstall")
    assert not installed.path("/opt/crlm").exists()
    assert not installed.path("/etc/crlm").exists()
    assert not [*installed.path("/etc/systemd/system").iterdir()]
    assert installed.path("/var/lib/crlm").is_dir()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_one_that_systemd_takes(unit: Path, tmp_path: Path) -> None:
    verifier = shutil.which("systemd-analyze")
    if verifier is None:
        pytest.skip("there is no systemd-analyze on this machine")
    for one in UNITS:
        # The programs are not where the units expect them.
        text = one.read_text(encoding="utf-8").replace("/opt/crlm/venv/bin/", "/bin/true ")
        (tmp_path / one.name).write_text(text, encoding="utf-8")
    told = subprocess.run(
        [verifier, "verify", "--man=no", tmp_path / unit.name], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_page_installs_every_unit(unit: Path) -> None:
    assert re.search(rf"install -m 644 .*docs/deploy/{re.escape(unit.name)}", README)


@pytest.mark.parametrize("service", SERVICES, ids=lambda unit: unit.name)
def test_a_service_has_no_rights_that_it_does_not_need(service: Path) -> None:
    text = service.read_text(encoding="utf-8")
    for line in (
        "User=crlm",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ReadWritePaths=/var/lib/crlm",
        "ProtectHome=yes",
        "PrivateTmp=yes",
    ):
        assert f"\n{line}\n" in text
    assert re.findall(r"^ExecStart=/opt/crlm/venv/bin/(crlm|prefect) ", text, flags=re.M)
    named = set(re.findall(r"/(?:opt|etc|var)/[\w./-]+", text))
    assert all(path.startswith(FOLDERS) for path in named)


def test_its_settings_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CRLM_WAREHOUSE", "CRLM_REPORT", "CRLM_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    told = Configured.read(DEPLOY / "crlm.toml").configuration
    assert str(told.warehouse).startswith("/var/lib/crlm/")
    assert str(told.drops.zone).startswith("/var/lib/crlm/")
