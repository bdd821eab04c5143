"""Lessons."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.web.api.models.base import Note, Said


class Lesson(Said):
    id: str
    title: str
    topic: str
    question: str
    summary: str
    picture: dict[str, Any]


class Lessons(Said):
    lessons: list[Lesson]
    topics: list[str]


class WholeLesson(Lesson):
    spec: dict[str, Any]
    takeaway: str
    convention: str = Field(description="which squared error is in use; empty: none")
    opens: str = Field(description="what is shown first: graph, or a picture such as sequence")
    source: str
    links: list[dict[str, str]] = Field(description="where to go on: says, href")
    next: dict[str, str] | None = Field(description="the lesson after it: id, title; null: none")
    notes: list[Note]
