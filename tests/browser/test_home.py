"""Home, as somebody sees it who has never been here: it moves, one button calls, lessons follow."""

from __future__ import annotations

import re

from tests.browser.conftest import NewPage, Watch
from tests.browser.walking import Walk, lesson_ids, read
from tests.serving import Server


def test_something_alive_moves_by_itself(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/")
    where = page.locator(".hero-where")
    where.wait_for()
    first = where.inner_text()
    page.wait_for_selector(".hero-stage .packet")
    page.wait_for_function(
        "(old) => document.querySelector('.hero-where').innerText !== old", arg=first
    )
    assert re.search(r"step \d+ of \d+", where.inner_text())
    page.get_by_role("button", name="Pause the picture").click()
    still = where.inner_text()
    page.wait_for_timeout(2800)  # longer than any step takes
    assert where.inner_text() == still


def test_one_button_is_louder_than_all_else_above_the_fold(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/")
    page.wait_for_selector(".card")
    loud = """() => [...document.querySelectorAll("a, button")].filter((it) => {
      const box = it.getBoundingClientRect();
      if (box.top > innerHeight || box.width === 0 || it.closest("[inert]")) return false;
      const style = getComputedStyle(it);
      const filled = style.backgroundColor !== "rgba(0, 0, 0, 0)" && style.borderRadius !== "0px";
      return filled && box.height >= 40 && !it.classList.contains("card-link");
    }).map((it) => it.innerText.trim())"""
    assert page.evaluate(loud) == ["Take the controls"]


def test_taking_over_leads_to_the_very_step_that_was_shown(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/")
    where = page.locator(".hero-where")
    where.wait_for()
    told = re.search(r"step (\d+) of (\d+) · iteration (\d+)", where.inner_text())
    assert told is not None
    said = page.inner_text(".hero-says")
    page.get_by_role("link", name="Take the controls").click()
    walk = Walk(page).ready()
    assert walk.at == (int(told[3]), int(told[1])) and walk.of == int(told[2])
    assert walk.text(".inspector .says") == said


def test_the_shelf_has_every_lesson_with_a_picture(new_page: NewPage, server: Server) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/")
    page.wait_for_selector(".card")
    links = page.locator(".card-link").evaluate_all("(all) => all.map((it) => it.pathname)")
    assert links == [f"/walk/{lesson}" for lesson in lesson_ids(server)]
    pictures = page.locator(".card-picture svg.mini").evaluate_all(
        "(all) => all.map((it) => it.querySelectorAll('.mini-node').length)"
    )
    assert len(pictures) == len(links) and min(pictures) >= 2
    with server.client() as client:
        for lesson in client.get("/api/lessons").json()["lessons"]:
            card = page.locator(f'.card-link[href$="/{lesson["id"]}"]')
            assert lesson["title"] in card.inner_text() and lesson["question"] in card.inner_text()
    page.locator(".card-link").nth(3).click()
    Walk(page).ready()
    assert page.url.split("#")[0].endswith(links[3])


def test_lessons_are_found_by_a_word_and_by_topic(new_page: NewPage, server: Server) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/")
    page.wait_for_selector(".card")
    visible = page.locator(".card:visible")
    folded = visible.count()
    assert folded < len(lesson_ids(server))
    page.locator(".shelf-more").first.click()
    assert visible.count() > folded
    page.get_by_label("Find a lesson").fill("adam hand")
    assert visible.locator(".card-title").all_inner_texts() == ["Adam by hand"]
    assert page.inner_text(".shelf-said") == "1 lesson"
    page.get_by_label("Find a lesson").fill("")
    page.get_by_role("button", name="Batches", exact=True).click()
    assert page.locator(".topic:visible h2").count() == 1 and visible.count() >= 3
    page.get_by_label("Find a lesson").fill("no such thing")
    assert visible.count() == 0 and "Try another word" in page.inner_text(".shelf-said")


def test_a_formula_of_ones_own_is_walked(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/")
    page.get_by_label("Your formula").fill("h = relu(a*b - 1)\nL = h * h")
    page.get_by_label("a =").fill("2")
    page.get_by_label("b =").fill("3")
    page.get_by_role("button", name="Walk through it").click()
    walk = Walk(page).ready().press("End")
    assert walk.chip("h") == "5" and walk.loss() == 25
    assert read(walk.chip("a", "grad")) == 2 * 5 * 3


def test_an_error_in_a_formula_is_shown_at_its_place(new_page: NewPage, watch: Watch) -> None:
    watch.expect("status of 4")  # the browser says so of every refused request
    page = new_page(reduced_motion="reduce")
    page.goto("/")
    text = page.get_by_label("Your formula")
    text.fill("z = w*x\nL = z + softmaxx(z)")
    page.get_by_role("button", name="Walk through it").click()
    wrong = page.get_by_role("alert")
    wrong.get_by_text("line 2").wait_for()
    told = wrong.inner_text()
    assert "line 2, column 9" in told and "softmaxx" in told
    assert wrong.locator("mark").inner_text() == "s"
    selected = text.evaluate("(it) => it.value.slice(it.selectionStart, it.selectionStart + 8)")
    assert selected == "softmaxx" and text.get_attribute("aria-invalid") == "true"
    text.fill("L = w*x")
    assert wrong.inner_text() == ""
