"""A walk page as a person reads it: the counter, the numbers on the nodes, the words beside them.

Everything is read from what is shown, never from the page's variables. Most walks ask for reduced
motion, so that no test waits for a packet to arrive.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

NUMBERS = """Object.fromEntries([...document.querySelectorAll(".node[data-node]")].map((node) => {
  const slot = (role) => {
    const place = node.querySelector(`.role-${role}`);
    if (!place) return null;
    const number = place.querySelector(".chip-number");
    const sign = place.querySelector(".chip-sign")?.textContent;
    return number ? { text: number.textContent, sign }
      : { heat: place.querySelector("[role=img], svg, canvas, .heat") !== null };
  };
  return [node.dataset.node, { value: slot("value"), grad: slot("grad"), said: node.ariaLabel }];
}))"""
# All that a step shows, in one look: many small questions would take most of a walk's time.
LOOK = """() => {
  const text = (selector) => document.querySelector(selector)?.innerText ?? null;
  const bottom = (selector) => document.querySelector(selector)?.getBoundingClientRect().bottom;
  const read = (name) => text(`.counter-${name} .counter-value`);
  return {
    at: [Number(read("iteration").replace(/\\D/g, "")), parseInt(read("step"))],
    line: text(".program-line.is-current .line-code"),
    title: text(".inspector h2"),
    says: text(".inspector .says"),
    hidden: bottom(".inspector-body .line") > bottom(".inspector-body") + 1,
    numbers: NUMBERS,
  };
}""".replace("NUMBERS", NUMBERS)
COUNTERS = """() => {
  const read = (name) => document.querySelector(`.counter-${name} .counter-value`).textContent;
  const [iteration, step] = [Number(read("iteration").replace(/\\D/g, "")), parseInt(read("step"))];
  return CONDITION;
}"""
SCROLL = """async (share) => {
  const panel = document.querySelector(".panel-program");
  const first = panel.querySelector(".program-line");
  const away = Math.round(share * first.ariaSetSize) - Number(first.dataset.index);
  const step = Math.sign(away) * panel.clientHeight;
  const far = Math.abs(away) > 100;
  panel.scrollTo(0, far ? share * panel.scrollHeight : panel.scrollTop + step / 2);
  for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
}"""
SETTLED = "() => !document.querySelector('.is-travelling')"


def read(text: str) -> float:
    """A number as the page writes it: "−3.1e−5", "1 230", "∞"."""
    return float(text.replace("−", "-").replace("∞", "inf").replace("\u202f", ""))


def same(shown: str, true: float | str) -> bool:
    """Do the digits shown round the true number? Two or three digits are shown."""
    true, found = float(true), read(shown)
    if true != true:
        return shown == "NaN"
    digits = 5e-2 if 0 < abs(true) < 1e-3 or abs(true) >= 1e5 else 5e-3
    return found == true or abs(found - true) <= digits * abs(true) * 1.0001


class Walk:
    """One open walk page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, address: str) -> Walk:
        self.page.goto(address if address.startswith(("/", "http")) else f"/walk/{address}")
        return self.ready()

    def ready(self) -> Walk:
        self.page.wait_for_selector("main[data-ready]")
        return self

    # -- what stands there -------------------------------------------------------------------

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.inner_text())

    @property
    def at(self) -> tuple[int, int]:
        """(iteration, step), from the counters."""
        iteration = self.text(".counter-iteration .counter-value").replace("\u202f", "")
        return int(iteration), int(self.text(".counter-step .counter-value").split("/")[0])

    @property
    def of(self) -> int:
        return int(self.text(".counter-step .counter-value").split("/")[1])

    def numbers(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(f"() => {NUMBERS}")
        return found

    def look(self) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(LOOK)
        return found

    def chip(self, node: str, slot: str = "value") -> str:
        place = f'.node[data-node="{node}"] .role-{slot} .chip-number'
        return self.page.locator(place).inner_text()

    def current_line(self) -> str:
        return self.text(".program-line.is-current .line-code")

    def line(self, index: int) -> Locator:
        return self.page.locator(f'.program-line[data-index="{index}"]')

    def go_to(self, index: int) -> Walk:
        """By the program's line; of a long program it has to be scrolled into view first."""
        for _ in range(20):
            if self.line(index).count():
                break
            self.page.evaluate(SCROLL, index / self.of)
        self.line(index).locator(".line-go").click()
        return self

    def loss(self) -> float:
        return read(self.text(".chart-now"))

    # -- what a hand does --------------------------------------------------------------------

    def press(self, key: str, times: int = 1) -> Walk:
        for _ in range(times):
            self.page.keyboard.press(key)
        return self

    def wait_until(self, condition: str) -> Walk:
        """Until the counters say so, in JavaScript: "step > 4"."""
        self.page.wait_for_function(COUNTERS.replace("CONDITION", condition))
        return self

    def wait_at(self, iteration: int, step: int) -> Walk:
        """For what the server must first compute."""
        return self.wait_until(f"iteration === {iteration} && step === {step}")

    def settle(self) -> Walk:
        self.page.wait_for_function(SETTLED)
        return self

    def node(self, name: str) -> Locator:
        return self.page.locator(f'.nodes .node[data-node="{name}"]')

    def edit(self, node: str, value: str) -> Walk:
        """By keyboard: to the node, Enter, the number, Enter; then until its effect is told."""
        self.node(node).focus()
        self.page.keyboard.press("Enter")
        field = self.page.locator(".editor input").first
        field.wait_for()
        field.fill(value)
        with self.page.expect_response(lambda answer: answer.request.method == "PUT"):
            field.press("Enter")
        self.page.wait_for_function("() => !document.body.hasAttribute('data-stale')")
        return self


def lesson_ids(server: Server) -> list[str]:
    with server.client() as client:
        return [lesson["id"] for lesson in client.get("/api/lessons").json()["lessons"]]


class Truth:
    """The same run, asked of the API."""

    def __init__(self, server: Server, **made: Any) -> None:
        self.client = server.client()
        answer = self.client.post("/api/sessions", json=made)
        assert answer.status_code == 201, answer.text
        self.session: dict[str, Any] = answer.json()
        self.path = f"/api/sessions/{self.session['id']}"

    def __enter__(self) -> Truth:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    @property
    def plan(self) -> list[dict[str, Any]]:
        plan: list[dict[str, Any]] = self.session["plan"]
        return plan

    def index(self, phase: str, node: str | None = None, nth: int = 0) -> int:
        """The place in the plan of a phase's step."""
        found = [
            entry["index"]
            for entry in self.plan
            if entry["phase"] == phase and node in (None, entry["node"])
        ]
        return int(found[nth])

    def state(self, iteration: int, step: int) -> dict[str, Any]:
        answer = self.client.get(
            f"{self.path}/state", params={"iteration": iteration, "step": step}
        )
        nodes: dict[str, Any] = answer.json()["nodes"]
        return nodes

    def put(self, node: str, value: Any) -> dict[str, Any]:
        answer = self.client.put(f"{self.path}/nodes/{node}", json={"value": value})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def seek(self, iteration: int, step: int) -> None:
        self.client.post(f"{self.path}/seek", json={"iteration": iteration, "step": step})


def differences(shown: dict[str, Any], true: dict[str, Any]) -> list[str]:
    """One line for each number on the stage that is not the API's, or stands there too early."""
    wrong = []
    for name, here in shown.items():
        for slot in ("value", "grad"):
            if here[slot] is None:  # a node that has no gradient has no place for one
                continue
            array, chip = true[name][slot], here[slot]
            if array is None:
                if chip.get("text") != "?":
                    wrong.append(f"{name}.{slot}: {chip} before its time")
            elif "text" not in chip:
                if array["shape"] and not chip["heat"]:
                    wrong.append(f"{name}.{slot}: no picture of {array['shape']}")
                bounds = re.findall(r"from (\S+) to (\S+?)\.? ?(?=$|Grad|Press)", here["said"])
                place = bounds[0 if slot == "value" else -1] if bounds else None
                if place is None or not (
                    same(place[0], array["min"]) and same(place[1], array["max"])
                ):
                    wrong.append(
                        f"{name}.{slot}: {here['said']!r} for {array['min']}, {array['max']}"
                    )
            else:
                data = array["data"]
                while isinstance(data, list):
                    (data,) = data
                if not same(chip["text"], data):
                    wrong.append(f"{name}.{slot}: {chip['text']!r} for {data}")
                sign = "▲" if float(data) > 0 else "▼" if float(data) < 0 else ""
                if chip["sign"] != sign:
                    wrong.append(f"{name}.{slot}: {chip['sign']!r} for {data}")
    return wrong
