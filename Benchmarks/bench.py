#!/usr/bin/env python3
"""Measures every goal of docs/performance.md and prints one table.

    bench.py [--quick] [--strict] [--only NAME ...]

Run it by `make bench` or `make bench-quick`, which build the release program first. Data and scratch files go
to .build/bench, results to Benchmarks/results (those of quick and partial runs to .build/bench).
"""

import argparse
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

import common
import consent_index
import counts
import latency
import live
import memory
import replay
import report
import shared_serials
from common import Bench, Row
from processes import BenchError, stop_all

# In the order of the table. Each gives its rows.
MEASUREMENTS = {
    "replay": replay.rows,
    "live": live.rows,
    "latency": latency.rows,
    "shared-serials": shared_serials.rows,
    "consent-index": consent_index.rows,
    "memory": memory.rows,
    "counts": counts.rows,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: to see that it works, not to quote"
    )
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS), metavar="NAME")
    parser.add_argument("--strict", action="store_true", help="fail when a goal is not met")
    arguments = parser.parse_args()
    sizes = common.QUICK if arguments.quick else common.FULL
    bench = Bench(sizes, results_folder(arguments.quick, len(arguments.only) == len(MEASUREMENTS)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return measure(bench, arguments.only, arguments.strict)
    finally:
        stop_all()
        shutil.rmtree(bench.scratch(""), ignore_errors=True)


def results_folder(quick: bool, everything: bool) -> Path:
    """Only a whole run of the full sizes replaces the results that are in the repository."""
    if everything and not quick:
        return common.REPOSITORY / "Benchmarks" / "results"
    return common.WORK / ("results-quick" if quick else "results-partial")


def measure(bench: Bench, names: list[str], strict: bool) -> int:
    about = report.machine()
    bench.results.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    failed = False
    for name in names:
        start = time.monotonic()
        print(f"{name}:", flush=True)
        try:
            rows += MEASUREMENTS[name](bench)
        except BenchError as error:
            failed = True
            rows.append(Row(name, "", "", notes=[f"failed: {error}"]))
            traceback.print_exc()
            stop_all()
        bench.note(f"took {time.monotonic() - start:.0f} s")
    title = f"stepgate, {bench.sizes.name} sizes, {about['cores']} cores: {about['cpu']}"
    print("\n" + report.text(rows, title))
    report.write(rows, bench.sizes.name, bench.results, about)
    print(f"results in {bench.results}")
    return 1 if failed or (strict and any(row.met is False for row in rows)) else 0


if __name__ == "__main__":
    sys.exit(main())
