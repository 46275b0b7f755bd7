"""What is installed is what was pinned: every package by its hash, listed for those who must account for it."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(
    r"^(?P<name>[\w.-]+)(?:\[[\w,-]+\])?==(?P<version>\S+) \\\n(?P<hashes>(?:    --hash=sha256:\w{64}.*\n?)+)", re.M
)


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    """Version of every package of requirements.txt by name, all of whose lines must be pins with hashes."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    found = list(PIN.finditer(text))
    assert "".join(pin[0] for pin in found) == text
    return {pin["name"]: pin["version"] for pin in found}


def test_every_package_is_pinned_by_version_and_hash(pins: dict[str, str]) -> None:
    assert {"polars", "duckdb", "pandera", "prefect", "pytest"} <= pins.keys()


def test_the_bill_of_materials_lists_every_pin_with_its_hash(pins: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "sbom.cdx.json"
    command = ["-m", "cyclonedx_py", "requirements", "requirements.txt", "--pyproject", "pyproject.toml"]
    subprocess.run(
        [sys.executable, *command, "--output-reproducible", "--output-file", str(file)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    bill = json.loads(file.read_text(encoding="utf-8"))
    assert bill["metadata"]["component"]["name"] == "crlm-pipeline"
    assert {part["name"]: part["version"] for part in bill["components"]} == pins
    assert all(part["externalReferences"][0]["hashes"] for part in bill["components"])


@pytest.mark.parametrize("is_tampered", [False, True])
def test_a_package_of_another_hash_is_not_installed(tmp_path: Path, *, is_tampered: bool) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    pinned = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if is_tampered:
        wheel.write_bytes(wheel.read_bytes() + b"\0")
    (tmp_path / "requirements.txt").write_text(f"crlm-pipeline==0.1.0 --hash=sha256:{pinned}\n")
    install = [
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--require-hashes",
        "--target",
        str(tmp_path / "site"),
    ]
    told = subprocess.run(
        [sys.executable, *install, "--find-links", str(tmp_path), "-r", str(tmp_path / "requirements.txt")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (told.returncode != 0) == is_tampered
    assert ("DO NOT MATCH THE HASHES" in told.stderr) == is_tampered
    assert (tmp_path / "site" / "crlm_pipeline").is_dir() != is_tampered
