"""Curves as inline SVG, drawn by a few lines of our own: they need no script, and take their colors from the page."""

import math
from html import escape
from statistics import fmean

# A chart's size fits a phone's width, where its text is still as large as the page's.
WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 16, 24
MOST_POINTS = 240


def chart(title, series, marks=(), fades=()):
    """Draws one chart over kimg.

    Args:
        title: of the chart.
        series: {label: [(kimg, value), ...]}; values that are not finite are left out.
        marks: [(kimg, label), ...]: vertical lines.
        fades: [(kimg, kimg), ...]: shaded stretches.

    Returns HTML, or "" when there is nothing to draw.
    """
    series = {label: [point for point in points if math.isfinite(point[1])] for label, points in series.items()}
    series = {label: points for label, points in series.items() if points}
    if not series:
        return ""
    thinned = {label: thin(points) for label, points in series.items()}
    values = sorted(value for points in thinned.values() for _, value in points)
    # Zero is always there, and the few wildest peaks may leave the picture: else the rest would be a flat line.
    high, usual = max(values[-1], 0.0), values[int(0.95 * (len(values) - 1))]
    high = min(high, 3 * usual) if usual > 0 else high
    ticks = nice_ticks(min(0.0, values[0]), high)
    end = max(points[-1][0] for points in thinned.values())
    x_ticks = nice_ticks(0.0, end)
    end = max(end, 1e-9)

    def x(kimg):
        return LEFT + kimg / end * (WIDTH - LEFT - RIGHT)

    def y(value):
        share = (min(value, ticks[-1]) - ticks[0]) / (ticks[-1] - ticks[0])
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<rect class="fade" x="{x(a):.1f}" y="{TOP}" width="{x(b) - x(a):.1f}" height="{HEIGHT - TOP - BOTTOM}"/>'
        for a, b in fades
    ]
    for value in ticks:
        parts.append(
            f'<path class="rule" d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}"/>'
            f'<text x="{LEFT - 5}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    for kimg in x_ticks:
        if kimg <= end:
            anchor = "end" if x(kimg) > WIDTH - 24 else "middle"
            parts.append(f'<text x="{x(kimg):.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{kimg:g}</text>')
    for kimg, label in marks:
        parts.append(
            f'<path class="mark" d="M{x(kimg):.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
            f'<text class="small" x="{x(kimg) + 2:.1f}" y="{TOP - 5}">{escape(label)}</text>'
        )
    legend = []
    for number, (label, points) in enumerate(thinned.items()):
        drawn = " ".join(f"{x(kimg):.1f},{y(value):.1f}" for kimg, value in points)
        last = points[-1]
        parts.append(
            f'<polyline class="s{number}" points="{drawn}"/>'
            f'<circle class="s{number}" cx="{x(last[0]):.1f}" cy="{y(last[1]):.1f}" r="2.5"/>'
        )
        legend.append(f'<span class="k{number}">{escape(label)} {series[label][-1][1]:.4g}</span>')
    ends = "; ".join(f"{label} from {points[0][1]:.4g} to {points[-1][1]:.4g}" for label, points in series.items())
    return (
        f'<figure class="chart"><figcaption><b>{escape(title)}</b> {" ".join(legend)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{escape(f"{title} over kimg: {ends}")}</title>'
        f"{''.join(parts)}</svg></figure>"
    )


def thin(points, most=MOST_POINTS):
    """Means of neighboring points, so that no more than `most` are left; the last one stays what it is."""
    if len(points) <= most:
        return points
    edges = [round(place * (len(points) - 1) / (most - 1)) for place in range(most)]
    groups = [points[a:b] for a, b in zip(edges, edges[1:])]
    return [(group[-1][0], fmean(value for _, value in group)) for group in groups] + points[-1:]


def nice_ticks(low, high):
    """Three to six round numbers from `low` or below to `high` or above, which may be equal."""
    reach = (high - low) or 1.0
    step = 10.0 ** math.floor(math.log10(reach / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step * 5 >= reach)
    first, last = math.floor(low / step + 1e-9), math.ceil((low + reach) / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]
