"""Who watches slowly sees the latest picture, and every peak of the curve."""

from __future__ import annotations

import asyncio

from app.sessions.viewer import Curve, Point, Viewer


def test_a_curve_is_bounded_and_keeps_its_peaks() -> None:
    curve = Curve(most=100)
    for i in range(5_000):
        curve.add([Point(i, 1.0, None, 0.5, 99.0 if i == 4_321 else 1.5)])
    assert 40 <= len(curve.points) <= 101
    assert curve.points[0].iteration == 0 and curve.points[-1].iteration == 4_999
    assert max(point.high for point in curve.points) == 99.0
    curve.add([Point(10, 1.0, None, 0.5, 1.5)])  # the run was taken back
    assert curve.points[-1].iteration == 10
    nan = float("nan")
    assert Point(2, 1.0, None, nan, nan).joined(Point(1, 1.0, None, 0.2, 0.4)).low == 0.2


def test_only_the_latest_picture_waits_but_all_points() -> None:
    async def run() -> list[tuple[str, dict[str, object]]]:
        viewer = Viewer()
        viewer.scene({"id": "x"})
        for i in range(50):
            viewer.picture({"iteration": i}, [Point(i, 1.0, 2.0, 0.5, 1.5)])
        viewer.end()
        return [message async for message in viewer.messages()]

    (first, scene), (second, picture) = asyncio.run(run())
    assert (first, second) == ("scene", "picture") and scene == {"id": "x"}
    assert picture["iteration"] == 49
    points = picture["points"]
    assert isinstance(points, list) and [point[0] for point in points] == list(range(50))
