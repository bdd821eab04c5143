"""Lessons: a spec with words, one .toml file each. Adding one means adding a file here."""

from __future__ import annotations

from app.lessons.lesson import Check as Check
from app.lessons.lesson import Lesson as Lesson
from app.lessons.lesson import Note as Note
from app.lessons.lesson import lessons as lessons
from app.lessons.lesson import load as load
from app.lessons.lesson import next_lesson as next_lesson
from app.lessons.lesson import topics as topics
