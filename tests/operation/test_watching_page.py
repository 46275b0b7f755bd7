"""The page on watching names every kind of alert, field of the log and metric that there is, and no other."""

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import yaml

from flows.alerts import REMEDIES
from flows.configuration import Configuration
from flows.journal import AlertKind, Entry
from flows.logs import FIELDS
from flows.metrics import write_metrics
from flows.status import Waiting, status_of

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "watching.md").read_text(encoding="utf-8")


def rows_under(heading: str) -> set[str]:
    """Return what the first column of the first table after a heading names."""
    after = PAGE[PAGE.index(f"\n{heading}\n") :]
    table = re.search(r"\n\|.*\n\|[-|]+\n((?:\|.*\n)+)", after)
    assert table
    return set(re.findall(r"^\| `(\w+)`", table[1], flags=re.MULTILINE))


def test_every_kind_of_alert_is_explained_and_has_a_remedy() -> None:
    assert rows_under("## Alerts") == set(get_args(AlertKind)) == REMEDIES.keys()


def test_every_field_of_the_log_is_explained() -> None:
    assert rows_under("## The log") == {"time", "level", "message", *FIELDS}


def test_every_metric_is_explained_and_the_rules_read_no_other(published: Path, tmp_path: Path) -> None:
    status = status_of(Configuration(warehouse=published))
    entry = Entry(run_id="run", name="nightly", started_at=status.at, ended_at=status.at, outcome="published")
    write_metrics(tmp_path / "crlm.prom", replace(status, last=entry, waiting=Waiting(0, 0, 0)))
    names = set(re.findall(r"^# TYPE (\w+)", (tmp_path / "crlm.prom").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert rows_under("## Metrics") == names
    rules = (DOCS / "deploy" / "prometheus.rules.yml").read_text(encoding="utf-8")
    assert f"```yaml\n{rules}```" in PAGE
    read = [rule["expr"] for group in yaml.safe_load(rules)["groups"] for rule in group["rules"]]
    assert set(re.findall(r"crlm_\w+", " ".join(read))) <= names
