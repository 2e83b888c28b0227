"""What a serial number costs that very many customers claim.

Two data sets that differ in the serial numbers alone: one has a serial number for each customer, the other 30
for all. Reading n of each kind is at slot n / 30, a slot is three tolerances long, and its two readings lie
within the tolerance: so a serial number sees one reading of each kind a slot, and both data sets make the
same pairs, one a step trainer reading.
"""

import shutil
from pathlib import Path
from statistics import median

import generate
from common import Bench, Row
from processes import BenchError
from replay import replay

SERIAL_NUMBERS = 30
TOLERANCE_MS = 100
SLOT_MS = 3 * TOLERANCE_MS
APART_MS = 50
START_MS = generate.FIRST_READING_MS
CUSTOMERS_ALONE = "customers-alone"


def rows(bench: Bench) -> list[Row]:
    # A slot holds each serial number once, and one in two customers has readings.
    customers = bench.sizes.claim_customers // (2 * SERIAL_NUMBERS) * (2 * SERIAL_NUMBERS)
    folders = {name: landing_of(bench, customers, name) for name in ("own", "shared")}
    seconds: dict[str, list[float]] = {}
    for _ in range(bench.sizes.claim_runs):
        for name, folder in folders.items():
            taken = {
                f"{name}, all": seconds_of(bench, folder, TOLERANCE_MS, customers // 2),
                # At a tolerance of 0 no readings match: what is missing is the time of writing pairs.
                f"{name}, no pairs": seconds_of(bench, folder, 0, 0),
                f"{name}, no readings": seconds_of(bench, folder / CUSTOMERS_ALONE, TOLERANCE_MS, 0),
            }
            for what, value in taken.items():
                seconds.setdefault(what, []).append(value)
    return [row(customers, {what: median(values) for what, values in seconds.items()})]


def row(customers: int, seconds: dict[str, float]) -> Row:
    # The pairs are the same, so is the time of writing them; unshared it is easier to tell from the rest.
    pair_seconds = max(0.0, seconds["own, all"] - seconds["own, no pairs"])
    own, shared = seconds["own, no pairs"], seconds["shared, all"] - pair_seconds
    own_readings, shared_readings = own - seconds["own, no readings"], shared - seconds["shared, no readings"]
    ratios = shared / own, shared_readings / own_readings
    records = 2 * customers
    return Row(
        f"{customers:,} customers that claim {SERIAL_NUMBERS} serial numbers, as many readings",
        "at most 1.5 times the time a record of unshared ones",
        f"{shared / records * 1e9:.0f} ns a record (unshared {own / records * 1e9:.0f} ns)",
        f"{ratios[0]:.2f}, readings alone {ratios[1]:.2f}",
        max(ratios) <= 1.5,
        [
            f"less {pair_seconds:.2f} s, which writing the {customers // 2:,} pairs takes",
            f"a reading {shared_readings / customers * 1e9:.0f} ns"
            f" (unshared {own_readings / customers * 1e9:.0f} ns)",
        ],
        {"seconds": seconds, "ratios": ratios},
    )


def seconds_of(bench: Bench, landing: Path, tolerance_ms: int, pairs: int) -> float:
    done = replay(bench, landing, bench.scratch("claims"), "--tolerance-ms", str(tolerance_ms))
    made = done.json["tables"]["machine_learning_curated"]
    if made != pairs:
        raise BenchError(f"{made} pairs of {landing} at a tolerance of {tolerance_ms} ms instead of {pairs}")
    return done.seconds


def landing_of(bench: Bench, customers: int, name: str) -> Path:
    folder = bench.data(f"claims-{name}-{customers}")

    def write(landing: generate.Landing, folder: Path) -> None:
        if name == "shared":
            shared = landing.serial_numbers[:SERIAL_NUMBERS]
            landing.serial_numbers = [shared[customer % SERIAL_NUMBERS] for customer in range(customers)]
        write_claims(landing, folder)
        write_customers_alone(folder)

    generate.prepare(customers, folder, write)
    return folder


def write_claims(landing: generate.Landing, folder: Path) -> None:
    """Every customer consents; one in two has a reading of each kind."""
    serial_numbers = landing.serial_numbers
    customers = range(landing.customers)
    # Neighbours in time are strangers in the index: each look-up goes to another place in memory.
    readers = [place * 7919 % landing.customers for place in range(landing.customers // 2)]
    # In the shared data set a slot must have each serial number once.
    readers = [
        reader - reader % SERIAL_NUMBERS + place % SERIAL_NUMBERS for place, reader in enumerate(readers)
    ]

    def time_ms(place: int) -> int:
        return START_MS + place // SERIAL_NUMBERS * SLOT_MS

    generate.write_lines(
        folder / "customer.json",
        (generate.customer_line(c, landing.email(c), serial_numbers[c], consents=True) for c in customers),
    )
    generate.write_lines(
        folder / "accelerometer.json",
        (
            f'{{"user":"{landing.email(reader)}","timestamp":{time_ms(place) + APART_MS},'
            '"x":1.0,"y":0.0,"z":-1.0}'
            for place, reader in enumerate(readers)
        ),
    )
    generate.write_lines(
        folder / "step_trainer.json",
        (
            f'{{"sensorReadingTime":{time_ms(place)},"serialNumber":"{serial_numbers[reader]}",'
            f'"distanceFromObject":{201 + place % 100}}}'
            for place, reader in enumerate(readers)
        ),
    )


def write_customers_alone(folder: Path) -> None:
    """The same customers, and no readings."""
    alone = folder / CUSTOMERS_ALONE
    shutil.rmtree(alone, ignore_errors=True)
    alone.mkdir()
    (alone / "customer.json").symlink_to(folder / "customer.json")
    for kind in ("accelerometer", "step_trainer"):
        (alone / f"{kind}.json").touch()
