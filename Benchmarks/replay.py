"""Files to tables: against DuckDB on the same files, and how cost grows with size."""

import hashlib
import os
import shutil
from pathlib import Path
from statistics import median

import generate
from common import Bench, Row, install_duckdb
from gateway import TABLES, segments
from plot import write_growth
from processes import BenchError, Finished, run

MB = 1_000_000
TIMEOUT_S = 1800


def landing_of(bench: Bench, customers: int) -> Path:
    folder = bench.data(f"landing-{customers}")
    generate.prepare(customers, folder, generate.write_landing)
    return folder


def warm(folder: Path) -> None:
    """Reads files once, so that every run finds them in the page cache."""
    for path in folder.glob("*.json"):
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 24):
                pass


def begin(output: Path) -> None:
    """Nothing of an earlier run is left, nor on its way to the disk: who syncs would wait for that too."""
    shutil.rmtree(output, ignore_errors=True)
    os.sync()


def replay(bench: Bench, landing: Path, output: Path, *options: str) -> Finished:
    """`stepgate replay`, timed as a whole process. It syncs what it wrote; DuckDB does not."""
    begin(output)
    return run(replay_command(bench, landing, output, *options), TIMEOUT_S)


def replay_command(bench: Bench, landing: Path, output: Path, *options: str) -> list:
    inputs = []
    for kind in ("customer", "accelerometer", "step_trainer"):
        inputs += [f"--{kind.replace('_', '-')}", landing / f"{kind}.json"]
    return [bench.stepgate, "replay", *inputs, "--output", output, "--summary", "json", *options]


def by_duckdb(bench: Bench, landing: Path, output: Path) -> Finished:
    begin(output)
    output.mkdir(parents=True)
    script = Path(__file__).parent / "duckdb_tables.py"
    return run([bench.python_with_duckdb, script, landing, output], TIMEOUT_S)


def rows(bench: Bench) -> list[Row]:
    sizes = bench.sizes
    try:
        install_duckdb(bench)
    except BenchError as error:
        missing = Row(
            "replay, against DuckDB", "3 times as fast", "", notes=[f"DuckDB cannot be installed: {error}"]
        )
        return [missing, growth(bench, sizes.growth_runs)]
    return [
        *against_duckdb(bench, sizes.replay_customers, sizes.replay_runs),
        growth(bench, sizes.growth_runs),
    ]


# MARK: DuckDB


def against_duckdb(bench: Bench, customers: int, runs: int) -> list[Row]:
    check_equal_tables(bench, min(customers, 2_000))
    landing = landing_of(bench, customers)
    warm(landing)
    ours, theirs = [], []
    for number in range(runs):
        ours.append(replay(bench, landing, bench.scratch("ours")))
        theirs.append(by_duckdb(bench, landing, bench.scratch("duckdb")))
        bench.note(
            f"run {number + 1}: stepgate {ours[-1].seconds:.2f} s, DuckDB {theirs[-1].json['seconds']:.2f} s"
        )
    check_equal_counts(bench.scratch("ours"), bench.scratch("duckdb"))
    for name in ("ours", "duckdb"):
        shutil.rmtree(bench.scratch(name))
    return [time_row(customers, ours, theirs), memory_row(customers, ours, theirs)]


def time_row(customers: int, ours: list[Finished], theirs: list[Finished]) -> Row:
    our_seconds = median(run.seconds for run in ours)
    their_seconds = median(run.json["seconds"] for run in theirs)
    records = customers * generate.RECORDS_A_CUSTOMER
    ratio = their_seconds / our_seconds
    return Row(
        f"replay of {records / 1e6:.1f} million records, all tables written",
        "3 times as fast as DuckDB with two threads",
        f"{our_seconds:.2f} s (DuckDB {their_seconds:.2f} s)",
        f"{ratio:.2f}",
        ratio >= 3,
        [f"{our_seconds / records * 1e9:.0f} ns a record; DuckDB {theirs[0].json['version']}"],
        {
            "stepgate_seconds": [run.seconds for run in ours],
            "stepgate_cpu_seconds": [run.cpu_seconds for run in ours],
            "duckdb_seconds": [run.json["seconds"] for run in theirs],
            "duckdb_cpu_seconds": [run.cpu_seconds for run in theirs],
        },
    )


