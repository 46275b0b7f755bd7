"""The documentation site is built without a network, every link leads somewhere, and reading it asks for nothing."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.analyst.conftest import DOCS, ROOT

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
FETCHED = r"url\(['\"]?(?:https?:)?//[^)]*|@import[^;]*"
LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src"}


class Read(HTMLParser):
    """What a page links to, what it loads, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.anchors |= {given.get("id", ""), given.get("name", "")}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if given.get(LOADED.get(tag, "")) and given.get("rel") != "canonical":
            self.loads.append(given[LOADED[tag]])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make site` builds it; any warning ends the build."""
    folder = tmp_path_factory.mktemp("site")
    command = [str(Path(sys.executable).parent / "mkdocs"), "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Read]:
    """Every page of the site but the one for addresses that do not exist, which is served from anywhere."""
    found = (path for path in site.rglob("*.html") if path.name != "404.html")
    return {path: Read(path.read_text(encoding="utf-8")) for path in found}


def test_every_document_has_its_page(pages: dict[Path, Read], site: Path) -> None:
    made = {path.relative_to(site).with_suffix("").as_posix() for path in pages}
    written = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    assert {name.replace("index", "README") for name in made - {"index"}} | {"index"} == written


def test_every_link_leads_to_a_page_and_an_anchor_that_are_there(pages: dict[Path, Read]) -> None:
    broken = []
    for path, read in pages.items():
        for link in read.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchors = pages[target].anchors if target in pages else {""}
            if not target.is_file() or unquote(parts.fragment) not in anchors:
                broken.append((path.name, link))
    assert broken == []


def test_every_page_is_reached_from_the_first_by_links(pages: dict[Path, Read], site: Path) -> None:
    reached, next_ones = set(), {site / "index.html"}
    while next_ones:
        reached |= next_ones
        links = {(path.parent / urlsplit(link).path).resolve() for path in next_ones for link in pages[path].links}
        next_ones = (links & pages.keys()) - reached
    assert sorted(path.name for path in pages.keys() - reached) == []


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Read], site: Path) -> None:
    assert [
        load for read in pages.values() for load in read.loads if urlsplit(load).scheme or load.startswith("//")
    ] == []
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert styles
    assert [
        found for style in styles for found in re.findall(r"url\(['\"]?(?:https?:)?//[^)]*|@import[^;]*", style)
    ] == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # a machine without a browser may lack it too

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


@pytest.mark.skipif(
    not CHROMIUM.is_file() and os.environ.get("CRLM_REQUIRE_BROWSER") != "1",
    reason="no browser at /usr/bin/chromium (CRLM_REQUIRE_BROWSER=1 makes this a failure)",
)
def test_pages_open_and_are_searched_from_a_folder_with_the_network_off(site: Path, browser: Any) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for name in ("index", "cookbook", "data-dictionary", "guidelines/index"):
        page.goto((site / f"{name}.html").as_uri())
        assert page.locator("h1").first.is_visible()
    page.locator("input[name=query]").click()
    page.locator("input[name=query]").press_sequentially("immortal")
    page.locator("a.md-search-result__link", has_text="Why a landmark").first.wait_for()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert complaints == []
