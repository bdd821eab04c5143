"""What a hand changes, weights, zero_grad, the learning rate, training, and what is said of it."""

from __future__ import annotations

import pytest

from tests.browser.conftest import NewPage
from tests.browser.walking import Truth, Walk, differences, read, same
from tests.serving import Server


def test_a_weight_set_by_keyboard_moves_loss_and_gradients_at_once(
    walk: Walk, truth: Truth
) -> None:
    at = truth.index("update")  # all gradients are there, nothing is updated yet
    walk.line(at - 1).locator(".line-go").click()
    loss, grad = walk.loss(), read(walk.chip("w", "grad"))
    walk.edit("w", "0.9")
    truth.seek(0, at)
    effect = truth.put("w", 0.9)["effect"]
    assert walk.at == (0, at)
    assert differences(walk.numbers(), truth.state(0, at)) == []
    assert same(walk.text(".chart-now"), effect["after"]) and walk.loss() != loss
    assert read(walk.chip("w", "grad")) != grad
    toast = walk.text(".toast")
    assert f"Loss {loss}" in toast.replace("−", "-")
    # what the slope said is the gradient times the way; what it was is the loss after minus before
    said, was = toast.split("slope said ")[1].split(", it was ")
    assert same(said, effect["predicted"]) and same(was.split(":")[0], effect["actual"])
    assert same(said, 0.4 * 0.28746968091443026)
    assert "curvature" in was


def test_arrow_keys_nudge_and_the_numbers_follow_each(walk: Walk, truth: Truth) -> None:
    at = truth.index("loss") + 1
    walk.line(at - 1).locator(".line-go").click()
    walk.node("x").focus()
    walk.press("Enter")
    field = walk.page.locator(".editor input")
    field.wait_for()
    for _ in range(3):
        field.press("ArrowUp")
    field.press("Shift+ArrowUp")
    truth.seek(0, at)
    after = truth.put("x", 3.3)["effect"]["after"]
    assert field.input_value() == "3.3"
    walk.page.wait_for_function(
        "(x) => document.querySelector('.node[data-node=z] .chip-number').textContent === x",
        arg="1.65",
    )
    assert same(walk.text(".chart-now"), after)
    field.press("Escape")
    walk.page.locator(".editor").wait_for(state="detached")
    focused = "document.activeElement.dataset.node"
    assert walk.page.evaluate(focused) == "x"  # the keyboard is where it was


@pytest.mark.parametrize("place", ["the chip on the stage", "the editor's field"])
def test_a_number_is_dragged_sideways(walk: Walk, truth: Truth, place: str) -> None:
    at = truth.index("update")
    walk.line(at - 1).locator(".line-go").click()
    hold = walk.node("x").locator(".role-value")
    if place == "the editor's field":
        walk.node("x").click()
        hold = walk.page.locator(".editor input")
    box = hold.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = walk.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x - 20, y, steps=5)  # five notches of 4 px, each a step of 0.1
    mouse.up()
    walk.page.wait_for_function("() => !document.body.hasAttribute('data-stale')")
    walk.page.locator(".toast", has_text="Loss").wait_for()
    assert read(walk.chip("x")) == pytest.approx(truth.state(0, at)["x"]["value"]["data"] - 0.5)
    truth.seek(0, at)
    truth.put("x", float(walk.chip("x")))
    assert differences(walk.numbers(), truth.state(0, at)) == []
    assert walk.page.locator(".editor").count() == (place == "the editor's field")


def test_an_edit_after_the_update_is_shown_where_it_counts(walk: Walk, truth: Truth) -> None:
    """Nothing of this iteration is left to feel it: the page goes to the start of the next."""
    walk.press("End")
    walk.edit("w", "0.9")
    walk.wait_at(1, 0)
    assert walk.chip("w") == "0.9"
    truth.seek(0, truth.index("update") + 1)
    effect = truth.put("w", 0.9)["effect"]
    assert same(walk.text(".toast strong").split("→ ")[1], effect["after"])


def test_what_is_no_number_is_refused_in_its_place(walk: Walk, truth: Truth) -> None:
    walk.press("ArrowRight", 4)
    walk.node("w").focus()
    walk.press("Enter")
    field = walk.page.locator(".editor input")
    field.fill("a half")
    field.press("Enter")
    walk.node("w").focus()
    walk.press("Enter")
    assert walk.page.locator(".editor input").input_value() in ("0.5", "a half")
    walk.press("Escape")
    assert walk.chip("w") == "0.5"


