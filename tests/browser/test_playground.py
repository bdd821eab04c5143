"""The playground: training that is watched, changed while it runs, frozen and walked through."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.browser.conftest import NewPage, Watch
from tests.browser.walking import Walk, read, same
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

# How many of the output's pixels are nearer to the second class, of a canvas as it is shown.
SECOND = """() => {
  const map = document.querySelector(".plane-map"); // drawn by a thread of its own
  const copy = new OffscreenCanvas(100, 100).getContext("2d");
  copy.drawImage(map, 0, 0, 100, 100);
  const { data } = copy.getImageData(0, 0, 100, 100);
  let second = 0;
  for (let i = 0; i < data.length; i += 4) second += data[i + 2] > data[i] ? 1 : 0;
  return second / (data.length / 4);
}"""


def opened(page: Page, address: str = "/playground") -> Page:
    page.goto(address)
    page.wait_for_selector("main[data-ready]")
    page.wait_for_function("() => document.querySelector('#play-train').textContent !== '–'")
    return page


def until(page: Page, updates: int) -> None:
    """So many updates have been made."""
    count = "document.querySelector('#play-iteration').textContent.replace(/\\D/g, '')"
    page.wait_for_function(f"(n) => Number({count}) > n", arg=updates, timeout=30_000)


def shown(page: Page, name: str) -> str:
    return page.inner_text(f"#play-{name}")


def session_of(page: Page) -> str:
    """The id of the session that this page watches."""
    found = page.evaluate(
        "() => performance.getEntriesByType('resource').map((it) => it.name)"
        ".filter((name) => name.endsWith('/live')).at(-1)"
    )
    return str(found).split("/")[-2]


def test_the_network_learns_before_ones_eyes(new_page: NewPage, axe: Callable[[Any], Any]) -> None:
    page = opened(new_page())
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    first, before = read(shown(page, "train")), page.evaluate(SECOND)
    assert axe(page) == []
    page.keyboard.press("Space")
    until(page, 3000)
    page.get_by_role("slider", name="Learning rate, on a scale").fill("-1.5")
    at = int(shown(page, "iteration").replace("\u202f", ""))
    until(page, at + 3000)  # on, not from the start
    page.keyboard.press("Space")
    page.wait_for_selector("body[data-playing=false]")
    assert read(shown(page, "train")) < first / 2
    assert read(shown(page, "accuracy").split()[0]) > 85
    assert abs(page.evaluate(SECOND) - before) > 0.1  # the boundary has moved
    assert page.evaluate("() => document.querySelector('#play-lr').value") == "0.032"
    with page.expect_response(lambda answer: answer.url.endswith("/api/sessions")) as made:
        page.get_by_role("button", name="Add a neuron to layer 2").click()
    spec = made.value.json()["spec"]  # a new beginning, with the same seed and the new rate
    assert [layer["out_features"] for layer in spec["model"]["layers"][::2]] == [4, 3, 1]
    assert (spec["seed"], spec["optimizer"]["lr"]) == (1, 0.032)
    page.wait_for_function("() => document.querySelector('#play-iteration').textContent === '0'")


def test_a_frozen_update_is_the_one_that_is_walked_through(
    new_page: NewPage, server: Server
) -> None:
    page = opened(new_page(reduced_motion="reduce"))
    page.get_by_role("button", name="Train").click()
    until(page, 300)
    page.get_by_role("button", name="Freeze here").click()
    walk = Walk(page).ready()
    iteration, step = walk.at
    assert iteration > 300 and step == 0
    with server.client() as client:
        path = f"/api/sessions/{page.url.split('/')[-1].split('#')[0]}"
        frozen = client.get(f"{path}/play").json()
    assert frozen["position"]["iteration"] == iteration
    walk.press("ArrowDown", 4).wait_at(iteration, 8)
    assert same(page.inner_text(".chart-now"), frozen["batch_loss"])
    page.get_by_role(
        "link", name="Back to playing"
    ).click()  # to the same run, and in a second tab, too
    page.wait_for_function(
        "(n) => document.querySelector('#play-iteration')?.textContent.replace(/\\D/g, '') === n",
        arg=str(iteration),
    )
    second = opened(new_page(reduced_motion="reduce"), page.url)
    second.get_by_role("button", name="Train").click()
    until(page, iteration + 200)
    page.get_by_role("button", name="Pause").click()
    second.get_by_role("button", name="Train").wait_for()


def test_points_of_ones_own_are_learned_from(new_page: NewPage, watch: Watch) -> None:
    watch.expect("status of 422")
    page = opened(new_page(reduced_motion="reduce"))
    with page.expect_response(lambda answer: answer.url.endswith("/api/sessions")) as made:
        page.get_by_role("button", name="Empty plane").click()
    assert len(made.value.json()["spec"]["data"]["inputs"]) == 2
    page.get_by_role("button", name="●").click()
    page.wait_for_function("() => document.querySelector('#play-train').textContent !== '–'")
    box = page.locator(".plane").bounding_box()
    assert box is not None
    with page.expect_response(lambda answer: answer.url.endswith("/api/sessions")) as made:
        page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 0.9 * box["height"])
    data = made.value.json()["spec"]["data"]
    assert data["targets"] == [[0], [1], [0]]
    assert data["inputs"][2][0] > 0.3 and data["inputs"][2][1] < -0.3  # on the right, below
    with page.expect_response(
        lambda answer: (
            answer.url.endswith("/api/sessions")
            and len(answer.request.post_data_json["spec"]["data"]["inputs"]) == 5
        )
    ):  # two at once: neither is lost
        page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + 0.9 * box["height"])
        page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.8 * box["height"])
    page.get_by_role("button", name="CSV").click()
    page.get_by_label("The table as CSV").fill("a,b,kind\n1,2,x\n2,oh,y\n")
    page.get_by_role("button", name="Use it").click()
    page.get_by_text("In line 3, column 2 (b)").wait_for()
    page.get_by_label("The table as CSV").fill("a,b,kind\n1,2,x\n2,1,y\n3,3,x\n")
    with page.expect_response(lambda answer: answer.url.endswith("/api/sessions")) as made:
        page.get_by_role("button", name="Use it").click()
    assert made.value.json()["spec"]["data"]["classes"] == ["x", "y"]


def test_a_run_that_breaks_says_so_on_a_phone(new_page: NewPage, axe: Callable[[Any], Any]) -> None:
    page = opened(new_page(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True))
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert axe(page) == []
    go = page.get_by_role("button", name="Train").bounding_box()
    assert go is not None and go["y"] + go["height"] <= 844  # in reach of a thumb
    with page.expect_response(lambda answer: answer.url.endswith("/api/sessions")):
        page.locator("[data-set=plane]").click()
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        page.locator("#play-lr").fill("1e300")
        page.locator("#play-lr").press("Enter")
    page.get_by_role("button", name="Train").click()
    page.get_by_role("alert").wait_for()
    told = page.get_by_role("alert").inner_text()
    assert "not finite" in told and "iteration" in told
    page.get_by_role("button", name="Walk through it").click()
    walk = Walk(page).ready()
    assert f"iteration {walk.at[0]}" in told


def test_a_sequence_is_learned_token_by_token(
    new_page: NewPage, axe: Callable[[Any], Any], server: Server
) -> None:
    page = opened(new_page())
    with page.expect_response(lambda answer: answer.url.endswith("/api/sessions")) as made:
        page.locator("[data-set=copy]").click()
        page.locator("#play-lr").fill("0.03")  # at once, while the new run is being made
        page.locator("#play-lr").press("Enter")
    assert made.value.json()["spec"]["model"]["layers"][0]["type"] == "rnn"
    page.locator(".recital .is-wrong").first.wait_for()  # nothing has been learned yet
    assert axe(page) == []
    page.get_by_role("button", name="Train").click()
    page.wait_for_function(
        "() => !document.querySelector('.recital .is-wrong') &&"
        " document.querySelector('#play-accuracy').textContent === '100 %'",
        timeout=30_000,
    )
    page.get_by_role("button", name="Pause").click()
    page.wait_for_selector("body[data-playing=false]")
    said = [cell.strip("✓") for cell in page.locator(".recital-said").all_inner_texts()]
    with server.client() as client:
        path = f"/api/sessions/{page.url.split('/')[-1].split('#')[0]}"
        told = client.get(f"{path}/maps").json()
        assert client.get(path).json()["settings"]["lr"] == 0.03
    assert said == [str(one) for row in told["sequences"]["targets"] for one in row]


def test_seeds_and_more_are_folded_away(new_page: NewPage) -> None:
    page = opened(new_page(reduced_motion="reduce"))
    assert not page.locator("#play-jitter").is_visible()
    page.get_by_text("More: held back").click()
    specs = []
    for act in (
        lambda: page.locator("#play-dataSeed").fill("7"),
        lambda: page.get_by_role("button", name="New seed").click(),
        lambda: page.locator("#play-jitter").fill("0.2"),
        lambda: page.locator("#play-one").check(),
    ):
        with page.expect_response(lambda answer: answer.url.endswith("/api/sessions")) as made:
            act()
            page.keyboard.press("Tab")
        specs.append(made.value.json()["spec"])
    assert [spec["data"]["seed"] for spec in specs] == [7] * 4
    assert specs[0]["seed"] == 1 and specs[1]["seed"] == specs[3]["seed"] != 1
    assert specs[2]["data"]["augment"] == {"jitter": 0.2}
    assert not page.locator("#play-jitter").is_visible()  # one batch is always the same
    until(page, 20)  # it is ticked to be seen


def test_the_loss_curve_as_a_file(new_page: NewPage, server: Server) -> None:
    page = opened(new_page(reduced_motion="reduce"))
    sets, own, side = (
        page.locator(where).bounding_box() for where in ("#play-sets", "#play-own", ".play-side")
    )
    assert sets and own and side and own["y"] >= sets["y"] + sets["height"]
    assert own["x"] + own["width"] <= side["x"] + side["width"]
    page.get_by_role("button", name="Train").click()
    until(page, 100)
    page.get_by_role("button", name="Pause").click()
    page.wait_for_selector("body[data-playing=false]")
    files = {}
    for way in ("CSV", "SVG"):
        page.get_by_label("Download the loss curve").click()
        with page.expect_download() as saved:
            page.get_by_role("button", name=way, exact=True).click()
        files[way] = saved.value.path().read_text()
    first, *rows = files["CSV"].split()
    assert first == "iteration,train_loss,validation_loss,lowest_batch,highest_batch"
    with server.client() as client:
        history = client.get(f"/api/sessions/{session_of(page)}/history").json()
    low, high = (float(rows[0].split(",")[k]) for k in (3, 4))
    seen = history["train_loss"][: int(rows[0].split(",")[0])]
    assert (low, high) == (min(seen), max(seen))
    assert files["SVG"].count("<path") > 3 and "held back (dashed)" in files["SVG"]
