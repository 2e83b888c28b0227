"""Cost against size as an SVG file, with nothing but Python."""

import math
from pathlib import Path

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 50, 40, 50
STYLE = "font-family='sans-serif' font-size='12'"


def round_step(least: float) -> float:
    """The next 1, 2, 2.5 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least)


class Panel:
    """One curve: a cost a record (y, from 0) over the number of records (x, logarithmic)."""

    def __init__(self, top: float, title: str, sizes: list[float], costs: list[float]):
        self.top = top
        self.title = title
        self.sizes = sizes
        self.costs = costs
        self.y_step = round_step(1.25 * max(costs) / 4)
        self.y_max = 4 * self.y_step

    def x(self, size: float) -> float:
        low, high = math.log(min(self.sizes)), math.log(max(self.sizes))
        share = (math.log(size) - low) / (high - low) if high > low else 0.5
        return LEFT + 30 + share * (WIDTH - LEFT - RIGHT - 60)

    def y(self, cost: float) -> float:
        return self.top + HEIGHT - BOTTOM - cost / self.y_max * (HEIGHT - TOP - BOTTOM)

    def svg(self) -> str:
        parts = [f"<text x='{LEFT}' y='{self.top + 24}' {STYLE} font-weight='bold'>{self.title}</text>"]
        parts += [self.y_tick(self.y_step * number) for number in range(5)]
        parts += [self.x_tick(size) for size in self.sizes]
        points = [(self.x(size), self.y(cost)) for size, cost in zip(self.sizes, self.costs, strict=True)]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f"<polyline points='{joined}' fill='none' stroke='#1f5fa8' stroke-width='2'/>")
        for (x, y), cost in zip(points, self.costs, strict=True):
            parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='#1f5fa8'/>")
            parts.append(f"<text x='{x:.1f}' y='{y - 10:.1f}' {STYLE} text-anchor='middle'>{cost:.0f}</text>")
        return "\n".join(parts)

    def y_tick(self, cost: float) -> str:
        y = self.y(cost)
        return (
            f"<line x1='{LEFT}' y1='{y:.1f}' x2='{WIDTH - RIGHT}' y2='{y:.1f}' stroke='#dddddd'/>"
            f"<text x='{LEFT - 8}' y='{y + 4:.1f}' {STYLE} text-anchor='end'>{cost:g}</text>"
        )

    def x_tick(self, size: float) -> str:
        y = self.top + HEIGHT - BOTTOM + 20
        label = f"{size / 1e6:.1f} million records"
        return f"<text x='{self.x(size):.1f}' y='{y:.1f}' {STYLE} text-anchor='middle'>{label}</text>"


def write_growth(path: Path, costs: list[dict]) -> None:
    """Two panels: time and peak memory a record."""
    sizes = [cost["records"] for cost in costs]
    panels = [
        Panel(0, "stepgate replay: time a record, ns", sizes, [cost["ns_a_record"] for cost in costs]),
        Panel(
            HEIGHT,
            "stepgate replay: peak memory a record, bytes",
            sizes,
            [cost["bytes_a_record"] for cost in costs],
        ),
    ]
    body = "\n".join(panel.svg() for panel in panels)
    path.write_text(
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{2 * HEIGHT}'>\n"
        f"<rect width='100%' height='100%' fill='white'/>\n{body}\n</svg>\n"
    )