def test_the_inspectors_editor_tells_slope_and_truth(walk: Walk, truth: Truth) -> None:
    walk.line(truth.index("update") - 1).locator(".line-go").click()
    walk.node("w").click()
    walk.page.locator(".editor").wait_for()  # the small one on the stage
    walk.press("Escape")
    field = walk.page.get_by_label("New value of w")
    field.fill("1.5")
    field.press("Enter")
    effect = walk.page.locator(".inspector .effect")
    effect.locator(".effect-loss").wait_for()
    told = effect.inner_text()
    assert "slope said" in told and "it was" in told and "curvature" in told
    walk.page.get_by_role("button", name="Back to the step").click()
    assert walk.page.locator(".inspector .step").count() == 1


def test_without_zero_grad_gradients_add_up(walk: Walk, truth: Truth) -> None:
    of, zero = len(truth.plan), truth.index("zero_grad")
    walk.press("End")
    first = read(walk.chip("w", "grad"))
    switch = walk.line(zero).get_by_role("switch")
    switch.click()
    walk.line(zero).get_by_text("off from iteration 1").wait_for()  # here it has run already
    assert switch.get_attribute("aria-checked") == "false"
    walk.page.locator(".stage-view").click(position={"x": 5, "y": 200})
    walk.press("ArrowRight").wait_at(1, 1)
    walk.page.locator(".program-line.is-missing").wait_for()
    walk.press("End")
    assert walk.at == (1, of - 1) == (1, walk.of)  # the line is missing from this plan
    kept = read(walk.chip("w", "grad"))
    truth.seek(0, of)
    truth.client.patch(truth.path, json={"zero_grad": False})
    true = truth.state(1, of - 1)["w"]["grad"]["data"]
    assert same(walk.chip("w", "grad"), true) and abs(kept) > abs(first)
    # "0.287 + 0.2… = …": the sum begins with what was there
    back = walk.page.locator(".program-line[data-phase=backward]").last
    back.locator(".line-go").click()
    sums = walk.page.locator(".sum").all_inner_texts()
    assert any(text.startswith(f"{first:g} +") for text in sums), sums
    walk.page.locator(".program-line.is-missing [role=switch]").click()
    walk.page.locator(".program-line.is-missing").get_by_text("on from iteration 2").wait_for()
    walk.page.locator(".stage-view").click(position={"x": 5, "y": 200})
    walk.press("End").press("ArrowRight").wait_at(2, 1)
    walk.page.locator(".program-line.is-missing").wait_for(state="detached")
    assert walk.of == of


def test_a_learning_rate_works_from_the_next_update_on(walk: Walk, truth: Truth) -> None:
    update, before = truth.index("update"), 0.5
    walk.line(update - 1).locator(".line-go").click()
    grad = truth.state(0, update)["w"]["grad"]["data"]
    field = walk.page.get_by_label("Learning rate as a number")
    field.fill("0.25")
    sent: list[str] = []
    walk.page.on("request", lambda request: sent.append(request.method))
    with walk.page.expect_response(lambda answer: answer.request.method == "PATCH"):
        field.press("Enter")
    assert "next update" in walk.text(".rate-note")
    walk.page.wait_for_function("() => !document.body.hasAttribute('data-stale')")
    assert walk.chip("w") == "0.5"
    walk.page.locator(".stage-view").click(position={"x": 5, "y": 200})
    walk.press("ArrowRight")
    assert same(walk.chip("w"), before - 0.25 * grad)
    assert "0.25" in walk.text(".inspector-body")
    assert sent.count("PATCH") == 1


def test_training_draws_the_loss_and_a_click_leads_back(walk: Walk) -> None:
    walk.page.get_by_role("region", name="Learning rate").get_by_role(
        "button", name="Train 100 iterations"
    ).click()
    walk.wait_at(100, 0)
    line = walk.page.locator(".chart-stage path.chart-line")
    line.wait_for()
    stage = walk.page.locator(".chart-stage")
    box = stage.bounding_box()
    assert box is not None
    stage.click(position={"x": box["width"] * 0.5, "y": box["height"] * 0.5})
    walk.wait_until("iteration !== 100")
    iteration, step = walk.at
    assert 30 <= iteration <= 70 and step == 0
    slider = walk.page.get_by_role("slider", name="Loss by iteration: go to an iteration")
    slider.focus()
    walk.press("ArrowRight").wait_at(iteration + 1, 0)
    walk.press("Home").wait_at(0, 0)


