"""A timeline as a picture: SVG without scripts, colours from the style sheet of the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from heliumql.explain.timeline import Bar, Lane, Timeline, lane_line

_LEFT, _WIDTH, _RIGHT = 8.0, 1040.0, 36.0  # of the plot, in pixels; labels are longer
_ROW, _LEAST_ROW, _ROWS = 14.0, 3.0, 24  # height of a row; with more rows than this lower ones
_HEAD, _GAP, _AXIS = 22.0, 14.0, 26.0
_AREA = 96.0  # height of a lane whose calls are counted instead of drawn
_MOST_BARS = 2000  # of a timeline, that are drawn one by one
_BINS = 260
_TICKS = 10
COLOURS = 8  # operators after these have the first ones' colours again

STYLE = (
    """
:root { --o0: #0072b2; --o1: #d98a00; --o2: #009e73; --o3: #b0589a; --o4: #5a8fd0; --o5: #8a6d3b;
  --o6: #6b6bd6; --o7: #4d9a9a; --failed: #d62828; --idle: #8885; }
@media (prefers-color-scheme: dark) { :root { --o0: #4aa8e8; --o1: #f0b03f; --o2: #35c79a;
  --o3: #dd8cc5; --o4: #8fb8ee; --o5: #c4a676; --o6: #a3a3f5; --o7: #7cc9c9; --failed: #ff5c5c; } }
.timeline svg { display: block; } .timeline svg rect { stroke: none; }
.timeline svg .lane { fill: var(--box); } .timeline svg .idle rect { fill: var(--idle); }
.timeline svg .tick { stroke: var(--line); pointer-events: none; }
.timeline svg text.t { fill: var(--soft); }
"""
    + "\n".join(f".o{n} rect, .o{n} path {{ --c: var(--o{n}); }}" for n in range(COLOURS))
    + """
.timeline svg g.failed rect { --c: var(--failed); stroke: var(--failed); }
.timeline svg rect.computed, .timeline svg path.computed { fill: var(--c); stroke: none; }
.timeline svg rect.cached { fill: var(--c); fill-opacity: .22; stroke: var(--c);
  stroke-width: .7; }
.timeline svg rect.decode, .timeline svg rect.whole, .timeline svg path.decode { fill: var(--c);
  fill-opacity: .5; stroke: none; }
.timeline svg g.call:hover rect { stroke: var(--ink); stroke-width: 1; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem;
  font-size: 13px; color: var(--soft); }
.timeline .legend svg { display: inline; vertical-align: -2px; margin-right: .35rem; }
"""
)


def as_svg(timeline: Timeline) -> str:
    """A legend, and the lanes of the workers in a box that scrolls where it is too wide."""
    if not any(lane.bars for lane in timeline.lanes):
        lines = "".join(f"<li>{escape(lane_line(lane))}</li>" for lane in timeline.lanes)
        return f"<p>{escape(timeline.engine)} does not say when its calls ran.</p><ul>{lines}</ul>"
    single = sum(len(lane.bars) for lane in timeline.lanes) <= _MOST_BARS
    heights = [_row_height(lane, single) for lane in timeline.lanes]
    scale = _WIDTH / timeline.seconds if timeline.seconds > 0 else 0.0
    colour = {name: n % COLOURS for n, name in enumerate(timeline.operators)}
    drawn: list[str] = []
    y = 0.0
    for lane, row in zip(timeline.lanes, heights, strict=True):
        height = _AREA if row is None else max(1, lane.rows) * row
        told = lane_line(lane) + ("; in colour: how many run at once" if row is None else "")
        drawn.append(f'<text x="{_LEFT:.0f}" y="{y + 15:.0f}">{escape(told)}</text>')
        y += _HEAD
        drawn.append(
            f'<g class="worker"><rect class="lane" x="{_LEFT:.0f}" y="{y:.0f}"'
            f' width="{_WIDTH:.0f}" height="{height:.0f}"/>{_idle(lane, scale, y, height)}'
        )
        if row is None:
            drawn += _areas(lane, scale, y, colour)
        else:
            drawn += (_bar(bar, scale, y, row, colour[bar.operator]) for bar in lane.bars)
        drawn.append("</g>")
        y += height + _GAP
    axis = "".join(_axis(timeline.seconds, scale, y))
    return (
        f'<div class="timeline">{_legend(timeline, any(heights), colour)}<div class="wide">'
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img"'
        f' aria-label="timeline of {escape(timeline.engine, quote=True)}"'
        f' width="{_LEFT + _WIDTH + _RIGHT:.0f}" height="{y + _AXIS:.0f}">'
        f"{''.join(drawn)}{axis}</svg></div></div>"
    )


def _row_height(lane: Lane, single: bool) -> float | None:
    """Pixels; None where the lane is drawn as numbers of running calls."""
    height = _ROW if lane.rows <= _ROWS else _ROW * _ROWS / lane.rows
    return height if single and height >= _LEAST_ROW else None


def _idle(lane: Lane, scale: float, y: float, height: float) -> str:
    strips = "".join(
        f'<rect x="{_LEFT + start * scale:.1f}" y="{y:.0f}" width="{(end - start) * scale:.1f}"'
        f' height="{height:.0f}"><title>no call runs: {_clock(start)} to {_clock(end)}</title>'
        "</rect>"
        for start, end in lane.idle
        if (end - start) * scale >= 0.5
    )
    return f'<g class="idle">{strips}</g>' if strips else ""


def _bar(bar: Bar, scale: float, top: float, row: float, colour: int) -> str:
    """The call as up to three pieces: prompt found in the cache, prompt computed, answer."""
    x, y = _LEFT + bar.started * scale, top + bar.row * row
    gap = 1.5 if row > 6 else 0.4
    width = max(0.6, (bar.finished - bar.started) * scale)

    def piece(kind: str, start: float, wide: float) -> str:
        return (
            f'<rect class="{kind}" x="{start:.1f}" y="{y + gap / 2:.1f}" width="{wide:.1f}"'
            f' height="{row - gap:.1f}"/>'
        )

    pieces = []
    if bar.first_token is None:
        pieces.append(piece("whole", x, width))
    else:
        prefill = min(width, (bar.first_token - bar.started) * scale)
        share = bar.cached_tokens / bar.prompt_tokens if bar.prompt_tokens else 0.0
        if share * prefill >= 0.1:
            pieces.append(piece("cached", x, share * prefill))
        if (1 - share) * prefill >= 0.1:
            pieces.append(piece("computed", x + share * prefill, (1 - share) * prefill))
        pieces.append(piece("decode", x + prefill, max(0.1, width - prefill)))
    kind = f"call o{colour}" + (" failed" if bar.failed else "")
    return f'<g class="{kind}"><title>{escape(_told(bar))}</title>{"".join(pieces)}</g>'


def _told(bar: Bar) -> str:
    first = "" if bar.first_token is None else f", first token at {_clock(bar.first_token)}"
    return (
        f"{bar.operator}{' (failed)' if bar.failed else ''}: {_clock(bar.started)} to"
        f" {_clock(bar.finished)}{first}; {bar.prompt_tokens:,} prompt tokens,"
        f" {bar.cached_tokens:,} of them prefix hits; {bar.output_tokens:,} out"
    )


# many calls -------------------------------------------------------------------------------


def running(lane: Lane, bins: int) -> dict[str, tuple[list[float], list[float]]]:
    """For each operator how many calls ran on average in each of `bins` equal parts of the time:
    those that had no token yet, and those that had. Where no first token is known all have."""
    counts: dict[str, tuple[list[float], list[float]]] = {}
    size = lane.seconds / bins
    for bar in lane.bars:
        prefill, decode = counts.setdefault(bar.operator, ([0.0] * bins, [0.0] * bins))
        first = bar.started if bar.first_token is None else bar.first_token
        _spread(prefill, bar.started, first, size)
        _spread(decode, first, bar.finished, size)
    return counts


def _spread(counts: list[float], start: float, end: float, size: float) -> None:
    """Adds to each bin the share of it that lies between start and end."""
    if size <= 0:
        return
    last = len(counts) - 1
    for number in range(min(int(start / size), last), min(int(end / size), last) + 1):
        inside = min(end, (number + 1) * size) - max(start, number * size)
        counts[number] += max(0.0, inside) / size


def _areas(lane: Lane, scale: float, top: float, colour: dict[str, int]) -> Iterator[str]:
    """Stacked areas; the highest one fills the lane."""
    counts = running(lane, _BINS)
    stacks = [series for both in counts.values() for series in both]
    most = max((sum(at) for at in zip(*stacks, strict=True)), default=0.0)
    if most <= 0 or scale <= 0:
        return
    below = [0.0] * _BINS
    for operator in (name for name in colour if name in counts):
        prefill, decode = counts[operator]
        failed = sum(1 for bar in lane.bars if bar.failed and bar.operator == operator)
        calls = sum(1 for bar in lane.bars if bar.operator == operator)
        told = f"{operator}: {calls:,} calls" + (f", {failed:,} failed" if failed else "")
        paths = []
        for kind, series in (("computed", prefill), ("decode", decode)):
            above = [b + s for b, s in zip(below, series, strict=True)]
            paths.append(f'<path class="{kind}" d="{_outline(below, above, most, top)}"/>')
            below = above
        yield (
            f'<g class="running o{colour[operator]}"><title>{escape(told)}</title>'
            f"{''.join(paths)}</g>"
        )
    yield (
        f'<text class="t" x="{_LEFT + _WIDTH + 4:.0f}" y="{top + 11:.0f}">{most:,.0f}'
        f"<title>calls at once, at most</title></text>"
    )


def _outline(below: Sequence[float], above: Sequence[float], most: float, top: float) -> str:
    """A closed path of steps: along `above`, back along `below`."""
    wide = _WIDTH / len(above)

    def steps(heights: Sequence[float]) -> list[str]:
        points = []
        for number, height in enumerate(heights):
            y = top + _AREA * (1 - height / most)
            points += [
                f"{_LEFT + number * wide:.1f} {y:.1f}",
                f"{_LEFT + (number + 1) * wide:.1f} {y:.1f}",
            ]
        return points

    return "M" + "L".join([*steps(above), *reversed(steps(below))]) + "Z"


# axis and legend --------------------------------------------------------------------------


def ticks(seconds: float) -> list[float]:
    """Round numbers from 0 to at most `seconds`: steps of 1, 2 or 5 times a power of ten."""
    if seconds <= 0:
        return [0.0]
    power = 10.0 ** math.floor(math.log10(seconds / _TICKS))
    step = next(power * f for f in (1, 2, 5, 10, 20) if seconds / (power * f) <= _TICKS)
    return [round(n * step, 12) for n in range(int(seconds / step + 1e-9) + 1)]


def _axis(seconds: float, scale: float, y: float) -> Iterator[str]:
    for tick in ticks(seconds):
        x = _LEFT + tick * scale
        yield f'<path class="tick" d="M{x:.1f} {_HEAD - 4:.0f}V{y:.0f}"/>'
        anchor = "middle" if tick else "start"
        yield (
            f'<text class="t" x="{x:.1f}" y="{y + 15:.0f}" text-anchor="{anchor}">{tick:g} s</text>'
        )


def _legend(timeline: Timeline, single: bool, colour: dict[str, int]) -> str:
    def swatch(kind: str, number: int, text: str, more: str = "") -> str:
        return (
            f'<li><svg width="22" height="12" aria-hidden="true"><g class="key{more} o{number}">'
            f'<rect class="{kind}" x="1" y="1" width="20" height="10"/></g></svg>'
            f"{escape(text)}</li>"
        )

    entries = [swatch("computed", number, name) for name, number in colour.items()]
    bars = [bar for lane in timeline.lanes for bar in lane.bars]
    if single and any(bar.cached_tokens for bar in bars):
        entries.append(swatch("cached", 0, "prompt: share found in the prefix cache"))
    if any(bar.first_token is not None for bar in bars):
        text = "prompt: computed" if single else "calls without a token yet"
        entries.append(swatch("computed", 0, text))
        entries.append(swatch("decode", 0, "answer" if single else "calls that answer"))
    if single and any(bar.failed for bar in bars):
        entries.append(swatch("decode", 0, "failed", " failed"))
    entries.append(
        '<li><svg width="22" height="12" aria-hidden="true"><g class="idle">'
        '<rect x="1" y="1" width="20" height="10"/></g></svg>no call runs</li>'
    )
    return f'<ul class="legend">{"".join(entries)}</ul>'


def _clock(seconds: float) -> str:
    return f"{seconds:.3f} s"
