"""Pages as a browser lays them out: nothing is wider than its screen, nothing is fetched."""

import html
import json
import re
import shutil
import subprocess

import pytest

from heads.runs.board import boards
from heads.runs.reading import read_fit
from heads.runs.report import shown_rows, write_run_report
from scoring.board_page import render
from tests.heads.finished import finished

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
PHONE, DESK = 390, 1200  # CSS pixels
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium to lay pages out"),
]

# A frame of a screen's width around the page; the page tells the frame what it measured.
FRAME = """<iframe src="{page}" style="width:{width}px;height:3000px;border:0"></iframe><pre></pre>
<script>onmessage = (event) => document.querySelector("pre").textContent = event.data</script>"""
MEASURE = """<script>onload = () => parent.postMessage(JSON.stringify({
  page: document.documentElement.scrollWidth, room: document.documentElement.clientWidth,
  wide: [...document.querySelectorAll(".wide")].filter((e) => e.scrollWidth > e.clientWidth + 1)
    .map((e) => e.closest("section").querySelector("h2").textContent),
  fetched: performance.getEntriesByType("resource").map((entry) => entry.name)
    .filter((name) => !name.startsWith("data:"))}), "*")</script>"""


def measure(page, folder, width=PHONE):
    """Return what a browser measures of a page in a frame of some width."""
    policy = '<meta http-equiv="Content-Security-Policy"[^>]*>'  # it would stop the measuring
    (folder / "page.html").write_text(re.sub(policy, "", page).replace("</body>", MEASURE))
    (folder / "frame.html").write_text(FRAME.format(page="page.html", width=width))
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"]
    home = f"--user-data-dir={folder / 'browser'}"
    command = [BROWSER, *switches, home, "--virtual-time-budget=5000"]
    command.append((folder / "frame.html").as_uri())
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(html.unescape(re.search("<pre>(.*?)</pre>", said, re.DOTALL)[1]))


@pytest.mark.parametrize("task", ["numbers", "classes", "sequences"])
def test_a_report_fits_a_phone_and_fetches_nothing(task, request, tmp_path):
    run = read_fit(finished(tmp_path / "run", request.getfixturevalue(task)))
    page = write_run_report(run, shown_rows(run, 6)).read_text()
    found = measure(page, tmp_path)
    assert found["page"] <= found["room"] <= PHONE
    assert (found["wide"], found["fetched"]) == ([], [])


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_board_of_seven_runs_with_names_as_given_fits(width, numbers, tmp_path):
    names = [f"20260102-03040{place}-fit-head-ab{place}c" for place in range(7)]
    folders = [finished(tmp_path / name, numbers, config={"head": name}) for name in names]
    page = render(boards([read_fit(f) for f in folders], detailed=True), [])
    found = measure(page, tmp_path, width)
    assert found["page"] <= found["room"] <= width
    assert found["wide"] == []
