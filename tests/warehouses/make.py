"""Write the warehouse of every earlier layout by the code that wrote it: `python make.py` in a checkout with history.

Each is published by the two deliveries beside this file, the second with `--add`, and stored compressed.
"""

import lzma
import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

HERE: Final = Path(__file__).resolve().parent

# The last commit with each layout before the next.
COMMITS: Final = {1: "3633624", 2: "3fb5320", 3: "5dc8945"}

# The report is not wanted, and what it draws with was another library then.
RUN: Final = """
import sys
from types import SimpleNamespace
sys.modules["crlm_pipeline.report.build"] = SimpleNamespace(write_report=None)
from flows.cli import main
main()
"""


def main() -> None:
    """Write every file anew."""
    for number, commit in COMMITS.items():
        with TemporaryDirectory() as folder:
            warehouse = _published(commit, Path(folder))
            (HERE / f"layout_{number}.duckdb.xz").write_bytes(lzma.compress(warehouse.read_bytes(), preset=9))


def _published(commit: str, folder: Path) -> Path:
    code, warehouse = folder / "code", folder / "crlm.duckdb"
    archived = subprocess.run(["git", "archive", commit], cwd=HERE.parents[1], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(archived)) as archive:
        archive.extractall(code, filter="data")
    environment = {**os.environ, "PYTHONPATH": str(code)}
    for ingest in (["first"], ["--add", "second", "--partial"]):
        sources = [str(HERE / word) if not word.startswith("--") else word for word in ingest]
        for command in (["ingest", *sources], ["annotate"]):
            arguments = [sys.executable, "-c", RUN, *command, "--warehouse", str(warehouse)]
            subprocess.run(arguments, cwd=folder, env=environment, check=True)
    return warehouse


if __name__ == "__main__":
    main()
