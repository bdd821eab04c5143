"""Every lesson of the shelf, walked by keyboard from its first step to its last and back."""

from __future__ import annotations

from tests.browser.conftest import NewPage
from tests.browser.walking import Truth, Walk, differences, lesson_ids
from tests.serving import Server

LONG = 120  # steps from which a walk is looked at in places, for each look takes its time
LOOKS = 12


def test_every_lesson_shows_the_apis_numbers_and_none_before_its_time(
    new_page: NewPage, server: Server
) -> None:
    page = new_page(reduced_motion="reduce")
    ids = lesson_ids(server)
    assert len(ids) >= 14
    for lesson in ids:
        walk = Walk(page).open(f"/walk/{lesson}?picture=graph")
        with Truth(server, lesson=lesson) as truth:
            of = len(truth.plan)
            assert (walk.at, walk.of) == ((0, 0), of)
            if of > LONG:
                check_in_places(walk, truth, lesson)
                continue
            states = [truth.state(0, step) for step in range(of + 1)]
        assert differences(walk.numbers(), states[0]) == [], f"{lesson}, before the first step"
        for step in range(1, of + 1):
            seen = walk.press("ArrowRight").look()
            here = f"{lesson}, step {step}"
            assert seen["at"] == [0, step], here
            assert differences(seen["numbers"], states[step]) == [], here
            assert seen["line"] == seen["title"] == truth.plan[step - 1]["label"], here
            assert seen["says"], here
            assert not seen["hidden"], f"{here}: its first line can only be seen by scrolling"
        for step in reversed(range(of)):
            seen = walk.press("ArrowLeft").look()
            assert seen["at"] == [0, step], lesson
            assert differences(seen["numbers"], states[step]) == [], f"{lesson}, back at {step}"


def check_in_places(walk: Walk, truth: Truth, lesson: str) -> None:
    """A long lesson, forward by its lines and back by keyboard."""
    of = len(truth.plan)
    for step in range(1, of + 1, of // LOOKS):
        walk.go_to(step - 1).wait_at(0, step)
        seen, here = walk.look(), f"{lesson}, step {step}"
        assert seen["at"] == [0, step], here
        assert differences(seen["numbers"], truth.state(0, step)) == [], here
        assert seen["line"] == seen["title"] == truth.plan[step - 1]["label"], here
        assert seen["says"] and not seen["hidden"], here
    before = seen["at"][1] - 1
    seen = walk.press("ArrowLeft").look()
    assert seen["at"] == [0, before], lesson
    assert differences(seen["numbers"], truth.state(0, before)) == [], f"{lesson}, back"


def test_gradients_are_unknown_again_after_zero_grad(new_page: NewPage, server: Server) -> None:
    walk = Walk(new_page(reduced_motion="reduce")).open("weight-sigmoid-loss")
    with Truth(server, lesson="weight-sigmoid-loss") as truth:
        zero, of = truth.index("zero_grad"), len(truth.plan)
    walk.press("End").press("ArrowRight", zero)
    assert walk.at == (1, zero)
    assert walk.chip("w", "grad") != "?"  # of the iteration before, until zero_grad has run
    walk.press("ArrowRight")
    grads = [node["grad"]["text"] for node in walk.numbers().values() if node["grad"]]
    assert set(grads) == {"?"}
    assert "not known yet" in (walk.node("w").get_attribute("aria-label") or "")
    walk.press("End")
    assert walk.at == (1, of) and walk.chip("w", "grad") != "?"


def test_an_activation_shows_its_curve_and_an_update_its_sum(
    new_page: NewPage, server: Server
) -> None:
    walk = Walk(new_page(reduced_motion="reduce")).open("weight-sigmoid-loss")
    with Truth(server, lesson="weight-sigmoid-loss") as truth:
        sigmoid, back = truth.index("forward", "a"), truth.index("backward", "a")
        update = truth.index("update")
    for index in (sigmoid, back):
        walk.line(index).locator(".line-go").click()
        assert walk.page.locator(".inspector svg.curve, .inspector .curve svg").count() == 1
    assert "upstream × local = contribution" in walk.text(".inspector .chain")
    # 0.5 · 0.731 … are the guide's numbers; 0.144 = 0.731 · 0.197
    assert walk.page.locator(".packet.role-grad .packet-number").inner_text() == "0.144"
    assert walk.page.locator(".sum").inner_text() == "0 + 0.144 = 0.144"
    walk.line(update).locator(".line-go").click()
    assert walk.page.locator(".sum").inner_text() == "0.5 + Δ (−0.287) = 0.213"
    assert walk.page.locator(".inspector .row-numbers").first.inner_text().strip()


def test_paths_that_meet_are_added_before_ones_eyes(new_page: NewPage, server: Server) -> None:
    walk = Walk(new_page(reduced_motion="reduce")).open("fan-out")
    with Truth(server, lesson="fan-out") as truth:
        last = truth.index("backward", "b")
    walk.line(last).locator(".line-go").click()
    assert walk.page.locator(".packet.role-grad").count() == 2  # a + a has two edges
    assert "paths meet in" in walk.text(".inspector-body")
    total = walk.page.locator(".sum").inner_text()
    assert total.count("+") == 2 and total.endswith(walk.chip("a", "grad"))


def test_packets_travel_and_the_next_key_ends_their_way(new_page: NewPage) -> None:
    walk = Walk(new_page()).open("weight-sigmoid-loss")
    walk.press("ArrowRight", 3)  # data, zero_grad, z = w·x
    layer = walk.page.locator(".packets")
    assert "is-travelling" in (layer.get_attribute("class") or "")
    assert layer.locator(".packet-number").all_inner_texts() == ["0.5", "2"]
    assert walk.chip("z") == "?"  # its number comes with the packets
    walk.press("ArrowRight")
    assert walk.at == (0, 4) and walk.chip("z") == "1"
    walk.settle()
    assert walk.chip("a") == "0.731"


def test_reduced_motion_shows_the_numbers_without_the_way(new_page: NewPage) -> None:
    walk = Walk(new_page(reduced_motion="reduce")).open("weight-sigmoid-loss")
    walk.press("ArrowRight", 3)
    assert "is-travelling" not in (walk.page.locator(".packets").get_attribute("class") or "")
    assert walk.chip("z") == "1"
    assert walk.page.locator(".packets .packet-number").all_inner_texts() == ["0.5", "2"]
    running = "document.getAnimations().filter((a) => a.playState === 'running').length"
    assert walk.page.evaluate(running) == 0
