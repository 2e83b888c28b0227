#!/usr/bin/env python3
"""Makes up landing data of any size: the same bytes for the same size and seed.

    generate.py CUSTOMERS FOLDER [--seed N]

Each customer has a serial number of its own, 30 step trainer readings 3,933 ms apart and 3 accelerometer
readings at each of those times: 121 records a customer with its own, of which half consent. A consenting
customer's readings make 90 pairs. Files are in order of time, as a landing zone is; 100,000 customers make
12.1 million records.
"""

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Data of another version is made anew: raise it with every change to what is made.
VERSION = 1
CONSENT_SHARE = 0.5
REGISTERED_MS = 1_655_000_000_000
FIRST_READING_MS = 1_655_560_000_000
SPREAD_MS = 3_600_000
STEP_MS = 3_933
STEPS = 30
RECORDS_A_CUSTOMER = 1 + STEPS * 4
READINGS_A_CUSTOMER = STEPS * 4


class Moment(NamedTuple):
    """What one customer's devices send at one instant."""

    customer: int
    step: str
    accelerometer: list[str]


class Landing:
    """The made-up data; nothing but the customers' serial numbers is kept in memory."""

    def __init__(self, customers: int, seed: int = 1):
        self.customers = customers
        source = random.Random(seed)
        self.serial_numbers = [made_up_uuid(source) for _ in range(customers)]
        self.consents = [source.random() < CONSENT_SHARE for _ in range(customers)]

    def email(self, customer: int) -> str:
        return f"customer.{customer}@example.com"

    def customer_lines(self) -> Iterator[str]:
        for customer in range(self.customers):
            yield customer_line(
                customer, self.email(customer), self.serial_numbers[customer], self.consents[customer]
            )

    def moments(self) -> Iterator[Moment]:
        """All readings in order of time."""
        # Packed into one number each, because millions of tuples would take gigabytes.
        places = self.customers * STEPS
        order = [
            ((customer * 7919) % SPREAD_MS + step * STEP_MS) * places + customer * STEPS + step
            for customer in range(self.customers)
            for step in range(STEPS)
        ]
        order.sort()
        for packed in order:
            offset_ms, place = divmod(packed, places)
            customer = place // STEPS
            yield self.moment(customer, place, FIRST_READING_MS + offset_ms)

    def moment(self, customer: int, place: int, time_ms: int) -> Moment:
        # Any mixing will do: the values decide nothing but the rows' text.
        noise = place * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        step = (
            f'{{"sensorReadingTime":{time_ms},"serialNumber":"{self.serial_numbers[customer]}",'
            f'"distanceFromObject":{201 + (noise >> 40) % 100}}}'
        )
        start = f'{{"user":"customer.{customer}@example.com","timestamp":{time_ms},"x":'
        accelerometer = [
            f'{start}{x}.0,"y":{(noise >> 30 + x) % 3 - 1}.0,"z":{(noise >> 50 + x) % 2 - 1}.0}}'
            for x in (-1, 0, 1)
        ]
        return Moment(customer, step, accelerometer)


def made_up_uuid(source: random.Random) -> str:
    digits = f"{source.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def customer_line(customer: int, email: str, serial_number: str, consents: bool) -> str:
    date = REGISTERED_MS + customer
    consent = f',"shareWithResearchAsOfDate":{date}' if consents else ""
    return (
        f'{{"customerName":"Customer {customer}","email":"{email}","phone":"8015551212",'
        f'"birthDay":"1980-01-01","serialNumber":"{serial_number}","registrationDate":{date},'
        f'"lastUpdateDate":{date}{consent}}}'
    )


def write_landing(landing: Landing, folder: Path) -> None:
    """customer.json, accelerometer.json and step_trainer.json."""
    write_lines(folder / "customer.json", landing.customer_lines())
    with (
        open(folder / "step_trainer.json", "w", buffering=1 << 20) as steps,
        open(folder / "accelerometer.json", "w", buffering=1 << 20) as accelerometer,
    ):
        for moment in landing.moments():
            steps.write(moment.step + "\n")
            accelerometer.write("\n".join(moment.accelerometer) + "\n")


def write_lines(path: Path, lines: Iterator[str]) -> None:
    with open(path, "w", buffering=1 << 20) as file:
        for line in lines:
            file.write(line + "\n")


def write_messages(landing: Landing, path: Path) -> int:
    """One reading a message, on a topic a device, as publisher.c reads them; returns how many."""

    def messages() -> Iterator[str]:
        for moment in landing.moments():
            yield f"stedi/step_trainer/{landing.serial_numbers[moment.customer]}\t{moment.step}"
            topic = f"stedi/accelerometer/{landing.email(moment.customer)}"
            for reading in moment.accelerometer:
                yield f"{topic}\t{reading}"

    write_lines(path, messages())
    return landing.customers * READINGS_A_CUSTOMER


def write_payloads(landing: Landing, path: Path, readings: int) -> int:
    """Arrays of so many readings of one kind, as a hub of several devices sends them; returns how many."""
    count = 0

    def payloads() -> Iterator[str]:
        nonlocal count
        waiting: dict[str, list[str]] = {"step_trainer": [], "accelerometer": []}
        for moment in landing.moments():
            waiting["step_trainer"].append(moment.step)
            waiting["accelerometer"] += moment.accelerometer
            for kind in waiting:
                while len(waiting[kind]) >= readings:
                    count += 1
                    yield payload(kind, waiting[kind][:readings])
                    del waiting[kind][:readings]
        for kind, rest in waiting.items():
            if rest:
                count += 1
                yield payload(kind, rest)

    write_lines(path, payloads())
    return count


def payload(kind: str, readings: list[str]) -> str:
    return f"stedi/{kind}/hub\t[{','.join(readings)}]"


def prepare(customers: int, folder: Path, write, seed: int = 1):
    """Calls `write(landing, folder)` unless an earlier run did, and gives what that returned."""
    mark = folder / "complete.json"
    wanted = {"version": VERSION, "customers": customers, "seed": seed}
    if mark.exists():
        made = json.loads(mark.read_text())
        if {key: made.get(key) for key in wanted} == wanted:
            return made["result"]
        mark.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    result = write(Landing(customers, seed), folder)
    mark.write_text(json.dumps({**wanted, "result": result}))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("customers", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_landing(Landing(arguments.customers, arguments.seed), arguments.folder)


if __name__ == "__main__":
    main()
