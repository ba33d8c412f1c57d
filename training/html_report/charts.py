"""Charts of a run's statistics: what is drawn and between which numbers. The page's template draws it as inline SVG."""

import math
from dataclasses import dataclass
from statistics import fmean

MOST_POINTS = 240


@dataclass(frozen=True)
class Chart:
    """Curves over kimg, from 0 to `end`."""

    title: str
    series: dict  # {label: [(kimg, value), ...]}
    last: dict  # {label: value}
    ticks: list  # From low to high; values above the last tick are drawn at it.
    kimg_ticks: list
    end: float
    summary: str  # For those who do not see the curves.


def chart(title, series):
    """The `Chart` of {label: [(kimg, value), ...]}, without values that are not finite; None where there are no others."""
    series = {label: [point for point in points if math.isfinite(point[1])] for label, points in series.items()}
    series = {label: points for label, points in series.items() if points}
    if not series:
        return None
    thinned = {label: thin(points) for label, points in series.items()}
    values = sorted(value for points in thinned.values() for _, value in points)
    # Zero is always there, and the few highest peaks may be cut off: else the rest would be a flat line.
    high, usual = max(values[-1], 0.0), values[int(0.95 * (len(values) - 1))]
    high = min(high, 3 * usual) if usual > 0 else high
    end = max(points[-1][0] for points in thinned.values()) or 1.0
    ends = "; ".join(f"{label} from {points[0][1]:.4g} to {points[-1][1]:.4g}" for label, points in series.items())
    return Chart(
        title,
        thinned,
        {label: points[-1][1] for label, points in series.items()},
        nice_ticks(min(0.0, values[0]), high),
        [kimg for kimg in nice_ticks(0.0, end) if kimg <= end],
        end,
        f"{title} over kimg: {ends}",
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