def memory_row(customers: int, ours: list[Finished], theirs: list[Finished]) -> Row:
    # The highest of all runs, not the median: a bound is what is asked for.
    our_bytes = max(run.peak_bytes for run in ours)
    their_bytes = max(run.peak_bytes for run in theirs)
    return Row(
        "its peak memory",
        "under 1.0 GB",
        f"{our_bytes / MB:.0f} MB (DuckDB {their_bytes / MB:.0f} MB)",
        f"{our_bytes / their_bytes:.2f}",
        our_bytes < 1_000 * MB,
        values={"stepgate_bytes": our_bytes, "duckdb_bytes": their_bytes},
    )


def check_equal_tables(bench: Bench, customers: int) -> None:
    """Row for row, order aside; at a size where sorting is cheap."""
    landing = landing_of(bench, customers)
    ours, theirs = bench.scratch("ours"), bench.scratch("duckdb")
    replay(bench, landing, ours)
    by_duckdb(bench, landing, theirs)
    for table in TABLES:
        if digest(segments(ours / table)) != digest([theirs / f"{Path(table).name}.json"]):
            raise BenchError(f"{table} differs from DuckDB's: see {ours} and {theirs}")


def digest(paths: list[Path]) -> str:
    lines = sorted(line for path in paths for line in path.read_bytes().splitlines())
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def check_equal_counts(ours: Path, theirs: Path) -> None:
    for table in TABLES:
        here = count_lines(segments(ours / table))
        there = count_lines([theirs / f"{Path(table).name}.json"])
        if here != there:
            raise BenchError(f"{table} has {here} rows, DuckDB's {there}")


def count_lines(paths: list[Path]) -> int:
    count = 0
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while block := file.read(1 << 20):
                count += block.count(b"\n")
    return count


# MARK: Growth


def growth(bench: Bench, runs: int) -> Row:
    """Time and peak memory a record, at several sizes; what is constant counts for small sizes only."""
    sizes = bench.sizes.growth_customers
    landings = [landing_of(bench, customers) for customers in sizes]
    for landing in landings:
        warm(landing)
    # In turns, since the machine may be slower for minutes.
    rounds = [[replay(bench, landing, bench.scratch("growth")) for landing in landings] for _ in range(runs)]
    shutil.rmtree(bench.scratch("growth"))
    costs = [cost_at(bench, customers, of_size) for customers, of_size in zip(sizes, zip(*rounds))]
    write_growth(bench.results / "cost-by-size.svg", costs)
    small, large = costs[0], costs[-1]
    time_growth = large["ns_a_record"] / small["ns_a_record"]
    memory_growth = large["bytes_a_record"] / small["bytes_a_record"]
    records = " to ".join(f"{cost['records'] / 1e6:.1f}" for cost in costs)
    return Row(
        f"growth of time and memory from {records} million records",
        "linear, within 15 %",
        "; ".join(
            f"{cost['ns_a_record']:.0f} ns and {cost['bytes_a_record']:.0f} B a record" for cost in costs
        ),
        f"time {time_growth:.2f}, memory {memory_growth:.2f}",
        max(time_growth, memory_growth) <= 1.15,
        ["a ratio is the cost a record at the largest size over that at the smallest"],
        {"costs": costs},
    )


def cost_at(bench: Bench, customers: int, runs: tuple[Finished, ...]) -> dict:
    records = customers * generate.RECORDS_A_CUSTOMER
    seconds = median(run.seconds for run in runs)
    peak_bytes = median(run.peak_bytes for run in runs)
    bench.note(f"{records} records: {seconds:.2f} s, {peak_bytes / MB:.0f} MB")
    return {
        "records": records,
        "seconds": seconds,
        "peak_bytes": peak_bytes,
        "ns_a_record": seconds / records * 1e9,
        "bytes_a_record": peak_bytes / records,
    }