def test_the_chart_library_comes_when_the_chart_is_opened(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    walk = Walk(page).open("gradient-descent")
    page.get_by_role("button", name="Run one iteration").click()
    walk.wait_at(1, 0)
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "plotly.min" in url]
    page.get_by_role("button", name="Open chart").click()
    page.locator(".chart-plot .main-svg").first.wait_for()
    assert len([url for url in asked if "plotly.min" in url]) == 1
    told = page.get_by_role("dialog").inner_text()
    assert "loss" in told and "∂ norm" in told and "η" in told
    page.get_by_role("button", name="Close").click()
    page.get_by_role("dialog").wait_for(state="detached")
    assert walk.press("ArrowRight").at == (1, 1)


def test_gradients_are_checked_on_demand(walk: Walk, truth: Truth) -> None:
    walk.press("End")
    walk.page.get_by_role("button", name="Check the gradients").click()
    rows = walk.page.locator(".check-table tbody tr")
    rows.first.wait_for()
    assert {"w", "x"} <= set(walk.page.locator(".check-table tbody th").all_inner_texts())
    assert walk.page.locator(".check-table tr.off").count() == 0
    assert walk.text(".check-ok").startswith("✓")


def test_the_neurons_tab_shows_the_same_network(new_page: NewPage, server: Server) -> None:
    walk = Walk(new_page(reduced_motion="reduce")).open("network-2-3-1")
    walk.press("End")
    walk.page.get_by_role("tab", name="Neurons").click()
    neurons = walk.page.locator(".neuron")
    neurons.first.wait_for()
    assert neurons.count() == 2 + 3 + 1
    with Truth(server, lesson="network-2-3-1") as truth:
        end = truth.state(0, len(truth.plan))
    shown = walk.page.locator(".neuron .neuron-value").all_inner_texts()
    rows = (end[name]["value"]["data"][0] for name in ("input", "1.a", "3.a"))
    true = [value for row in rows for value in row]
    assert all(same(text, value) for text, value in zip(shown, true, strict=True)), (shown, true)
    walk.press("Home")
    assert walk.page.locator(".neuron .neuron-value").all_inner_texts() == ["?"] * 6
    walk.page.get_by_role("tab", name="Graph").click()
    walk.node("0.weight").wait_for()


def test_any_element_of_a_product_is_written_out(new_page: NewPage, server: Server) -> None:
    walk = Walk(new_page(reduced_motion="reduce")).open("network-2-3-1")
    with Truth(server, lesson="network-2-3-1") as truth:
        product = truth.index("forward", "0.z")
    walk.line(product).locator(".line-go").click()
    cells = walk.page.locator(".inspector [role=gridcell]")
    cells.first.wait_for()
    cells.nth(2).click()
    walk.page.wait_for_function(
        "() => document.querySelector('.inspector .line-where').textContent.includes('[0, 2]')"
    )
    numbers = walk.page.locator(".inspector .row-numbers").first.inner_text().replace("\n", "")
    for factor in ("0.5", "0.6", "0.3"):  # 0.5 · 1 + 0.6 · 2 + 0.3
        assert factor in numbers
    assert "2" in walk.page.locator(".inspector .row-result").first.inner_text()


def test_a_penalty_stands_on_the_stage_where_it_counts(new_page: NewPage, server: Server) -> None:
    with Truth(server, lesson="network-2-3-1") as truth:
        truth.client.post(f"{truth.path}/step", json={"unit": "iteration"})
        truth.client.patch(truth.path, json={"regularisation": {"l2": 0.1}})
        truth.client.post(f"{truth.path}/seek", json={"iteration": 0, "step": 1})
        walk = Walk(new_page(reduced_motion="reduce"))
        walk.open(f"/walk/session/{truth.session['id']}")
        penalty = walk.node("l2.lambda")
        assert penalty.count() == 0
        walk.press("End").press("ArrowRight", 2)
        penalty.wait_for()
        assert walk.at == (1, 2)
        walk.press("Home").press("ArrowLeft")
        penalty.wait_for(state="detached")
        assert walk.at[0] == 0
