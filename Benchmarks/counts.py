"""What does not depend on the machine's load: heap allocations and instructions a record.

Both are differences, so that what a start costs is not in them: allocations are counted in the second half of
a steady load, and instructions as those of a replay of twice as many customers less those of the single one.
"""

import re
import shutil
from pathlib import Path

import generate
from common import Bench, Row, build_engine_bench
from processes import BenchError, run
from replay import landing_of, replay_command

TIMEOUT_S = 600
# Above what was measured by a tenth: to be lowered with the figure, never raised without a reason.
INSTRUCTIONS_LIMIT = 3_900
# Of messages less than one in a thousand records: a batch's own. A replay forgets no reading, so its lists grow, by a
# half each time: twice in the 120 readings a list that are counted, and from 256 readings on once for each 256.
ALLOCATIONS_LIMITS = {"messages": 0.001, "files": 0.02}


def rows(bench: Bench) -> list[Row]:
    return [allocation_row(bench), instruction_row(bench)]


def allocation_row(bench: Bench) -> Row:
    build_engine_bench()
    told = run([bench.engine_bench, "allocations"], TIMEOUT_S).json
    return Row(
        "heap allocations a record in steady state",
        "0, from files and from messages",
        f"files {told['files']:.4f}, messages {told['messages']:.4f}",
        "",
        all(told[way] < limit for way, limit in ALLOCATIONS_LIMITS.items()),
        [f"libmosquitto's own aside; fewer than {ALLOCATIONS_LIMITS} count as none: a replay's lists only grow"],
        told,
    )


def instruction_row(bench: Bench) -> Row:
    what, goal = "instructions a record, replay", f"at most {INSTRUCTIONS_LIMIT:,}"
    if not shutil.which("valgrind"):
        return Row(what, goal, "", notes=["valgrind is not installed"])
    customers = bench.sizes.count_customers
    once, twice = (instructions(bench, count) for count in (customers, 2 * customers))
    figure = (twice - once) / (customers * generate.RECORDS_A_CUSTOMER)
    return Row(
        what,
        goal,
        f"{figure:,.0f}",
        f"{figure / INSTRUCTIONS_LIMIT:.2f}",
        figure <= INSTRUCTIONS_LIMIT,
        ["counted by valgrind --tool=callgrind; all threads, the kernel's aside"],
        {"instructions_a_record": figure},
    )


def instructions(bench: Bench, customers: int) -> int:
    """All instructions of one replay; by a simulator, because virtual machines often have no counters."""
    output, told = bench.scratch("counts"), bench.scratch("callgrind")
    shutil.rmtree(output, ignore_errors=True)
    command = replay_command(bench, landing_of(bench, customers), output)
    # Debian's valgrind cannot read the debug information that Swift writes, and gives up.
    command[0] = bench.scratch("stepgate-stripped")
    command[0].parent.mkdir(parents=True, exist_ok=True)
    run(["strip", "--strip-debug", "-o", command[0], bench.stepgate], timeout_s=60)
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={told}", f"--log-file={told}.log"]
    run([*valgrind, *command], TIMEOUT_S)
    shutil.rmtree(output)
    collected = re.search(r"Collected\s*:\s*(\d+)", Path(f"{told}.log").read_text())
    if not collected:
        raise BenchError(f"callgrind's log {told}.log has no sum")
    return int(collected[1])
