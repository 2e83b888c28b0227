"""From publish to the row readable in the curated table, at a steady rate."""

from pathlib import Path

import generate
from broker import Broker
from common import Bench, Row, build_tools
from gateway import Gateway
from processes import run

RATE = 5_000
DEVICES = 1_000
WARM_UP_PAIRS = 2 * RATE // 2
GOALS_MS = {50.0: 3, 99.0: 15, 99.9: 50}
PERCENTILES = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 100]


def rows(bench: Bench) -> list[Row]:
    build_tools(bench)
    customers = bench.scratch("latency-customers.json")
    customers.parent.mkdir(parents=True, exist_ok=True)
    generate.write_lines(customers, (customer_line(device) for device in range(DEVICES)))
    out = bench.scratch("latencies")
    pairs = bench.sizes.latency_seconds * RATE // 2
    with (
        Broker(bench.scratch("broker")) as broker,
        Gateway(bench.stepgate, bench.scratch("gateway"), broker.port, customers) as gateway,
    ):
        gateway.connected()
        table = gateway.data / "curated/machine_learning_curated"
        command = [
            bench.tools / "latency_probe",
            broker.port,
            table,
            DEVICES,
            RATE,
            WARM_UP_PAIRS,
            pairs,
            out,
        ]
        told = run(command, timeout_s=bench.sizes.latency_seconds + 120).json
    latencies_ms = sorted(int(line) / 1000 for line in out.read_text().split())
    write_percentiles(bench.results / "latency-percentiles.txt", latencies_ms)
    return [row(latencies_ms, told)]


def customer_line(device: int) -> str:
    return generate.customer_line(device, f"customer.{device}@example.com", f"device-{device}", consents=True)


def at(latencies_ms: list[float], percentile: float) -> float:
    """The smallest latency that so many percent do not exceed."""
    place = -(-len(latencies_ms) * percentile // 100)
    return latencies_ms[max(0, int(place) - 1)]


def row(latencies_ms: list[float], told: dict) -> Row:
    measured = {percentile: at(latencies_ms, percentile) for percentile in GOALS_MS}
    return Row(
        f"from publish to the row readable, {RATE:,} messages/s",
        ", ".join(f"p{percentile:g} < {goal} ms" for percentile, goal in GOALS_MS.items()),
        ", ".join(f"p{percentile:g} {ms:.2f} ms" for percentile, ms in measured.items()),
        "",
        all(measured[percentile] < goal for percentile, goal in GOALS_MS.items()),
        [f"{told['pairs']} pairs; the publisher was up to {told['publisher_behind_ms']:.1f} ms behind"],
        {"percentiles_ms": {str(percentile): ms for percentile, ms in measured.items()}, **told},
    )


def write_percentiles(path: Path, latencies_ms: list[float]) -> None:
    """The columns of HdrHistogram's plain output, so that its plotter reads the file."""
    lines = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}", ""]
    count = len(latencies_ms)
    for percentile in PERCENTILES:
        share = percentile / 100
        inverse = f"{1 / (1 - share):.2f}" if share < 1 else "inf"
        total = max(1, round(share * count))
        lines.append(f"{at(latencies_ms, percentile):12.3f} {share:14.6f} {total:10d} {inverse:>14}")
    mean = sum(latencies_ms) / count
    lines.append(f"#[Mean = {mean:.3f}, Max = {latencies_ms[-1]:.3f}, Total count = {count}, unit = ms]")
    path.write_text("\n".join(lines) + "\n")
