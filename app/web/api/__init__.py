"""The REST API, one room a topic. `routers` is what the roof includes, the most used first, since
they are tried in turn; `TOPICS` is the order in which people read.
"""

from __future__ import annotations

from app.web.api import (
    catalogue,
    changes,
    datasets,
    doctor,
    fused,
    lab,
    landscape,
    lessons,
    moves,
    plans,
    playing,
    reading,
    samples,
    scalars,
    sessions,
    surveys,
)

routers = [
    moves.router,
    reading.router,
    changes.router,
    playing.router,
    sessions.router,
    lab.router,
    doctor.router,
    landscape.router,
    surveys.router,
    plans.router,
    scalars.router,
    fused.router,
    lessons.router,
    samples.router,
    catalogue.router,
    datasets.router,
    datasets.files,
]

TOPICS = [
    {"name": "lessons", "description": "Prepared specs with words."},
    {"name": "catalogue", "description": "All that a spec can be made of."},
    {"name": "data", "description": "Data sets, and a table of one's own."},
    {"name": "sessions", "description": "One person's run of a lesson or a spec."},
    {"name": "moving", "description": "Ahead and back in time. A position is (iteration, step)."},
    {
        "name": "changing",
        "description": "By hand: a value, the learning rate, zero_grad, clipping.",
    },
    {"name": "looking", "description": "Frames, values, gradients, history. Moves nothing."},
    {"name": "playing", "description": "Training at full speed that is watched live."},
    {"name": "plans", "description": "Micro-batches, checkpoints, float16: what they do, shown."},
    {
        "name": "experiments",
        "description": "Is the gradient right, which rate is, what ails a run?",
    },
    {"name": "server", "description": "The server itself."},
]
