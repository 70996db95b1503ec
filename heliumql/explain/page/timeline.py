"""A timeline as a picture. What lies across is in percent, so that it fits and zooms by its width.

A lane for each worker, below each other in a frame that scrolls; their names stay at its left. Few
calls are bars; of many it is drawn how many of each operator run at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from heliumql.explain.page.markup import COLOURS, frame, text
from heliumql.explain.timeline import Bar, Lane, Timeline, lane_line

_ROW, _LEAST_ROW, _ROWS = 14.0, 3.0, 24  # height of a row; with more rows than this lower ones
_AREA = 84.0  # height of a lane whose calls are counted instead of drawn
_AXIS = 20.0
_MOST_BARS = 2000  # of a timeline, that are drawn one by one
_BINS = 300
_TICKS = 8
_NARROWEST = 0.02  # percent of a piece that is drawn


def as_svg(timeline: Timeline, operators: Sequence[str] = ()) -> str:
    """A legend, and the lanes of the workers; `operators` have the colours in their order."""
    if not any(lane.bars for lane in timeline.lanes):
        lines = "".join(f"<li>{text(lane_line(lane))}</li>" for lane in timeline.lanes)
        return f"<p>{text(timeline.engine)} does not say when its calls ran.</p><ul>{lines}</ul>"
    single = sum(len(lane.bars) for lane in timeline.lanes) <= _MOST_BARS
    heights = [_row_height(lane, single) for lane in timeline.lanes]
    scale = 100 / timeline.seconds if timeline.seconds > 0 else 0.0
    order = [*operators, *(name for name in timeline.operators if name not in operators)]
    colour = {name: n % COLOURS for n, name in enumerate(order) if name in timeline.operators}
    lanes = "".join(
        _lane(lane, row, scale, colour, timeline.seconds)
        for lane, row in zip(timeline.lanes, heights, strict=True)
    )
    axis = "".join(_axis(timeline.seconds, scale))
    zoom = (
        '<label class="zooming scripted">zoom <input class="zoom" type="range" min="1" max="40"'
        ' step="0.5" value="1"/></label>'
    )
    told = (
        '<p class="told scripted" aria-live="polite">Point at a call, or touch it, to read its'
        " numbers.</p>"
    )
    body = (
        f'<div class="inner">{lanes}<svg class="axis" aria-hidden="true" height="{_AXIS:.0f}">'
        f"{axis}</svg></div>"
    )
    return (
        f'<div class="timeline"><div class="tools"><h3>{text(timeline.engine)}</h3>{zoom}</div>'
        f"{_legend(timeline, any(heights), colour)}"
        f"{frame(body, f'timeline of {timeline.engine}')}{told}</div>"
    )


def _row_height(lane: Lane, single: bool) -> float | None:
    """Pixels; None where the lane is drawn as numbers of running calls."""
    height = _ROW if lane.rows <= _ROWS else _ROW * _ROWS / lane.rows
    return height if single and height >= _LEAST_ROW else None


def _lane(
    lane: Lane, row: float | None, scale: float, colour: dict[str, int], seconds: float
) -> str:
    height = _AREA if row is None else max(1, lane.rows) * row
    _, _, about = lane_line(lane).partition(": ")
    more = "; in colour: how many run at once" if row is None else ""
    ticks_drawn = "".join(
        f'<line class="tick" x1="{t * scale:.2f}%" x2="{t * scale:.2f}%" y1="0" y2="{height:.0f}"/>'
        for t in ticks(seconds)
    )
    drawn = [
        f'<rect class="bg" width="100%" height="{height:.0f}"/>',
        ticks_drawn,
        _idle(lane, scale, height),
    ]
    if row is None:
        drawn += _areas(lane, height, colour)
    else:
        drawn += (_bar(bar, scale, row, colour[bar.operator]) for bar in lane.bars)
    return (
        f'<p class="lane-name"><b>{text(lane.name)}</b><span>{text(about + more)}</span></p>'
        f'<svg class="worker" xmlns="http://www.w3.org/2000/svg" role="img"'
        f' aria-label="{text(lane_line(lane))}" height="{height:.0f}">{"".join(drawn)}</svg>'
    )


def _idle(lane: Lane, scale: float, height: float) -> str:
    strips = "".join(
        f'<rect x="{start * scale:.2f}%" width="{(end - start) * scale:.2f}%" y="0"'
        f' height="{height:.0f}"><title>no call runs: {_clock(start)} to {_clock(end)}</title>'
        "</rect>"
        for start, end in lane.idle
        if (end - start) * scale >= 0.05
    )
    return f'<g class="idle">{strips}</g>' if strips else ""


def _bar(bar: Bar, scale: float, row: float, colour: int) -> str:
    """The call as up to three pieces: prompt found in the cache, prompt computed, answer."""
    x, y = bar.started * scale, bar.row * row
    gap = 1.5 if row > 6 else 0.4
    width = max(0.08, (bar.finished - bar.started) * scale)

    def piece(kind: str, start: float, wide: float) -> str:
        return (
            f'<rect class="{kind}" x="{start:.3f}%" width="{wide:.3f}%" y="{y + gap / 2:.1f}"'
            f' height="{row - gap:.1f}"/>'
        )

    pieces = []
    if bar.first_token is None:
        pieces.append(piece("whole", x, width))
    else:
        prefill = min(width, (bar.first_token - bar.started) * scale)
        share = bar.cached_tokens / bar.prompt_tokens if bar.prompt_tokens else 0.0
        if share * prefill >= _NARROWEST:
            pieces.append(piece("cached", x, share * prefill))
        if (1 - share) * prefill >= _NARROWEST:
            pieces.append(piece("computed", x + share * prefill, (1 - share) * prefill))
        pieces.append(piece("decode", x + prefill, max(_NARROWEST, width - prefill)))
    kind = f"call o{colour}" + (" failed" if bar.failed else "")
    return f'<g class="{kind}"><title>{text(_told(bar), 300)}</title>{"".join(pieces)}</g>'


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


def _areas(lane: Lane, height: float, colour: dict[str, int]) -> Iterator[str]:
    """Stacked areas; the highest one fills the lane."""
    counts = running(lane, _BINS)
    stacks = [series for both in counts.values() for series in both]
    most = max((sum(at) for at in zip(*stacks, strict=True)), default=0.0)
    if most <= 0:
        return
    below = [0.0] * _BINS
    yield (
        f'<svg class="areas" width="100%" height="{height:.0f}" preserveAspectRatio="none"'
        f' viewBox="0 0 {_BINS} {_AREA:.0f}">'
    )
    for operator in (name for name in colour if name in counts):
        prefill, decode = counts[operator]
        failed = sum(1 for bar in lane.bars if bar.failed and bar.operator == operator)
        calls = sum(1 for bar in lane.bars if bar.operator == operator)
        told = f"{operator}: {calls:,} calls" + (f", {failed:,} failed" if failed else "")
        paths = []
        for kind, series in (("computed", prefill), ("decode", decode)):
            above = [b + s for b, s in zip(below, series, strict=True)]
            paths.append(f'<path class="{kind}" d="{_outline(below, above, most)}"/>')
            below = above
        yield (
            f'<g class="running o{colour[operator]}"><title>{text(told, 300)}</title>'
            f"{''.join(paths)}</g>"
        )
    yield (
        f'</svg><text class="most end" x="100%" dx="-4" y="13">{most:,.0f} at once'
        "<title>calls that run at the same time, at most</title></text>"
    )


def _outline(below: Sequence[float], above: Sequence[float], most: float) -> str:
    """A closed path of steps: along `above`, back along `below`."""

    def steps(heights: Sequence[float]) -> list[str]:
        points: list[str] = []
        for number, height in enumerate(heights):
            y = _AREA * (1 - height / most)
            points += [f"{number} {y:.1f}", f"{number + 1} {y:.1f}"]
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


def _axis(seconds: float, scale: float) -> Iterator[str]:
    for tick in ticks(seconds):
        x = tick * scale
        kind = ' class="mid"' if 0 < x < 97 else ' class="end"' if x else ""
        yield f'<text{kind} x="{x:.2f}%" y="13">{tick:g} s</text>'


def _legend(timeline: Timeline, single: bool, colour: dict[str, int]) -> str:
    def swatch(kind: str, said: str, more: str = "plain") -> str:
        return (
            f'<li><svg aria-hidden="true"><g class="{more}">'
            f'<rect class="{kind}" width="22" height="12" rx="3"/></g></svg>{text(said, 200)}</li>'
        )

    entries = [swatch("computed", name, f"o{number}") for name, number in colour.items()]
    bars = [bar for lane in timeline.lanes for bar in lane.bars]
    if single and any(bar.cached_tokens for bar in bars):
        entries.append(swatch("cached", "prompt: share found in the prefix cache"))
    if any(bar.first_token is not None for bar in bars):
        said = "prompt: computed" if single else "calls without a token yet"
        entries.append(swatch("computed", said))
        entries.append(swatch("decode", "answer" if single else "calls that answer"))
    if single and any(bar.failed for bar in bars):
        entries.append(swatch("decode", "failed", "failed"))
    entries.append(swatch("idle", "no call runs"))
    return f'<ul class="legend">{"".join(entries)}</ul>'


def _clock(seconds: float) -> str:
    return f"{seconds:.3f} s"
