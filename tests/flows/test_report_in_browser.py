"""The report in a browser without a network: it draws, reads and prints, and asks nobody for anything."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crlm_pipeline.report.build import write_report
from crlm_pipeline.settings import Settings
from tests.registry_of_chance import registry

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]

pytestmark = pytest.mark.skipif(
    not CHROMIUM.is_file() and os.environ.get("CRLM_REQUIRE_BROWSER") != "1",
    reason="no browser at /usr/bin/chromium (CRLM_REQUIRE_BROWSER=1 makes this a failure)",
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with registry(patients=200, centres=2) as warehouse:
        return write_report(warehouse, tmp_path_factory.mktemp("browser") / "report", Settings()).parent


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # a machine without a browser may lack it too

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


class Visit:
    """A page opened without a network, with everything it asked for and complained of."""

    def __init__(self, browser: Any, path: Path, width: int, scheme: str = "light") -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        context = browser.new_context(
            offline=True, viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        self.page = context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())


def test_every_page_opens_offline_at_the_width_of_a_desk_and_of_a_phone(report: Path, browser: Any) -> None:
    for path in sorted(report.glob("*.html")):
        for width in (1280, 390):
            visit = Visit(browser, path, width)
            assert visit.complaints == [], path.name
            assert [url for url in visit.requests if not url.startswith("file:")] == []
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, path.name


def test_every_link_of_the_report_leads_to_a_file_of_the_report(report: Path, browser: Any) -> None:
    for path in sorted(report.glob("*.html")):
        page = Visit(browser, path, 1280).page
        targets = page.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")
        assert all((report / target.split("#")[0]).exists() for target in targets)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_page_by_day_and_by_night(scheme: str, report: Path, browser: Any) -> None:
    page = Visit(browser, report / "index.html", 1280, scheme).page
    for selector in ("body", ".lead", ".meta", "nav a"):
        assert page.locator(selector).first.evaluate(CONTRAST) >= 4.5


# The contrast ratio of WCAG 2 between an element's text and the page behind it.
CONTRAST = """
one => {
  const light = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3)
      .map(value => value / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [a, b] = [light(getComputedStyle(one).color), light(getComputedStyle(document.body).backgroundColor)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
"""
