"""The HTML race report in a browser: headless Chromium opens the golden files that
tests/unit/race/html_report_test.cc compares the writer's output with."""

import harness
import pytest
from selenium.webdriver.common.by import By
from test_flamegraph_page import chromium

DATA = harness.ROOT / "tests/data/race"


@pytest.fixture(scope="module")
def browser():
    with chromium() as driver:
        yield driver


class Page:
    def __init__(self, browser, name, width=1200):
        self.browser = browser
        browser.set_window_size(width, 800)
        browser.get("about:blank")
        browser.get_log("browser")  # what earlier pages said
        browser.get(f"file://{DATA / name}")

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def script(self, code, *arguments):
        return self.browser.execute_script(code, *arguments)

    def assert_quiet(self):
        """Nothing was loaded, and nothing was refused."""
        assert self.script("return performance.getEntriesByType('resource').length") == 0
        assert self.browser.get_log("browser") == []

    def assert_fits(self):
        assert self.script("return document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("name", ["sample-report.html", "hostile-report.html"])
def test_needs_nothing_but_itself(browser, name):
    page = Page(browser, name)
    page.assert_quiet()
    page.assert_fits()


def test_both_sides_stand_beside_each_other(browser):
    page = Page(browser, "sample-report.html")
    first, second = page.all("article:first-of-type .side")
    assert first.rect["y"] == second.rect["y"]
    assert first.rect["x"] + first.rect["width"] < second.rect["x"]
    assert "Earlier, by thread \"worker-1\" (101)" in first.text
    assert "Later, by thread \"worker-2\" (102)" in second.text


def test_on_a_narrow_screen_one_stands_below_the_other(browser):
    page = Page(browser, "sample-report.html", width=600)
    first, second = page.all("article:first-of-type .side")
    assert first.rect["y"] + first.rect["height"] < second.rect["y"]
    page.assert_fits()


def test_the_line_of_the_access_is_open_and_marked(browser):
    page = Page(browser, "sample-report.html")
    for side in page.all("article:first-of-type .side"):
        (hit,) = side.find_elements(By.CSS_SELECTOR, "pre .hit")
        assert hit.is_displayed() and hit.text.split() == ["12", "self.hits", "+=", "1"]
        lines = side.find_elements(By.CSS_SELECTOR, "pre span")
        assert hit.value_of_css_property("background-color") != lines[
            0
        ].value_of_css_property("background-color")


def test_the_start_of_a_thread_opens_on_a_click(browser):
    page = Page(browser, "sample-report.html")
    created = page.all(".created")[0]
    frame = created.find_element(By.CSS_SELECTOR, ".frame")
    assert not frame.is_displayed()
    created.find_element(By.TAG_NAME, "summary").click()
    assert frame.is_displayed() and "thread.start()" in frame.text


def test_the_table_leads_to_the_races(browser):
    page = Page(browser, "sample-report.html")
    links = page.all("table a")
    assert [link.text for link in links] == ["Stats.hits", "list at 0x10"]
    links[1].click()
    assert page.script("return document.querySelector(':target').id") == "00000000000000ff-2"


def test_hostile_names_are_text(browser):
    page = Page(browser, "hostile-report.html")
    assert page.all("script, img, iframe, b b, i i") == []
    name = page.all("table a")[0].text
    assert name.startswith("<script>alert(1)</script> --> ]]> &amp; \"'`")
    assert page.script("return document.body.innerText").count("</main>") == 0
