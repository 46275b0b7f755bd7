"""The report in a browser without a network: pages open, sort, narrow, explain and print, and ask nobody a thing."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crlm_pipeline.report.build import write_report
from crlm_pipeline.report.cases import Case, cases_page
from crlm_pipeline.settings import Settings
from tests.registry_of_chance import registry

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
DESK, PHONE, PAPER = 1280, 390, 680  # an A4 page between its margins is 680 points of a screen wide
# A page of each kind.
KINDS = (
    "index.html",
    "cohort.html",
    "biomarkers.html",
    "biomarker-ras.html",
    "pathways.html",
    "comparison.html",
    "indicators.html",
    "indicator-p2.html",
    "quality.html",
    "methods.html",
    "data.html",
    "centre-C01.html",
)
# In the dark nothing differs but colours; these pages have every one of them.
DARK = ("index.html", "biomarker-ras.html", "indicator-p2.html", "data.html")

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


class Visitor:
    """A reader without a network, with everything that the pages asked for and complained of."""

    def __init__(self, browser: Any, width: int = DESK, **context: Any) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.context = browser.new_context(
            offline=True, viewport={"width": width, "height": 900}, reduced_motion="reduce", **context
        )
        self.page = self.context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(f"{self.page.url}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))

    def open(self, path: Path) -> Any:
        """Return the page, opened."""
        self.page.goto(path.as_uri())
        return self.page


@pytest.fixture
def visitor(browser: Any) -> Iterator[Visitor]:
    visiting = Visitor(browser)
    yield visiting
    visiting.context.close()


def width_of(page: Any, width: int) -> int:
    page.set_viewport_size({"width": width, "height": 900})
    return int(page.evaluate("document.documentElement.scrollWidth"))


def test_every_page_opens_offline_fits_desk_phone_and_paper_and_leads_nowhere_else(
    report: Path, visitor: Visitor
) -> None:
    pages = sorted(report.glob("*.html"))
    assert {*KINDS} <= {path.name for path in pages}
    for path in pages:
        page = visitor.open(path)
        assert page.locator("h1").count() == 1
        assert page.get_by_text("Not signed by a clinician").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= DESK, path.name
        assert width_of(page, PHONE) <= PHONE, path.name
        targets = page.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")
        assert all((report / target.partition("#")[0]).exists() for target in targets), path.name
        page.emulate_media(media="print")
        assert width_of(page, PAPER) <= PAPER, path.name
        assert page.evaluate(CUT) == [], path.name
        assert page.locator("#contents, .tools, .top, .data").evaluate_all(VISIBLE) == 0
        page.emulate_media(media="screen")
        page.set_viewport_size({"width": DESK, "height": 900})
    assert visitor.complaints == []
    assert [url for url in visitor.requests if not url.startswith("file:")] == []


# What is wider than the box it stands in, and so would be cut on paper.
CUT = """() => [...document.querySelectorAll(".scroll")]
  .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.textContent.slice(0, 60))"""
VISIBLE = "all => all.filter(one => one.checkVisibility()).length"


def test_the_contents_lead_to_every_page_and_mark_the_one_that_is_open(report: Path, visitor: Visitor) -> None:
    page = visitor.open(report / "indicators.html")
    names = set(page.eval_on_selector_all("#contents a", "all => all.map(one => one.getAttribute('href'))"))
    pages = {path.name for path in report.glob("*.html")}
    single = {name for name in pages if name.startswith(("biomarker-", "pathway-"))}
    assert names == pages - single
    link = page.locator("#contents a", has_text="P10")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/indicator-p10.html")
    assert page.locator("#contents [aria-current=page]").inner_text() == "P10"
    assert page.locator(".trail a").all_inner_texts() == ["Overview", "Quality indicators"]


def test_on_a_phone_the_contents_open_at_a_press_and_work_without_the_script(report: Path, browser: Any) -> None:
    for script in (True, False):
        visitor = Visitor(browser, PHONE, java_script_enabled=script)
        page = visitor.open(report / "index.html")
        contents = page.locator("#contents")
        assert not contents.is_visible()
        page.get_by_role("button", name="Contents").press("Enter")
        assert contents.is_visible()
        contents.get_by_text("Data quality").click()
        page.wait_for_url("**/quality.html")
        visitor.context.close()


def column(page: Any, table: str, place: int) -> list[str]:
    """Return the texts of a column of the rows that are shown."""
    cells = page.locator(f"{table} tbody tr:not([hidden]) > :nth-child({place})")
    return [str(text).strip() for text in cells.all_inner_texts()]


def table_under(page: Any, heading: str) -> str:
    """Return the selector of the table under a heading."""
    identifier = page.locator("h3", has_text=heading).first.get_attribute("id")
    return f"[aria-labelledby='{identifier}'] table"


def numbers(texts: list[str]) -> list[float]:
    return [float(text.split(" ")[0]) for text in texts if text[:1].isdigit()]


def test_a_table_sorts_by_any_column_by_click_and_by_keyboard_and_says_so(report: Path, visitor: Visitor) -> None:
    page = visitor.open(report / "biomarkers.html")
    table = table_under(page, "Every category of every biomarker")
    head = page.locator(f"{table} th", has_text="Patients")
    before = column(page, table, 3)
    assert numbers(before) != sorted(numbers(before), reverse=True)
    head.get_by_role("button").click()
    down = column(page, table, 3)
    assert head.get_attribute("aria-sort") == "descending"
    assert numbers(down) == sorted(numbers(before), reverse=True)
    hidden = before.count("hidden")
    assert down[len(down) - hidden :] == ["hidden"] * hidden
    head.get_by_role("button").press("Enter")
    up = column(page, table, 3)
    assert head.get_attribute("aria-sort") == "ascending"
    assert numbers(up) == sorted(numbers(before))
    assert up[len(up) - hidden :] == ["hidden"] * hidden
    assert sorted(up) == sorted(before)
    page.locator(f"{table} th", has_text="Category").get_by_role("button").click()
    assert head.get_attribute("aria-sort") is None


def test_a_table_is_narrowed_by_text_and_by_choice_and_says_how_many_rows_are_left(
    report: Path, visitor: Visitor
) -> None:
    page = visitor.open(report / "biomarkers.html")
    table = table_under(page, "Every category of every biomarker")
    every = len(column(page, table, 1))
    tools = page.locator("section#biomarkers .tools").first
    tools.get_by_label("Filter").fill("WILD type")
    left = column(page, table, 2)
    assert 0 < len(left) < every
    assert all("wild type" in text.lower() for text in left)
    assert tools.locator("output").inner_text() == f"{len(left)} of {every} rows"
    tools.get_by_label("Biomarker").select_option("RAS")
    assert set(column(page, table, 1)) == {"RAS"}
    tools.get_by_label("Filter").fill("")
    assert 1 < len(column(page, table, 1)) < every
    tools.get_by_label("Biomarker").select_option("All")
    assert len(column(page, table, 1)) == every
    assert tools.locator("output").inner_text() == ""


def test_the_theme_is_chosen_and_holds_on_the_next_page(report: Path, visitor: Visitor) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    page = visitor.open(report / "index.html")
    light = page.evaluate(paper)
    page.get_by_label("Theme").select_option("Dark")
    dark = page.evaluate(paper)
    assert dark != light
    page = visitor.open(report / "methods.html")
    assert page.evaluate(paper) == dark
    assert page.get_by_label("Theme").input_value() == "dark"
    page.emulate_media(media="print")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.emulate_media(media="screen", color_scheme="dark")
    page.get_by_label("Theme").select_option("Light")
    assert page.evaluate(paper) == light
    page.get_by_label("Theme").select_option("Auto")
    assert page.evaluate(paper) == dark


def test_a_point_of_a_figure_tells_what_it_is_under_the_pointer_and_by_the_arrow_keys(
    report: Path, visitor: Visitor
) -> None:
    page = visitor.open(report / "biomarker-ras.html")
    drawing = page.locator(".scroll.drawing").first
    tips = drawing.locator("[data-tip]")
    expected = tips.evaluate_all("all => all.map(one => one.dataset.tip)")
    assert drawing.locator("title").count() == 0
    tips.nth(1).hover()
    shown = page.locator(".tip:visible")
    assert shown.inner_text() == expected[1]
    drawing.focus()
    page.keyboard.press("Escape")
    assert shown.count() == 0
    for place in (2, 3):
        page.keyboard.press("ArrowRight")
        assert shown.inner_text() == expected[place % len(expected)]
    frame = pl.read_csv(report / "data" / "biomarker_ras_drawn.csv").drop_nulls("percent")
    known = [
        f"{percent:.1f} ({low:.1f}\u2013{high:.1f})"
        for percent, low, high in frame.select("percent", "ci_low", "ci_high").rows()
    ]
    assert [tip for tip in expected if any(tip.endswith(text) for text in known)]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_page_reads_without_the_script(name: str, report: Path, browser: Any) -> None:
    visitor = Visitor(browser, java_script_enabled=False)
    page = visitor.open(report / name)
    rows = page.locator("tbody tr")
    assert rows.count() == rows.locator("visible=true").count()
    assert page.locator(".tools, .theme:visible, button:visible").count() == 0
    html = (report / name).read_text(encoding="utf-8")
    assert page.locator("figure svg").count() == html.count("<figure>")
    visitor.context.close()


@pytest.mark.parametrize(("scheme", "names"), [("light", KINDS), ("dark", DARK)])
def test_axe_finds_no_serious_violation_on_any_kind_of_page(
    scheme: str, names: tuple[str, ...], report: Path, browser: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  # as Playwright

    visitor, axe = Visitor(browser, color_scheme=scheme), Axe()
    found = {}
    for name in names:
        page = visitor.open(report / name)
        violations = axe.run(page).response["violations"]
        grave = [one for one in violations if one["impact"] in ("serious", "critical")]
        found[name] = [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in grave]
    visitor.context.close()
    assert {name: grave for name, grave in found.items() if grave} == {}


def test_what_is_downloaded_holds_the_numbers_of_the_table(report: Path, visitor: Visitor) -> None:
    page = visitor.open(report / "biomarkers.html")
    table = table_under(page, "Every category of every biomarker")
    links = page.locator(f"div.table:has({table}) .data a")
    assert links.all_inner_texts() == ["CSV", "Parquet"]
    csv, parquet = (report / str(link.get_attribute("href")) for link in links.all())
    frames = pl.read_csv(csv, infer_schema_length=None), pl.read_parquet(parquet)
    assert frames[0].columns == frames[1].columns
    for frame in frames:
        for place, name in ((3, "shown"), (4, "n_tested_shown"), (5, "n_total_shown")):
            assert frame[name].cast(pl.String).to_list() == column(page, table, place)
        hidden = ~frame["shown"].cast(pl.String).str.contains(r"^\d+$")
        assert frame["n"].is_null().to_list() == hidden.to_list()
        shares = frame["percent"].drop_nulls().round(1).to_list()
        assert shares == pytest.approx(numbers(column(page, table, 6)))


def test_the_list_of_downloads_names_every_file(report: Path, visitor: Visitor) -> None:
    files = {path.name for path in (report / "data").iterdir()}
    listed = pl.read_csv(report / "data" / "files.csv")
    both = {f"{name}.{ending}" for name in listed["file"] for ending in ("csv", "parquet")}
    assert both | {"README.txt", "files.csv", "files.parquet"} == files
    assert (listed["holds"].str.len_chars() > 3).all()
    page = visitor.open(report / "data.html")
    links = page.eval_on_selector_all("tbody a", "all => all.map(one => one.getAttribute('href'))")
    of_centres = {name for name in both if name[0] == "c" and name[1:3].isdigit()}
    assert {link.removeprefix("data/") for link in links if link.startswith("data/")} == both - of_centres


def test_cases_are_narrowed_by_verdict_rule_and_indicator_and_unfold_at_a_link(
    visitor: Visitor, tmp_path: Path
) -> None:
    rows = [
        ("a/systemic/1", "concordant", "r1", "P2"),
        ("b/systemic/1", "discordant", "r2", "P2, P12"),
        ("c/systemic/1", "discordant", "r1", None),
    ]
    names = ("decision_id", "verdict", "rule_id", "indicators")
    cases = [
        Case(
            dict(zip(names, row, strict=True)) | {"decision_date": date(2024, 1, 2), "given": "FOLFOX"}, f"why {row[0]}"
        )
        for row in rows
    ]
    path = tmp_path / "cases.html"
    path.write_text(cases_page("north", "esmo", cases), encoding="utf-8")
    page = visitor.open(path)
    table = "[aria-labelledby=decisions] table"
    page.get_by_label("Indicators not met").select_option("P2")
    assert column(page, table, 1) == ["a/systemic/1", "b/systemic/1"]
    page.get_by_label("Verdict").select_option("discordant")
    assert column(page, table, 1) == ["b/systemic/1"]
    page.get_by_role("link", name="b/systemic/1").click()
    assert page.get_by_text("why b/systemic/1").is_visible()
    assert not page.get_by_text("why a/systemic/1").is_visible()
    assert visitor.complaints == []
