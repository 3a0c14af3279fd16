"""Charts as inline SVG: text stays text, nothing is loaded, and a label says what is seen."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence

_WIDTH = 720
_LEFT = 170
"""Pixels for the labels of bars."""
_BAR, _GAP = 13, 12
_TOP = 40
_INK, _QUIET = "#1c2b33", "#d5dde1"


def bars(
    title: str,
    labels: Sequence[str],
    series: dict[str, Sequence[float]],
    colours: Sequence[str],
    show: Callable[[float], str],
) -> str:
    """Horizontal bars in groups, each with its figure; one that is missing says so.

    Parameters
    ----------
    title : str
    labels : sequence of str
        One for each group.
    series : dict of str to sequence of float
        A figure for each group, NaN where missing.
    colours : sequence of str
        One for each series.
    show : callable
        A figure as text.
    """
    known = [value for values in series.values() for value in values if value == value]
    low, high = min([0.0, *known]), max([0.0, *known])
    room, span = _WIDTH - _LEFT - 110, (high - low) or 1.0
    zero = _LEFT - low / span * room
    group = len(series) * _BAR + _GAP
    parts = [
        _text(_LEFT - 8, _TOP + at * group + len(series) * _BAR / 2 + 4, label, anchor="end", most=26)
        for at, label in enumerate(labels)
    ]
    for number, (values, colour) in enumerate(zip(series.values(), colours, strict=False)):
        for at, value in enumerate(values):
            y = _TOP + at * group + number * _BAR
            length = 0.0 if value != value else abs(value) / span * room
            start = zero - length if value < 0 else zero
            parts.append(_box(start, y, length, _BAR - 1, colour))
            parts.append(_text(max(zero, start + length) + 5, y + _BAR - 3, show(value), size=11))
    height = _TOP + len(labels) * group
    parts.append(f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="{_TOP - 4}" y2="{height - _GAP + 4}" stroke="{_INK}"/>')
    return _chart(title, height, parts, _legend(series, colours))


def columns(
    title: str,
    labels: Sequence[str],
    series: dict[str, Sequence[float]],
    colours: Sequence[str],
    show: Callable[[float], str],
    most: float | None = None,
) -> str:
    """Upright columns in groups, on a scale from 0 to `most`, or to the largest.

    Parameters are those of `bars`.
    """
    known = [value for values in series.values() for value in values if value == value]
    high = max([*known, most or 0.0]) or 1.0
    tall, left, bottom = 150, 70, _TOP + 150
    step = (_WIDTH - left - 10) / max(len(labels), 1)
    wide = min(step * 0.8 / max(len(series), 1), 40)
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = bottom - share * tall
        parts.append(f'<line x1="{left}" x2="{_WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_QUIET}"/>')
        parts.append(_text(left - 6, y + 4, show(share * high), anchor="end", size=11))
    for number, (values, colour) in enumerate(zip(series.values(), colours, strict=False)):
        for at, value in enumerate(values):
            length = 0.0 if value != value else value / high * tall
            x = left + at * step + (step - wide * len(series)) / 2 + number * wide
            parts.append(_box(x, bottom - length, wide - 1, length, colour))
    turned = step < 90
    for at, label in enumerate(labels):
        x = left + (at + 0.5) * step
        where = {"anchor": "end", "turn": -45} if turned else {"anchor": "middle"}
        parts.append(_text(x + 4 * turned, bottom + 14, label, size=11, most=15 if turned else 28, **where))
    return _chart(title, bottom + (100 if turned else 24), parts, _legend(series, colours))


def _chart(title: str, height: float, parts: Sequence[str], legend: str) -> str:
    told = html.escape(title, quote=True)
    return (
        f'<svg role="img" aria-label="{told}" viewBox="0 0 {_WIDTH} {math.ceil(height)}">'
        f"{_text(0, 14, title, size=14, bold=True)}{legend}{''.join(parts)}</svg>"
    )


def _legend(series: dict[str, Sequence[float]], colours: Sequence[str]) -> str:
    parts = []
    for at, (name, colour) in enumerate(zip(series, colours, strict=False)):
        x = _LEFT + at * 110
        parts.append(_box(x, 22, 10, 10, colour) + _text(x + 15, 31, name, size=11))
    return "".join(parts)


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: int = 12,
    bold: bool = False,
    turn: int = 0,
    most: int = 120,
) -> str:
    text = str(text)
    shown = text if len(text) <= most else f"{text[: most - 1]}…"
    whole = f"<title>{html.escape(text)}</title>" if shown != text else ""
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{_INK}"{weight}{turned}>'
        f"{html.escape(shown)}{whole}</text>"
    )
