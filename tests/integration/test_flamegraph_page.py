"""The flamegraph in a browser: headless Chromium opens files that the real exporter wrote."""

import contextlib
import pathlib
import re
import subprocess
import tempfile

import harness
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

EXPORT_SAMPLE = pathlib.Path(harness.BINARY).parent / "tests/export_sample"
SWITCHES = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run"
    " --disable-background-networking --disable-component-update --disable-sync"
    " --disable-extensions"
).split()
MARGIN = 10


@contextlib.contextmanager
def chromium():
    options = webdriver.ChromeOptions()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for switch in [*SWITCHES, f"--user-data-dir={profile}", "--window-size=1200,800"]:
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            yield driver
        finally:
            driver.quit()


@pytest.fixture(scope="module")
def browser():
    with chromium() as driver:
        yield driver


class Page:
    """An open flamegraph. A frame is named by the beginning of its title."""

    def __init__(self, browser, path, fragment="", width=1200):
        self.browser, self.path = browser, path
        browser.set_window_size(width, 800)
        browser.get("about:blank")  # so that a fragment loads the file anew
        browser.get_log("browser")  # what earlier pages said
        browser.get(f"file://{path}{fragment}")

    def script(self, code, *arguments):
        return self.browser.execute_script(code, *arguments)

    def element(self, name):
        return self.browser.find_element(By.ID, name)

    def titles(self, selector="#frames g"):
        """Titles of the frames that are shown."""
        return self.script(
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter(g => g.style.display !== 'none')"
            ".map(g => g.querySelector('title').textContent)",
            selector,
        )

    def frame(self, beginning):
        return self.script(
            "return [...document.querySelectorAll('#frames g')]"
            ".find(g => g.style.display !== 'none'"
            " && g.querySelector('title').textContent.startsWith(arguments[0]))",
            beginning,
        )

    def box(self, beginning):
        """Left and right edge of a frame in pixels of the window."""
        return self.script(
            "const box = arguments[0].querySelector('rect').getBoundingClientRect();"
            "return [box.left, box.right]",
            self.frame(beginning),
        )

    def click(self, beginning):
        self.frame(beginning).find_element(By.TAG_NAME, "rect").click()

    def search(self, text):
        """Replaces what is searched for, and presses Enter."""
        field = self.element("search")
        field.click()  # chromedriver's send_keys does not focus in an SVG document
        field.send_keys(Keys.CONTROL + "a")
        field.send_keys(text, Keys.ENTER)

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def matched(self):
        return self.element("matched").text

    def width(self):
        return self.script("return document.documentElement.getBoundingClientRect().width")

    def wait(self, condition):
        WebDriverWait(self.browser, 20).until(lambda _: condition())

    def assert_quiet(self):
        """Nothing was reported on the console: no error, no request that failed."""
        assert self.browser.get_log("browser") == []


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Path of the flamegraph of a made-up profile."""

    def write(kind):
        path = tmp_path_factory.mktemp("page") / f"{kind}.svg"
        subprocess.run([EXPORT_SAMPLE, kind, "flamegraph", path], check=True)
        return path

    return write


@pytest.fixture
def page(browser, sample):
    page = Page(browser, sample("busy"))
    yield page
    page.assert_quiet()


def percent(text):
    return float(re.search(r"([\d.]+)%", text)[1])


def test_heading(page):
    assert page.browser.title == 'process 4711: python3.13t shop.py --title <"R&D">'
    heading, about = [e.text for e in page.browser.find_elements(By.CSS_SELECTOR, ".fit")][:2]
    assert heading == page.browser.title
    assert about.startswith("Python 3.13.5 free-threaded, 39,960 samples of 4 threads in 10.0 s")
    assert "999 Hz" in about
    assert "GIL" not in page.element("header").text


def test_says_first_that_the_gil_is_on(browser, sample):
    page = Page(browser, sample("gil"))
    lines = [e.text for e in browser.find_elements(By.CSS_SELECTOR, ".fit")]
    assert lines[1].startswith("The GIL is ON in this free-threaded build")
    assert lines[2].startswith("Python 3.13.5")
    page.assert_quiet()


@pytest.mark.parametrize("width", [1500, 600])
def test_fits_the_window(browser, sample, width):
    page = Page(browser, sample("busy"), width=width)
    assert page.width() == pytest.approx(width, abs=40)  # a scroll bar
    left, right = page.box("all")
    assert left == pytest.approx(MARGIN, abs=1)
    assert right == pytest.approx(page.width() - MARGIN, abs=1)
    assert page.script("return document.documentElement.scrollWidth") <= width
    outside = page.script(
        "return [...document.querySelectorAll('#frames g')].filter(g => {"
        " const text = g.querySelector('text');"
        " return text.textContent && text.getComputedTextLength() + 3"
        "   > g.querySelector('rect').getBoundingClientRect().width + 1;"
        "}).map(g => g.querySelector('text').textContent)"
    )
    assert [text for text in outside if text.isascii()] == []
    assert page.frame("Worker.run").text.startswith("Worker.run")
    page.assert_quiet()


def test_frames_show_files_without_directories(page):
    frame = page.frame("Thread._bootstrap (/usr/lib/python3.13/threading.py:1014)")
    shown = frame.find_element(By.CSS_SELECTOR, "text").text
    assert shown == "Thread._bootstrap (threading.py:1014)"
    page.search("lib/python3.13/threading")
    page.wait(lambda: page.matched().startswith("matched 100"))


def test_follows_the_window(page):
    before = page.box("all")[1]
    page.browser.set_window_size(800, 800)
    page.wait(lambda: page.box("all")[1] < before - 300)
    assert page.box("all")[1] == pytest.approx(page.width() - MARGIN, abs=1)


def test_click_zooms_and_reset_restores(page):
    everything = page.titles()
    before = page.box("thread worker-1")
    assert not page.element("reset").is_enabled()
    page.click("thread worker-1")
    assert page.box("thread worker-1") == page.box("all")
    shown = page.titles()
    assert shown[0] == everything[0] and shown[1].startswith("thread worker-1")
    assert not any(title.startswith("thread MainThread") for title in shown)
    assert page.titles("#frames g.ancestor") == [everything[0]]
    children = [t for t in shown if t.startswith("Thread._bootstrap")]
    assert len(children) == 1
    assert page.box("Thread._bootstrap")[0] == pytest.approx(MARGIN, abs=1)

    page.element("reset").click()
    assert page.titles() == everything
    assert page.titles("#frames g.ancestor") == []
    assert page.box("thread worker-1") == before


def test_back_undoes_a_zoom(page):
    before = page.titles()
    page.click("thread worker-2")
    zoomed = page.titles()
    assert zoomed != before
    page.click("handle_request")
    assert page.titles() != zoomed
    page.browser.back()
    page.wait(lambda: page.titles() == zoomed)
    page.browser.back()
    page.wait(lambda: page.titles() == before)


def test_click_on_an_ancestor_zooms_out(page):
    everything = page.titles()
    page.click("thread worker-1")
    page.click("handle_request")
    page.click("thread worker-1")
    assert page.box("thread worker-1") == page.box("all")
    page.click("all")
    assert page.titles() == everything


def test_search_highlights_and_shows_the_share(page):
    page.element("search").click()
    page.press("worker-[12]")
    page.element("find").click()
    matches = page.titles("#frames g.match")
    assert len(matches) == 2 and all("worker-" in title for title in matches)
    expected = sum(percent(title.rpartition("(")[2]) for title in matches)
    assert percent(page.matched()) == pytest.approx(expected, abs=0.02)
    fill = "return getComputedStyle(arguments[0].querySelector('rect')).fill"
    assert page.script(fill, page.frame("thread worker-1")) == "rgb(214, 91, 255)"
    assert page.script(fill, page.frame("thread MainThread")) != "rgb(214, 91, 255)"


def test_nested_matches_count_once(page):
    page.search("thread|python")
    assert percent(page.matched()) == 100
    page.search("thread worker-1|Worker.run")
    titles = page.titles()
    outside = [t for t in titles if t.startswith(("thread worker-1", "Worker.run"))]
    assert len(outside) == 5
    assert percent(page.matched()) == pytest.approx(100, abs=0.5)


def test_search_by_keyboard(page):
    ActionChains(page.browser).key_down(Keys.CONTROL).send_keys("f").key_up(Keys.CONTROL).perform()
    assert page.script("return document.activeElement.id") == "search"
    page.press("GRÖSSE|größe")  # what is typed counts at once
    assert page.titles("#frames g.match")
    page.press(Keys.ENTER)
    assert page.titles("#frames g.match")
    page.press(Keys.ESCAPE)
    assert page.titles("#frames g.match") == []
    assert page.matched() == "" and page.element("search").get_property("value") == ""


def test_search_for_what_is_not_there_or_no_regular_expression(page):
    page.search("no such function")
    assert page.matched().startswith("matched 0.00%")
    page.search("(")
    assert page.matched() == "not a regular expression"
    assert page.titles("#frames g.match") == []


def test_enter_zooms_and_escape_resets(page):
    everything = page.titles()
    page.script("arguments[0].focus()", page.frame("thread worker-1"))
    page.press(Keys.ENTER)
    assert page.box("thread worker-1") == page.box("all")
    page.press(Keys.ESCAPE)
    assert page.titles() == everything


def test_the_address_keeps_zoom_and_search(page):
    page.click("thread worker-1")
    page.search("cart")
    titles, matches = page.titles(), page.titles("#frames g.match")
    fragment = "#" + page.browser.current_url.partition("#")[2]
    assert titles and matches
    again = Page(page.browser, page.path, fragment)
    assert again.titles() == titles
    assert again.titles("#frames g.match") == matches
    assert again.element("search").get_property("value") == "cart"


@pytest.mark.parametrize("fragment", ["#zoom=99999", "#zoom=-1", "#zoom=x&search=(", "#%%%"])
def test_a_strange_address_does_no_harm(browser, sample, fragment):
    page = Page(browser, sample("busy"), fragment)
    assert page.titles()[0].startswith("all (39,960 samples")
    assert len(page.titles()) > 100
    page.assert_quiet()


def test_hover_shows_the_details(page):
    rect = page.frame("thread worker-1").find_element(By.TAG_NAME, "rect")
    ActionChains(page.browser).move_to_element(rect).perform()
    assert page.element("details").text == "thread worker-1 (4712) (9,990 samples, 25%)"


def test_names_are_shown_as_they_are(page):
    titles = " ".join(page.titles())
    for name in ("größe_ändern", "計算する関数", 'parse<T> & "quote"', "it's.py", "odd␊name;␁\ufffd"):
        assert name in titles


FILL = "return arguments[0].querySelector('rect').getAttribute('fill')"


def stops(page, beginning):
    """The colours of a frame that has several states, from left to right, and where each ends in percent."""
    return page.script(
        "const fill = arguments[0].querySelector('rect').getAttribute('fill');"
        "return [...document.querySelector(fill.slice(4, -1)).children].filter((_, i) => i % 2)"
        ".map(s => [s.getAttribute('stop-color'), s.getAttribute('offset')])",
        page.frame(beginning),
    )


def legend(page):
    """The legend that is shown: the colours of the states by their names."""
    keys = page.browser.find_elements(By.CSS_SELECTOR, "#legend span")
    return {key.text: key.get_attribute("data-colour") for key in keys if key.is_displayed()}


def test_colours_by_state_and_back(browser, sample):
    page = Page(browser, sample("waits"))
    colour = page.element("by_state")
    usual, top = page.script(FILL, page.frame("Cart.total")), page.box("all")
    y = "return arguments[0].getBoundingClientRect().top"
    above = page.script(y, page.frame("all"))
    assert legend(page) == {} and colour.get_attribute("aria-pressed") == "false"
    colour.click()
    colours = legend(page)
    assert list(colours) == ["running", "native", "gil_wait", "lock_wait", "io"]
    assert colour.get_attribute("aria-pressed") == "true"
    assert page.browser.current_url.endswith("#colour=state")
    bar = stops(page, "all")
    assert [c for c, _ in bar] == list(colours.values()) and bar[-1][1] == "100%"
    mix = page.script("return arguments[0].dataset.m", page.frame("all"))
    counts = {part.split(":")[0]: int(part.split(":")[1]) for part in mix.split()}
    assert percent(bar[0][1]) == round(100 * counts["running"] / sum(counts.values()))
    assert page.script(y, page.frame("all")) > above + 15, "the legend has room"
    assert page.box("all") == top
    colour.click()
    assert legend(page) == {} and page.script(FILL, page.frame("Cart.total")) == usual
    assert page.script(y, page.frame("all")) == above
    page.assert_quiet()


def test_a_frame_of_one_state_has_its_colour(page):
    page.element("by_state").click()
    assert list(legend(page)) == ["running"]
    assert {page.script(FILL, page.frame(b)) for b in ("all", "Cart.total")} == {legend(page)["running"]}


def test_says_the_shares_of_the_states(browser, sample):
    page = Page(browser, sample("waits"))
    ActionChains(browser).move_to_element(page.frame("all").find_element(By.TAG_NAME, "rect")).perform()
    said = page.element("shares").text
    assert re.fullmatch(r"\d+% runs Python(, \d+% [\w ]+){3,4}", said.replace("/", "")), said
    assert "% waits for the GIL" in said and "% waits for I/O" in said
    shares = [int(share) for share in re.findall(r"(\d+)%", said)]
    assert shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(100, abs=3)
    assert page.titles()[0].endswith(said), "the tooltip"
    assert page.element("details").text.startswith("all (39,960 samples")
    page.assert_quiet()


def test_the_address_keeps_the_colours(browser, sample):
    page = Page(browser, sample("waits"))
    page.element("by_state").click()
    page.click("thread worker-1")
    page.search("cart")
    page.press(Keys.ESCAPE)  # ends the search only
    fragment = "#" + browser.current_url.partition("#")[2]
    assert "colour=state" in fragment and "zoom=" in fragment and "search" not in fragment
    bar = stops(page, "thread worker-1")
    again = Page(browser, page.path, fragment)
    assert legend(again) and stops(again, "thread worker-1") == bar
    assert again.box("thread worker-1") == again.box("all")
    again.element("by_state").click()
    assert legend(again) == {} and again.box("thread worker-1") == again.box("all")
    browser.back()
    again.wait(lambda: legend(again))
    page.assert_quiet()


def test_matches_stand_out_of_the_states(browser, sample):
    page = Page(browser, sample("waits"), "#colour=state&search=cart")
    fill = page.script(
        "return getComputedStyle(arguments[0].querySelector('rect')).fill", page.frame("Cart.total")
    )
    assert fill == "rgb(214, 91, 255)"
    page.assert_quiet()


def test_the_legend_takes_more_lines_in_a_narrow_window(browser, sample):
    page = Page(browser, sample("waits"), "#colour=state", width=500)
    bottom = "return Math.max(...[...document.querySelectorAll(arguments[0])].map(e => e.getBoundingClientRect().bottom))"
    top = "return document.querySelector(arguments[0]).getBoundingClientRect().top"
    page.browser.set_window_size(300, 800)
    page.wait(lambda: page.width() < 480)
    assert page.script(bottom, "#legend span") <= page.script(top, "#frames g rect")
    assert page.script("return document.documentElement.scrollWidth") <= page.width() + 1
    page.assert_quiet()


def test_states_as_frames(browser, sample):
    page = Page(browser, sample("by-state"))
    page.search(r"^\[gil_wait\]$")
    matches = page.titles("#frames g.match")
    assert len(matches) > 3 and all(t.startswith("[gil_wait] (") for t in matches)
    assert all(t.endswith("\n100% waits for the GIL") for t in matches)
    page.press(Keys.ESCAPE)
    usual = page.script(FILL, page.frame("[gil_wait]"))
    page.element("by_state").click()
    assert page.script(FILL, page.frame("[gil_wait]")) == usual == legend(page)["gil_wait"]
    page.assert_quiet()


def test_deep_stacks(browser, sample):
    page = Page(browser, sample("deep"))
    assert "Stacks are up to 5,000 frames deep" in page.element("header").text
    assert len(page.titles()) == 1001
    page.script("window.scrollTo(0, 9000)")
    page.wait(lambda: page.element("header").get_attribute("transform") == "translate(0,9000)")
    assert page.element("header").rect["y"] == pytest.approx(9000, abs=1)
    page.assert_quiet()


def test_empty_profile(browser, sample):
    page = Page(browser, sample("empty"))
    assert page.titles() == ["no samples (0 samples, 0%)"]
    page.click("no samples")
    page.search("x")
    page.element("by_state").click()
    assert page.box("no samples")[1] == pytest.approx(page.width() - MARGIN, abs=1)
    page.assert_quiet()


def test_real_recording(browser, spinner, tmp_path):
    outputs = ("out.svg",)
    harness.record(tmp_path, "-p", spinner.pid, "-d", 0.5, "-t", outputs=outputs).check()
    page = Page(browser, tmp_path / "out.svg")
    assert f"process {spinner.pid}" in page.browser.title
    page.click("outer")
    page.search("^inner")
    assert percent(page.matched()) > 5
    page.assert_quiet()


def test_dark_mode(browser, sample):
    paper = "return getComputedStyle(document.querySelector('.paper')).fill"
    page = Page(browser, sample("busy"))
    assert page.script(paper) == "rgb(255, 255, 255)"
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        assert page.script(paper) == "rgb(29, 31, 35)"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
