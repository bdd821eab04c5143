"""A link restores lesson, changes and position on any server; two tabs do not lose each other's
updates; a session's page comes back after the server was killed."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from tests.browser.conftest import NewPage, Watch
from tests.browser.walking import Truth, Walk, differences
from tests.serving import Server

LESSON = "network-2-2-1"


def moment(walk: Walk) -> None:
    """Something that only a whole log of changes brings back: edits in two iterations, a rate."""
    walk.press("End")
    name = walk.page.locator('.node[data-kind="input"]').first.get_attribute("data-node") or ""
    walk.edit("w", "0.75") if walk.node("w").count() else walk.edit(name, "0.75")
    walk.page.get_by_label("Learning rate as a number").fill("0.3")
    walk.page.get_by_label("Learning rate as a number").press("Enter")
    walk.page.wait_for_function("() => !document.body.hasAttribute('data-stale')")
    walk.page.locator(".stage-view").click(position={"x": 5, "y": 200})
    walk.press("ArrowRight", 1)
    walk.press("End").press("ArrowLeft", 2)
    walk.wait_at(1, walk.of - 2)


def shared(walk: Walk) -> str:
    """The link that the button copies."""
    page = walk.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Share").click()
    page.get_by_text("Link copied").wait_for()
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_a_link_opens_elsewhere_at_the_same_numbers(
    new_page: NewPage, start_server: Callable[..., Server], watch: Watch
) -> None:
    other = start_server()  # another process with a store of its own
    watch.allow(other.url)
    for lesson in ("weight-sigmoid-loss", LESSON):
        walk = Walk(new_page(reduced_motion="reduce")).open(lesson)
        moment(walk)
        link = shared(walk)
        here = urlsplit(link)
        assert here.path == f"/walk/{lesson}" and "at=1." in here.fragment
        there = Walk(new_page(reduced_motion="reduce", base_url=other.url))
        there.open(f"{here.path}#{here.fragment}")
        assert there.at == walk.at
        assert there.numbers() == walk.numbers()
        assert there.text(".chart-now") == walk.text(".chart-now")
        rate = "Learning rate as a number"
        assert there.page.get_by_label(rate).input_value() == "0.3"


def test_a_formula_of_ones_own_travels_in_the_link(
    new_page: NewPage, server: Server, start_server: Callable[..., Server], watch: Watch
) -> None:
    spec = {"program": "L = (w*x + b)**2", "values": {"w": 2, "x": 3, "b": 1}}
    with Truth(server, spec=spec) as truth:
        walk = Walk(new_page(reduced_motion="reduce"))
        walk.open(f"/walk/session/{truth.session['id']}").press("End")
        walk.edit("w", "1.5")
        link = urlsplit(shared(walk))
    other = start_server()
    watch.allow(other.url)
    there = Walk(new_page(reduced_motion="reduce", base_url=other.url))
    there.open(f"{link.path}#{link.fragment}")
    assert there.at == walk.at and there.numbers() == walk.numbers()
    for page in (walk.page, there.page):
        assert page.locator("h1").inner_text() == "L = (w*x + b)**2"


def test_a_broken_link_still_opens_the_lesson(new_page: NewPage) -> None:
    walk = Walk(new_page(reduced_motion="reduce"))
    walk.open("/walk/neuron#at=0.3&run=not-a-run")
    assert walk.at == (0, 3)


def test_a_run_that_is_not_kept_any_more_leads_on(new_page: NewPage, watch: Watch) -> None:
    watch.expect("404")
    page = new_page()
    page.goto("/playground/session/AAAAAAAAAAAA")
    page.get_by_text("is not kept any more").wait_for()
    page.goto("/walk/session/AAAAAAAAAAAA")
    said = page.get_by_role("alert").filter(has_text="could not be opened")
    said.wait_for()
    assert "not kept any more" in said.inner_text() and "POST" not in said.inner_text()
    said.get_by_role("link", name="To the lessons").click()
    page.get_by_role("heading", name="Watch a network learn").wait_for()


def test_a_session_that_is_gone_goes_on_in_another(
    new_page: NewPage, server: Server, watch: Watch
) -> None:
    watch.expect("404")
    with Truth(server, lesson="weight-sigmoid-loss") as truth:
        walk = Walk(new_page(reduced_motion="reduce"))
        walk.open(f"/walk/session/{truth.session['id']}").press("ArrowRight", 3)
        walk.edit("w", "0.9")
        before = walk.numbers()
        truth.client.delete(truth.path)
        walk.press("ArrowRight", 2)
        walk.page.get_by_role("button", name="Go on in a new session").click()
        walk.page.wait_for_url("**/walk/weight-sigmoid-loss#at=0.5&run=*")
        assert walk.ready().at == (0, 5)
        walk.press("ArrowLeft", 2)
        assert walk.numbers() == before


def test_a_link_shows_the_step_as_walking_there_does(new_page: NewPage) -> None:
    """… with its packet and its sum, and in projection with its formula."""
    for mode in ("", "?projection"):
        walk = Walk(new_page(reduced_motion="reduce"))
        walk.open(f"/walk/weight-sigmoid-loss{mode}#at=0.11")
        assert walk.at == (0, 11)
        assert walk.text(".packet .packet-number") == "0.144"
        assert walk.text(".sum") == "0 + 0.144 = 0.144"
        if mode:
            assert "0.144" in walk.text(".strip")


def test_the_address_keeps_up_and_a_reload_comes_back_to_it(new_page: NewPage) -> None:
    walk = Walk(new_page(reduced_motion="reduce")).open(LESSON).press("ArrowRight", 5)
    walk.page.wait_for_function("() => location.hash === '#at=0.5'")
    before = walk.numbers()
    walk.page.reload()
    assert walk.ready().at == (0, 5) and walk.numbers() == before


def test_a_link_opens_with_the_picture_that_was_looked_at(new_page: NewPage) -> None:
    walk = Walk(new_page()).open(LESSON)
    walk.page.get_by_role("tab", name="Neurons").click()
    walk.page.locator(".neuron").first.wait_for()
    link = shared(walk)
    assert link.endswith("&picture=neurons")
    other = new_page()
    other.goto(link)
    other.get_by_role("tab", name="Neurons", selected=True).wait_for()
    other.locator(".neuron").first.wait_for()
    other.get_by_role("tab", name="Graph").click()
    other.wait_for_function("() => !location.hash.includes('picture')")


def test_two_tabs_on_one_session_lose_nothing(
    new_page: NewPage, server: Server, watch: Watch
) -> None:
    watch.expect("412")  # the refusal that makes the second tab look again
    with Truth(server, lesson="weight-sigmoid-loss") as truth:
        address = f"/walk/session/{truth.session['id']}"
        one = Walk(new_page(reduced_motion="reduce")).open(address)
        two = Walk(new_page(reduced_motion="reduce")).open(address)
        one.press("ArrowRight", 6)
        two.wait_at(0, 6)  # the second screen walks along
        assert differences(two.numbers(), truth.state(0, 6)) == []
        one.edit("w", "0.9")
        two.page.wait_for_function(
            "() => document.querySelector('.node[data-node=w] .chip-number').textContent === '0.9'"
        )
        two.edit("x", "1.5")
        one.page.wait_for_function(
            "() => document.querySelector('.node[data-node=x] .chip-number').textContent === '1.5'"
        )
        # both at once, neither knowing of the other
        with one.page.expect_response(lambda answer: answer.request.method == "PUT"):
            for walk, node, value in ((one, "w", "0.25"), (two, "y", "1")):
                walk.node(node).focus()
                walk.page.keyboard.press("Enter")
                walk.page.locator(".editor input").fill(value)
                walk.page.keyboard.press("Enter")
        for walk in (one, two):
            for node, value in (("w", "0.25"), ("x", "1.5"), ("y", "1")):
                place = f".node[data-node={node}] .chip-number"
                walk.page.wait_for_function(
                    "([place, value]) => document.querySelector(place).textContent === value",
                    arg=[place, value],
                )
        true = truth.client.get(f"{truth.path}").json()
        changed = {it["node"]: it["value"] for it in true["changes"]}
        assert changed == {"w": 0.25, "x": 1.5, "y": 1}


def test_a_walk_survives_that_its_server_is_killed(
    new_page: NewPage, start_server: Callable[..., Server], watch: Watch
) -> None:
    server = start_server()
    watch.allow(server.url)
    watch.expect("ERR_CONNECTION")
    watch.expect("ERR_INCOMPLETE")
    with Truth(server, lesson="weight-sigmoid-loss") as truth:
        address = f"/walk/session/{truth.session['id']}"
    walk = Walk(new_page(reduced_motion="reduce", base_url=server.url)).open(address)
    with walk.page.expect_response(
        lambda answer: '"step":9' in (answer.request.post_data or "") and answer.ok
    ):
        walk.press("ArrowRight", 9)
    server.kill()
    assert walk.press("ArrowRight").at == (0, 10)
    complaint = walk.page.get_by_role("alert").filter(has_text="server does not answer")
    complaint.wait_for()
    before = walk.numbers()
    server.start("--port", urlsplit(server.url).netloc.rpartition(":")[2])
    complaint.wait_for(state="hidden")  # the page has asked again: the step made alone is kept too
    walk.page.reload()
    assert walk.ready().at == (0, 10) and walk.numbers() == before
