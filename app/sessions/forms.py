"""The forms in which a session can be shown; adding one is adding a row."""

from __future__ import annotations

from app.sessions.form import Form
from app.sessions.fused import Fused
from app.sessions.scalars import Numbers

FORMS: dict[str, Form] = {form.name: form for form in (Numbers(), Fused())}
