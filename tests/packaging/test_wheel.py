"""The wheel and the source distribution hold what is needed, and nothing else."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Loads everything that ships as text, from wherever the packages are found first.
LOADS = """
import crlm_pipeline
from pathlib import Path
from crlm_pipeline import resources
from crlm_pipeline.guidelines.load import load_editions

folder = Path(crlm_pipeline.__file__).parent
print(folder)
statements = sorted(str(p.relative_to(folder / "sql").with_suffix("")) for p in (folder / "sql").rglob("*.sql"))
print(len(statements), sum(bool(resources.sql(name)) for name in statements))
print(len(load_editions().editions), len(resources.reference("drugs")) > 0)
print(len(list(resources.example_folder().glob("*.csv"))), resources.template_folder().is_dir())
"""


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the source distribution, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel_names(distributions: tuple[Path, Path]) -> set[str]:
    with zipfile.ZipFile(distributions[0]) as wheel:
        return set(wheel.namelist())


@pytest.fixture(scope="module")
def sdist_names(distributions: tuple[Path, Path]) -> set[str]:
    with tarfile.open(distributions[1]) as sdist:
        return {name.partition("/")[2] for name in sdist.getnames()}


def test_the_wheel_has_three_packages_and_nothing_beside_them(wheel_names: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"crlm_pipeline", "schemas", "flows"}


def test_the_wheel_holds_code_and_text_only(wheel_names: set[str]) -> None:
    packaged = {name for name in wheel_names if ".dist-info/" not in name}
    allowed = {".py", ".sql", ".yaml", ".csv", ".html", ".css", ".js", ".svg", ".md", ".typed", ".jinja"}
    assert {Path(name).suffix for name in packaged} <= allowed


def test_the_wheel_holds_every_statement_edition_mapping_and_reference_table(wheel_names: set[str]) -> None:
    kinds = {"sql": "*.sql", "data/guidelines": "*.yaml", "data/reference": "*.csv", "data/mappings": "*.yaml"}
    for kind, pattern in kinds.items():
        expected = {f"crlm_pipeline/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / kind).rglob(pattern)}
        assert expected
        assert expected <= wheel_names


def test_of_the_data_folder_only_knowledge_and_the_example_are_distributed(
    wheel_names: set[str], sdist_names: set[str]
) -> None:
    allowed = ("data/guidelines/", "data/reference/", "data/mappings/", "data/example/")
    for name in wheel_names:
        if "/data/" in name:
            assert name.removeprefix("crlm_pipeline/").startswith(allowed), name
    for name in sdist_names:
        if name.startswith("data/"):
            assert name.startswith(allowed) or name == "data/README.md", name


def test_the_source_distribution_holds_what_its_allow_list_says(sdist_names: set[str]) -> None:
    tops = {name.split("/")[0] for name in sdist_names}
    assert tops <= {
        "crlm_pipeline",
        "schemas",
        "flows",
        "sql",
        "tests",
        "docs",
        "bench",
        "notebooks",
        "mkdocs.yml",
        "prefect.yaml",
        "data",
        "Makefile",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "requirements.txt",
        "pyproject.toml",
        "PKG-INFO",
        ".gitignore",
        "",
    }
    assert {"Makefile", "README.md", "CHANGELOG.md", "LICENSE"} <= tops


def test_an_installed_wheel_finds_its_statements_editions_and_example(
    distributions: tuple[Path, Path], tmp_path: Path
) -> None:
    target = tmp_path / "installed"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([sys.executable, *install, str(distributions[0])], check=True, capture_output=True)
    environment = {"PYTHONPATH": str(target), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", LOADS], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    place, statements, editions, example = done.stdout.splitlines()
    count = len(list((ROOT / "sql").rglob("*.sql")))
    assert place == str(target / "crlm_pipeline")
    assert statements == f"{count} {count}"
    assert editions == f"{len(list((ROOT / 'data/guidelines').glob('*.yaml')))} True"
    assert example == "8 True"
