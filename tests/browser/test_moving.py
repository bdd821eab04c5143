"""Ways to move on a walk page: keys, buttons, scrubber, program, links in the formulas; and that
none of them waits for the network."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.browser.conftest import LESSON, NewPage, Watch
from tests.browser.walking import Truth, Walk
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_phase_keys_home_end_and_the_clickers_keys(walk: Walk, truth: Truth) -> None:
    marks = [
        e["index"] for i, e in enumerate(truth.plan) if e["phase"] != truth.plan[i - 1]["phase"]
    ]
    ends = [*marks[1:], len(truth.plan)]
    for end in ends:
        assert walk.press("ArrowDown").at == (0, end)
    for mark in reversed(marks):
        assert walk.press("ArrowUp").at == (0, mark)
    assert walk.press("PageDown", 3).at == (0, 3)
    assert walk.press("PageUp").at == (0, 2)
    assert walk.press("End").at == (0, len(truth.plan))
    assert walk.press("Home").at == (0, 0)
    assert walk.press("PageUp").at == (0, 0)  # nothing lies before the beginning


def test_stepping_on_runs_into_the_next_iteration_and_back(walk: Walk, truth: Truth) -> None:
    walk.press("End").press("ArrowRight")
    assert walk.at == (1, 1)
    walk.press("ArrowLeft", 2)
    assert walk.at in {(0, len(truth.plan) - 1), (0, len(truth.plan))}
    walk.press("Shift+ArrowRight")
    walk.wait_at(1, 0)
    walk.press("Shift+ArrowLeft")
    walk.wait_at(0, 0)


def test_buttons_say_what_they_advance_and_do_it(walk: Walk, truth: Truth) -> None:
    def button(name: str) -> None:
        transport = walk.page.get_by_role("region", name="Transport")
        transport.get_by_role("button", name=name, exact=True).click()

    button("Next step")
    button("Next step")
    assert walk.at == (0, 2)
    button("One step back")
    assert walk.at == (0, 1)
    button("To the end of the iteration")
    assert walk.at == (0, len(truth.plan))
    button("To the start of the iteration")
    assert walk.at == (0, 0)
    button("Run one iteration")
    walk.wait_at(1, 0)
    button("Run one epoch")
    walk.wait_at(2, 0)
    assert walk.text(".counter-epoch .counter-value") == "2"
    button("Run 100 iterations")
    walk.wait_at(102, 0)


def test_space_plays_step_after_step_and_pauses(walk: Walk) -> None:
    walk.page.get_by_label("Speed of playing").select_option("16")
    walk.press(" ")
    assert walk.page.get_by_role("button", name="Pause", exact=True).is_visible()
    walk.wait_until("step > 4")
    walk.press(" ")
    stopped = walk.at
    assert walk.page.get_by_role("button", name="Play", exact=True).is_visible()
    walk.page.wait_for_timeout(250)
    assert walk.at == stopped


def test_a_breakpoint_stops_before_its_line_and_playing_goes_on_from_there(
    walk: Walk, truth: Truth
) -> None:
    index = truth.index("backward")
    stop = walk.line(index).locator(".line-stop")
    stop.click()
    assert stop.get_attribute("aria-pressed") == "true"
    walk.page.get_by_label("Speed of playing").select_option("16")
    walk.press(" ")
    walk.page.get_by_role("button", name="Play", exact=True).wait_for()
    assert walk.at == (0, index)
    walk.press(" ")
    walk.wait_until(f"step > {index}")
    walk.press(" ")


def test_every_line_of_the_program_leads_to_its_step(walk: Walk, truth: Truth) -> None:
    for entry in truth.plan:
        walk.line(entry["index"]).locator(".line-go").click()
        assert walk.at == (0, entry["index"] + 1)
        assert walk.current_line() == entry["label"]


def test_the_scrubber_goes_where_it_is_pressed_and_dragged(walk: Walk, truth: Truth) -> None:
    of = len(truth.plan)
    box = walk.page.locator(".bands").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2

    def x(step: float) -> float:
        return box["x"] + box["width"] * step / of

    walk.page.mouse.move(x(3), y)
    walk.page.mouse.down()
    assert walk.at == (0, 3)
    for step in range(4, of + 1):
        walk.page.mouse.move(x(step), y)
        assert walk.at == (0, step)
    walk.page.mouse.move(x(5), y + 200)
    walk.page.mouse.up()
    assert walk.at == (0, 5)
    walk.page.mouse.move(x(1), y)
    assert walk.at == (0, 5)  # let go
    slider = walk.page.get_by_role("slider", name="Step of this iteration")
    slider.focus()
    walk.press("ArrowRight")
    assert walk.at == (0, 6) and slider.get_attribute("aria-valuenow") == "6"
    assert (slider.get_attribute("aria-valuetext") or "").startswith(f"step 6 of {of}")


def test_every_number_of_a_formula_leads_to_the_step_that_wrote_it(
    walk: Walk, truth: Truth, server: Server
) -> None:
    """… and hovering one lights its source on the stage."""
    frames = truth.client.get(f"{truth.path}/frames", params={"iteration": 0}).json()["frames"]
    followed = 0
    for frame in frames:
        refs = [ref for ref in frame["refs"].values() if ref["index"] is not None]
        walk.line(frame["index"]).locator(".line-go").click()
        links = walk.page.locator(".inspector-body .ref:is(a, button, [role=link], [role=button])")
        if frame["phase"] != "backward" or not refs:
            continue
        assert links.count() >= len(refs)
        for nth in range(links.count()):
            link = links.nth(nth)
            link.hover()
            assert walk.page.locator(".node.is-lit").count() == 1
            where = (link.get_attribute("aria-label") or "").rpartition("from step ")[2]
            if not where.isdigit():
                continue
            link.click()
            assert walk.at == (0, int(where))
            assert int(where) - 1 in {ref["index"] for ref in refs}
            followed += 1
            walk.line(frame["index"]).locator(".line-go").click()
    assert followed > 5


def keys_at_once(walk: Walk, of: int) -> None:
    """On to the end, into the next iteration, and back: each key shows its step before the next
    could be pressed."""
    began = time.monotonic()
    for step in range(1, of + 1):
        assert walk.press("ArrowRight").at == (0, step)
    for step in range(1, of + 1):
        assert walk.press("ArrowRight").at == (1, step)
    for step in reversed(range(of - 4, of)):
        assert walk.press("ArrowLeft").at == (1, step)
    assert walk.press("Home").at == (1, 0)
    spent = time.monotonic() - began
    assert spent < 0.15 * (2 * of + 5), f"{spent:.1f} s"


def slowed(page: Page, latency: int) -> None:
    wire = page.context.new_cdp_session(page)
    wire.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": latency, "downloadThroughput": -1, "uploadThroughput": -1},
    )


def test_no_step_waits_for_a_slow_network(new_page: NewPage, truth: Truth) -> None:
    page = new_page()
    walk = Walk(page).open(LESSON)
    page.wait_for_load_state("networkidle")
    slowed(page, 2000)
    keys_at_once(walk, len(truth.plan))
    assert page.locator("main[aria-busy=true]").count() == 0


def test_no_step_waits_for_a_network_that_is_gone(
    new_page: NewPage, truth: Truth, watch: Watch
) -> None:
    watch.expect("ERR_INTERNET_DISCONNECTED")
    page = new_page()
    walk = Walk(page).open(LESSON)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    keys_at_once(walk, len(truth.plan))
    alert = page.get_by_role("alert").filter(has_text="server does not answer")
    alert.wait_for()  # said in words, and the walk goes on
    assert walk.press("ArrowRight").at == (1, 1)
    page.context.set_offline(False)
    walk.press("ArrowRight", 3)
    page.wait_for_function("() => location.hash.includes('at=1.4')")


def test_a_gone_network_is_forgotten_once_it_is_back(
    new_page: NewPage, truth: Truth, watch: Watch
) -> None:
    watch.expect("ERR_INTERNET_DISCONNECTED")
    page = new_page(reduced_motion="reduce")
    walk = Walk(page).open(LESSON)
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    walk.press("ArrowRight", 4)
    page.get_by_role("alert").filter(has_text="server does not answer").wait_for()
    page.context.set_offline(False)
    walk.edit("w", "1.5")
    assert walk.at == (0, 4) and walk.chip("z") == "3"
    assert page.get_by_role("alert").filter(has_text="server").count() == 0


def test_help_lists_the_keys_and_closes_by_key(walk: Walk) -> None:
    walk.press("?")
    dialog = walk.page.get_by_role("dialog")
    dialog.wait_for()
    told = dialog.inner_text()
    for key in ("Space", "PageDown", "Home", "Shift →", "P"):
        assert key in told
    walk.press("Escape")
    dialog.wait_for(state="hidden")
    assert walk.press("ArrowRight").at == (0, 1)


def test_each_step_is_spoken_in_the_live_region(walk: Walk) -> None:
    walk.press("ArrowRight", 3)
    walk.page.wait_for_function(
        "() => document.querySelector('#live').textContent.startsWith('Step 3 of')"
    )
    assert "The input times its weight." in walk.text("#live")


def test_a_complaint_of_the_server_goes_when_it_answers_again(page: Page, watch: Watch) -> None:
    watch.expect("ERR_FAILED")  # the test's own
    walk = Walk(page).open("fan-out")
    walk.press("ArrowRight")
    page.wait_for_timeout(600)
    page.route("**/seek", lambda route: route.abort())
    walk.press("ArrowRight")
    complaint = page.locator(".stage-complaint")
    complaint.filter(has_text="does not answer").wait_for()
    page.unroute("**/seek")
    complaint.filter(has_text="does not answer").wait_for(state="hidden")


def test_of_many_phases_the_present_one_and_its_neighbours_are_named(new_page: NewPage) -> None:
    walk = Walk(new_page(reduced_motion="reduce")).open("gradient-accumulation")
    words = walk.page.locator(".band-word:visible")
    thumb, track = walk.page.locator(".thumb"), walk.page.locator(".scrubber")
    for step, named in ((0, ["data", "zero"]), (9, ["loss", "backward", "data"])):
        walk.press("ArrowRight", step).wait_at(0, step)
        assert words.all_inner_texts() == named
        here = walk.page.locator(".band-word.is-here").bounding_box()
        at, whole = thumb.bounding_box(), track.bounding_box()
        assert here and at and whole
        assert abs(here["x"] + here["width"] / 2 - at["x"]) < 0.2 * whole["width"]
    walk.press("End").wait_at(0, walk.of)
    assert words.all_inner_texts()[-1] == "update"
    assert walk.page.locator(".band").last.get_attribute("title") == f"update: step {walk.of}"
