"""From a broker's backlog to rows, side by side with a bare subscriber that drops what it gets."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import generate
from broker import CLIENT_ID, FILTERS, RECEIVE_MAXIMUM, Broker, make_backlog
from common import Bench, Row, build_tools
from gateway import Gateway, table_bytes
from processes import BenchError, run
from replay import replay

TIMEOUT_S = 600


@dataclass
class Backlog:
    """Messages that wait in a broker, and what must become of them."""

    store: Path
    messages: int
    readings: int
    customers: Path
    table_bytes: int


@dataclass
class Drain:
    """From the attempt to connect to the last message: for the gateway, until its last row can be read."""

    seconds: float
    cpu_seconds: float


def rows(bench: Bench) -> list[Row]:
    build_tools(bench)
    return [*drain_rows(bench), payload_row(bench)]


# MARK: Data


def prepare_backlog(bench: Bench, name: str, customers: int, readings_a_message: int) -> Backlog:
    folder = bench.data(f"{name}-{customers}")

    def write(landing: generate.Landing, folder: Path) -> int:
        generate.write_landing(landing, folder)
        messages = folder / "messages"
        (folder / "backlog.db").unlink(missing_ok=True)
        if readings_a_message == 1:
            return generate.write_messages(landing, messages)
        return generate.write_payloads(landing, messages, readings_a_message)

    count = generate.prepare(customers, folder, write)
    store = make_backlog(bench.tools, folder / "messages", count, folder)
    return Backlog(
        store,
        count,
        customers * generate.READINGS_A_CUSTOMER,
        folder / "customer.json",
        expected_bytes(bench, folder),
    )


def expected_bytes(bench: Bench, landing: Path) -> int:
    """The gateway writes the rows that a replay of the same records writes, in another order."""
    output = bench.scratch("expected")
    replay(bench, landing, output)
    count = table_bytes(output)
    shutil.rmtree(output)
    return count


# MARK: Drains


def drain_by_gateway(bench: Bench, backlog: Backlog) -> Drain:
    with (
        Broker(bench.scratch("broker"), backlog.store) as broker,
        Gateway(bench.stepgate, bench.scratch("gateway"), broker.port, backlog.customers) as gateway,
    ):
        began, cpu_before = gateway.event("connecting to the broker", TIMEOUT_S)
        ended, cpu_after = gateway.wait_for_bytes(backlog.table_bytes, TIMEOUT_S)
        check_summary(gateway.stop(), backlog)
    return Drain(ended - began, cpu_after - cpu_before)


def check_summary(summary: dict, backlog: Backlog) -> None:
    """Every reading was counted once, and consent decided about each."""
    readings = sum(sum(summary["records"][kind].values()) for kind in ("accelerometer", "step_trainer"))
    if readings != backlog.readings:
        raise BenchError(f"the gateway counted {readings} readings instead of {backlog.readings}")


def drain_by_bare_subscriber(bench: Bench, backlog: Backlog) -> Drain:
    with Broker(bench.scratch("broker"), backlog.store) as broker:
        arguments = [broker.port, CLIENT_ID, RECEIVE_MAXIMUM, backlog.messages, *FILTERS]
        told = run([bench.tools / "bare_subscriber", *arguments], TIMEOUT_S).json
    return Drain(told["seconds"], told["cpu_seconds"])


def drain_rows(bench: Bench) -> list[Row]:
    backlog = prepare_backlog(bench, "drain", bench.sizes.drain_customers, 1)
    ours, bare = [], []
    for number in range(bench.sizes.drain_runs):
        ours.append(drain_by_gateway(bench, backlog))
        bare.append(drain_by_bare_subscriber(bench, backlog))
        bench.note(f"run {number + 1}: gateway {ours[-1]}, bare {bare[-1]}")
    values = {
        "messages": backlog.messages,
        "gateway": [vars(drain) for drain in ours],
        "bare_subscriber": [vars(drain) for drain in bare],
    }
    return [rate_row(backlog, ours, bare, values), cpu_row(backlog, ours, bare)]


def rate_row(backlog: Backlog, ours: list[Drain], bare: list[Drain], values: dict) -> Row:
    our_rate = backlog.messages / median(drain.seconds for drain in ours)
    bare_rate = backlog.messages / median(drain.seconds for drain in bare)
    return Row(
        f"live: draining a backlog of {backlog.messages / 1e6:.2f} million QoS 1 messages",
        "at least 0.9 of a bare subscriber's rate",
        f"{our_rate:,.0f} messages/s (bare {bare_rate:,.0f})",
        f"{our_rate / bare_rate:.2f}",
        our_rate / bare_rate >= 0.9,
        values=values,
    )


def cpu_row(backlog: Backlog, ours: list[Drain], bare: list[Drain]) -> Row:
    our_cpu = median(drain.cpu_seconds for drain in ours) / backlog.messages
    bare_cpu = median(drain.cpu_seconds for drain in bare) / backlog.messages
    return Row(
        "live: CPU time a message",
        "at most 1.5 times the bare subscriber's",
        f"{our_cpu * 1e6:.2f} µs (bare {bare_cpu * 1e6:.2f} µs)",
        f"{our_cpu / bare_cpu:.2f}",
        our_cpu / bare_cpu <= 1.5,
    )


def payload_row(bench: Bench) -> Row:
    backlog = prepare_backlog(bench, "payloads", bench.sizes.payload_customers, 100)
    drains = [drain_by_gateway(bench, backlog) for _ in range(bench.sizes.payload_runs)]
    rate = backlog.readings / median(drain.seconds for drain in drains)
    return Row(
        f"live: payloads of 100 readings ({backlog.readings / 1e6:.1f} million readings)",
        "at least 700,000 readings/s",
        f"{rate:,.0f} readings/s",
        f"{rate / 700_000:.2f}",
        rate >= 700_000,
        values={"readings": backlog.readings, "gateway": [vars(drain) for drain in drains]},
    )
