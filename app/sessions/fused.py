"""Recurrent layers as one op each: for training from where the run has come to, and to be seen.
Without it the steps of time are nodes again, while training goes on as it was.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from app.engine.errors import BackstepError
from app.engine.graph import Graph
from app.engine.ops.layers import RnnLayer
from app.sessions.form import Form
from app.sessions.moment import settled
from app.sessions.session import Session
from app.train.plans.fusing import in_form, parse_fused
from app.train.plans.rewritten import unchanged


class Fused(Form):
    name = "fused"

    def holds(self, session: Session) -> bool:
        return any(isinstance(node.op, RnnLayer) for node in _graph(session).ops)

    def document(self, session: Session, on: bool) -> bytes:
        """What has been trained stays as it was trained; nothing behind is touched."""
        spec = orjson.loads(session.document)
        if on and spec.get("scalars"):
            raise BackstepError(
                "needs whole arrays; put the numbers together again first", where="fused"
            )
        known = parse_fused(spec.get("fused"))
        since = _reached(session) if known is None else known.since
        given = ({"since": since} if since else {}) | ({} if on else {"shown": False})
        spec["fused"] = given or True
        return orjson.dumps(spec)

    def owners(self, old: Session, new: Session, iteration: int) -> Mapping[str, str]:
        """A node inside a layer that is one op in either belongs to the layer."""
        graphs = [session.run.graph(iteration) for session in (old, new)]
        layers = {n.scope for g in graphs for n in g.ops if isinstance(n.op, RnnLayer)}
        return {n.name: f"{n.scope}/" for g in graphs for n in g.ops if n.scope in layers}

    def node(self, old: Session, new: Session, name: str) -> str | None:
        """The node of that name, or the last one of its layer."""
        i = old.position.iteration
        graph, owners = new.run.graph(i), self.owners(old, new, i)
        layer = owners.get(name)
        if layer is None:
            return name if name in graph.nodes else None
        return [n.name for n in graph.ops if owners.get(n.name) == layer][-1]


def _graph(session: Session) -> Graph:
    return session.run.graph(session.position.iteration)


def _reached(session: Session) -> int:
    """The first iteration of which nothing is known yet: nobody has seen its end or changed it.
    Where all layers are one op already, nothing has been trained in another way.
    """
    whole = unchanged(session.run.problem)
    if in_form(whole, True) is in_form(whole, None):
        return 0
    seen = settled(session.seen, session.of).iteration
    return max([seen, *(change.iteration for change in session.changes)])
