"""The examples on the API page, made by a real session the first time that somebody looks: they
cannot go out of date.
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import FastAPI

from app.lab import doctor as doctoring
from app.lab import gradient_check as checking
from app.lab import sharpness as sharpening
from app.lab import sweep as sweeping
from app.lab.condition import called_off
from app.lab.evidence import Evidence
from app.lab.landscape import survey
from app.lab.range_test import range_test
from app.lab.treatment import treat
from app.lab.vitals import vitals
from app.lessons import lessons, topics
from app.sessions.actions import Step, Train
from app.sessions.frames import encode, make_frames, make_leg
from app.sessions.graphs import graph_view
from app.sessions.moment import Moment
from app.sessions.scalars import scalars_view
from app.sessions.session import Session, new_record, worded
from app.sessions.views import element_view, node_view, plan_view, state_view
from app.settings import Limits
from app.train.approaches import approaches
from app.train.plans.decay import decay_view
from app.train.plans.memory import memory_view
from app.train.plans.proof import accumulation_proof
from app.train.plans.underflow import underflow_view
from app.train.run import Run
from app.train.spec import parse_spec
from app.web.api import datasets as dataset_routes
from app.web.api import lessons as lesson_routes
from app.web.api import samples as sample_routes
from app.web.api.catalogue import catalogue
from app.web.api.playing import maps_view
from app.web.events import message

SPEC = {"program": "L = (w*x + b)**2", "values": {"w": 2, "x": 3, "b": 1}, "parameters": ["w", "b"]}
FOREIGN = ("HTTPValidationError", "ValidationError")  # FastAPI's own form of refusal; not ours
PLAN = {
    "model": {"layers": [{"type": "linear", "out_features": 1}, "tanh"]},
    "loss": "mse",
    "data": {"inputs": [[1.0], [2.0]], "targets": [[0.5], [1.0]]},
    "accumulate": 2,
    "checkpoint": 1,
    "precision": "float16",
}
CLASSES = {
    "model": {"layers": [{"type": "linear", "out_features": 1}]},
    "loss": "bce_with_logits",
    "data": {"dataset": "gaussians", "samples": 5, "validation": 0.2},
    "batch_size": 2,
    "shuffle": True,
}
PAIR = {"program": "L = sum(w*x)", "values": {"w": [1, 2], "x": [3, 4]}}
ID = "Zk3hT0dWn8xQ"


class Demo:
    """A session that nobody else sees."""

    def __init__(self) -> None:
        self.session = Session(new_record(ID, SPEC, lesson=None, title="A line, squared"), Limits())

    def face(self) -> dict[str, Any]:
        leg = make_leg(self.session, self.session.position.iteration)
        return self.session.face(leg.losses[self.session.position.step])

    def go(self, move: Step | Train) -> None:
        target = move.target(self.session)
        self.session.reach(target.iteration)
        self.session.arrive(target)
        self.session.revision += 1

    def frame(self, index: int) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(make_frames(self.session, 0, index, index + 1)[index])
        return found


def made() -> dict[str, Any]:
    """All examples by name."""
    demo = Demo()
    session = demo.session
    run, of = session.run, session.of(0)
    graph, plan = graph_view(run.graph(0)), plan_view(run, 0)
    found: dict[str, Any] = {
        "graph": graph,
        "plan": plan,
        "session": {
            **demo.face(),
            "title": session.title,
            "lesson": None,
            "spec": SPEC,
            "graph": graph,
            "plan": plan,
            "changes": [],
            "notes": [],
        },
    }
    demo.go(Step(3))
    found["moved"] = {**demo.face(), "frames": [demo.frame(2)]}
    found["sought"] = {**demo.face(), "frames": []}
    found["state"] = demo.face()
    found["frames"] = {"iteration": 0, "of": of, "frames": [demo.frame(2)]}
    found["snapshot"] = state_view(run, *session.position)
    found["node"] = node_view(run, 0, of, "w")
    product = run.graph(0).ops[0].name
    found["element"] = element_view(run, 0, 2, product, "value", 0, [])
    change = session.value_change("w", 1.5)
    effect = session.effect(change)
    session.apply(change)
    session.settle(change.iteration)
    session.revision += 1
    found["changed"] = {**demo.face(), "effect": effect, "changes": session.log, "frames": []}
    demo.go(Train(iterations=2))
    found["trained"] = {
        **demo.face(),
        "ended": vars(called_off(session.position.iteration, False)),
        "best": None,
        "changes": session.log,
        "history": session.history(0, None),
        "frames": [],
    }
    found["history"] = session.history(0, None)
    for setting in session.setting_changes({"lr": 0.02}):
        session.apply(setting)
    session.revision += 1
    found["patched"] = {
        **demo.face(),
        "effect": None,
        "plan": plan_view(run, session.position.iteration),
        "changes": session.log,
        "frames": [],
    }
    still = {"playing": False, "reason": "paused", "says": "", "batch_loss": run.loss(2)}
    found["played"] = {**demo.face(), **still}
    found["maps"] = drawn()
    session.apply(session.restore_change(0))
    session.revision += 1
    found["restored"] = {**demo.face(), "effect": None, "changes": session.log, "frames": []}
    found["event"] = message("session", demo.face()).decode()
    check = worded(checking.as_json(checking.gradient_check(run, 0)))
    found["check"] = {"position": Moment(0, 0)._asdict() | {"of": of}, **check}
    lanes = sweeping.sweep(SPEC, [{"lr": 0.01}, {"lr": 0.2}], 5)
    found["sweep"] = {"lanes": [worded(sweeping.as_json(lane)) for lane in lanes]}
    found["approaches"] = worded(approaches(run, 0))
    found |= other_plans()
    sick = Run(parse_spec({**SPEC, "optimizer": {"type": "sgd", "lr": 0.2}}))
    found["doctor"] = worded(doctoring.report(sick, 6))
    tried = treat(sick, 6, "exploding", "lower_rate", max_iterations=60)
    found["treatment"] = worded({**vars(tried), "lanes": [vars(lane) for lane in tried.lanes]})
    found["vitals"] = worded(vitals(Evidence(sick, 4, 2)))
    found["sharpness"] = worded(sharpening.as_json(sharpening.course(sick, 2, 2)))
    found["landscape"] = worded(survey(sick, 2, points=3).grid())
    found["sharpness_course"] = worded(
        sharpening.course_of(SPEC, {"lr": 0.01}, 4, 2, lambda done, of: True)
    )
    found["range_test"] = worded(vars(range_test(SPEC, iterations=12)))
    first = next(iter(lessons()))
    found["lessons"] = {"lessons": [lesson_routes.brief(first)], "topics": topics()}
    found["lesson"] = orjson.loads(lesson_routes.whole(first))
    apart = Session(new_record(ID, {**PAIR, "scalars": True}, lesson=None, title=""), Limits())
    found["scalars"] = scalars_view(apart, 0)
    found["taken_apart"] = {
        **found["session"],
        "spec": orjson.loads(apart.document),
        "graph": graph_view(apart.run.graph(0)),
        "plan": plan_view(apart.run, 0),
        "node": "w[0]",
    }
    found["fused"] = turned(found["session"])
    found |= dataset_routes.examples()
    found |= sample_routes.examples(Run(parse_spec(CLASSES)))
    found["catalogue"] = {name: rows[:1] for name, rows in orjson.loads(catalogue()).items()}
    return {name: orjson.loads(encode(value)) for name, value in found.items()}


def turned(told: dict[str, Any]) -> dict[str, Any]:
    """A sequence of three steps, fused before it was trained."""
    document = {**lessons()["bptt-three-steps"].spec, "fused": True}
    session = Session(new_record(ID, document, lesson=None, title=""), Limits())
    return {
        **told,
        "title": session.title,
        "spec": document,
        "graph": graph_view(session.run.graph(0)),
        "plan": plan_view(session.run, 0),
        "node": "0.H",
    }


def drawn() -> dict[str, Any]:
    """The maps of a small network."""
    document = {key: value for key, value in PLAN.items() if key in ("model", "loss", "data")}
    return maps_view(Session(new_record(ID, document, lesson=None, title=""), Limits()), 0, 2)


def other_plans() -> dict[str, Any]:
    """Micro-batches, checkpoints and float16 on two samples."""
    run = Run(parse_spec(PLAN))
    views = {"proof": accumulation_proof, "memory": memory_view, "underflow": underflow_view}
    pulled = Run(parse_spec(lessons()["weight-decay"].spec))
    told = {name: worded(view(run, 0)) for name, view in views.items()}
    return {**told, "decay": worded(decay_view(pulled, 0))}


def install(app: FastAPI) -> None:
    """Put the examples where routes name them."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            examples, whole = made(), plain()
            for operations in whole["paths"].values():
                for operation in operations.values():
                    _fill(operation, examples)
            for name in FOREIGN:
                whole["components"]["schemas"].pop(name, None)
        return plain()

    app.openapi = openapi  # type: ignore[method-assign]


def _fill(operation: dict[str, Any], examples: dict[str, Any]) -> None:
    for status, response in list(operation["responses"].items()):
        if FOREIGN[0] in str(response):
            del operation["responses"][status]
            continue
        for media in response.get("content", {}).values():
            named = media.get("example")
            if isinstance(named, dict) and set(named) == {"made"}:
                media["example"] = examples[named["made"]]
