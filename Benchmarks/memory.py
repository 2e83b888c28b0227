"""What the daemon keeps in memory: idle, and with many devices that send."""

import time
from collections.abc import Iterator

import generate
from broker import Broker
from common import Bench, Row, build_tools
from gateway import Gateway
from processes import memory_of, run

MB = 1_000_000
IDLE_SECONDS = 2
# A reading of each kind a minute and device, for longer than the default retention (15 minutes).
MINUTES = 20
PAYLOAD_READINGS = 100


def rows(bench: Bench) -> list[Row]:
    build_tools(bench)
    return [idle(bench), active(bench)]


def idle(bench: Bench) -> Row:
    with (
        Broker(bench.scratch("broker")) as broker,
        Gateway(bench.stepgate, bench.scratch("gateway"), broker.port) as gateway,
    ):
        gateway.connected()
        time.sleep(IDLE_SECONDS)
        memory = memory_of(gateway.pid)
    return row("memory of an idle daemon", 40, memory, [])


def active(bench: Bench) -> Row:
    devices = bench.sizes.active_devices
    customers = bench.scratch("active-customers.json")
    messages = bench.scratch("active-messages")
    customers.parent.mkdir(parents=True, exist_ok=True)
    landing = generate.Landing(devices)
    generate.write_lines(
        customers,
        (
            generate.customer_line(device, landing.email(device), serial_number, consents=True)
            for device, serial_number in enumerate(landing.serial_numbers)
        ),
    )
    # Readings may not be of the future: the last ones are of now.
    start_ms = int(time.time() * 1000) - MINUTES * 60_000
    generate.write_lines(messages, minutes(landing, start_ms))
    with (
        Broker(bench.scratch("broker")) as broker,
        Gateway(bench.stepgate, bench.scratch("gateway"), broker.port, customers) as gateway,
    ):
        gateway.connected()
        loaded = memory_of(gateway.pid)
        run([bench.tools / "publisher", broker.port, messages], timeout_s=600)
        gateway.wait_for_records(devices + 2 * MINUTES * devices, timeout_s=300)
        memory = memory_of(gateway.pid)
        counts = next(line for line in reversed(gateway.log()) if "readings in the join" in line)
        counts = counts[counts.index("received") :]
    messages.unlink()
    notes = [
        f"a reading of each kind a device and minute, {MINUTES} minutes of them sent at once: {counts}",
        f"with the customers loaded, before the first reading: {loaded['VmHWM'] / MB:.0f} MB",
    ]
    return row(f"memory with {devices:,} active devices", 300, memory, notes)


def row(what: str, limit_mb: int, memory: dict[str, int], notes: list[str]) -> Row:
    return Row(
        what,
        f"under {limit_mb} MB",
        f"{memory['VmHWM'] / MB:.1f} MB at most, {memory['VmRSS'] / MB:.1f} MB at the end",
        f"{memory['VmHWM'] / MB / limit_mb:.2f}",
        memory["VmHWM"] < limit_mb * MB,
        notes,
        memory,
    )


def minutes(landing: generate.Landing, start_ms: int) -> Iterator[str]:
    """Payloads of one kind each; the devices of a payload are neighbours in time."""
    devices = landing.customers
    for minute in range(MINUTES):
        for first in range(0, devices, PAYLOAD_READINGS):
            steps, accelerometer = [], []
            for device in range(first, min(first + PAYLOAD_READINGS, devices)):
                time_ms = start_ms + minute * 60_000 + device * 60_000 // devices
                steps.append(
                    f'{{"sensorReadingTime":{time_ms},"serialNumber":"{landing.serial_numbers[device]}",'
                    f'"distanceFromObject":{201 + device % 100}}}'
                )
                accelerometer.append(
                    f'{{"user":"{landing.email(device)}","timestamp":{time_ms},"x":1.0,"y":0.0,"z":-1.0}}'
                )
            yield generate.payload("step_trainer", steps)
            yield generate.payload("accelerometer", accelerometer)
