"""What happens to the gateway whose data folder is kept: the input, and what is done to the process meanwhile.

It is to reach every part of the state: every verdict, readings that wait in each list of the join, customers in each
state of consent and claim, in the checkpoints and behind them.
"""

import json
import signal
import time

from world import wait_for

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
# All event times are relative to it; consent is given an hour before, if nothing else is said.
T = 1_700_000_000_000
CENTURY = 100 * 365 * 24 * HOUR
NAME = 'Zoë "Zo" \\ O\'Neil\t日本 😀'


def customer(email, serial=None, since=-HOUR, updated=0, **more):
    """Without `since` it does not consent, without `updated` its date is that of its arrival."""
    fields = {"email": email, "serialNumber": serial, "lastUpdateDate": None if updated is None else T + updated,
              "shareWithResearchAsOfDate": None if since is None else T + since, **more}
    return json.dumps({key: value for key, value in fields.items() if value is not None}, ensure_ascii=False)


def acc(user, at, x="1", y="-2.5", z="0e1"):
    return f'{{"user":{json.dumps(user)},"timestamp":{T + at},"x":{x},"y":{y},"z":{z}}}'


def step(serial, at, distance=-7):
    return f'{{"sensorReadingTime":{T + at},"serialNumber":{json.dumps(serial)},"distanceFromObject":{distance}}}'


class Story:
    """What happens to the gateway, in the order in which it is told."""

    def __init__(self, world):
        self.world, self.reload, self.send = world, world.reload, world.send
        self.files = world.folder / "customers"

    def customers(self, *records, topic="stedi/customer"):
        for record in records:
            self.send(f"{topic}/{json.loads(record)['email']}", record)

    def acc(self, user, *times, **xyz):
        self.send(f"stedi/accelerometer/{user}", *(acc(user, at, **xyz) for at in times))

    def step(self, serial, *times):
        self.send(f"stedi/step_trainer/{serial}", *(step(serial, at) for at in times))

    def walk(self, user, serial, start, count):
        """Readings that pair: several lines in a message, and an array in one."""
        times = [start + number * 300 for number in range(count)]
        self.send(f"stedi/accelerometer/{user}", "\n".join(acc(user, at, x=f"0.{at % 97}") for at in times))
        self.send(f"stedi/step_trainer/{serial}", f"[{', '.join(step(serial, at + 40, at % 89) for at in times)}]")

    def write_file(self, name, text):
        (self.files / ".new").write_text(text)
        (self.files / ".new").rename(self.files / name)

    def write_lines(self, *more):
        self.write_file("lines.ndjson", "".join(record + "\n" for record in (
            customer("ada@example.org", "SN-1"), customer("bob@example.org", "SN-2", since=None),
            customer("cleo@example.org", "SN-3"), *more)))

    def run(self):
        self.files.mkdir()
        self.write_lines('{"email":7}')
        self.write_file("array.json", "[" + ",\n".join((
            customer("dan@example.org", "SN-4"), customer("eve@example.org"), customer("fay@example.org"),
            customer("gus@example.org"))) + "]")
        self.world.start_broker()
        self.world.start()
        self.people()
        self.first_readings()
        self.broken()
        # The stricter rule comes back while readings wait that it does not cover. (While there is a bad line in them,
        # nothing of the customer files counts.)
        self.reload(consent__as_of="presence", landing__enabled="true")
        self.write_lines(customer("una@example.org", "SN-9"))
        self.world.gateway.wait_for_line("read 8 customer records")
        self.acc("pia@example.org", 10 * SECOND)
        self.step("SN-50", 10 * SECOND + 30, 12 * SECOND, 40 * SECOND)
        self.step("SN-42", 4 * SECOND, 9 * SECOND)
        self.acc("bob@example.org", 1)
        self.reload(consent__as_of="enforce", landing__enabled="false", limits__max_message_bytes="1KiB")
        for topic, record in (("people/ada", customer("ada@example.org", phone="5" * 1100)),
                              ("accelerometer/ada@example.org", acc("ada@example.org", 0, x="1" * 1100)),
                              ("step_trainer/SN-1", "[" + step("SN-1", 0) * 30 + "]")):
            self.send("stedi/" + topic, record)
        # What comes while nobody is there, the old subscription's messages, and those of a liar.
        self.world.end(signal.SIGTERM)
        self.walk("ada@example.org", "SN-1", 60 * SECOND, 3)
        self.world.start(topics__customer="stedi/customer/{email}", customers__path=None)
        self.send("stedi/people/ada", customer("ada@example.org"), "x" * 1025)
        self.send("stedi/customer/eve@example.org", customer("ada@example.org", since=None, updated=HOUR))
        self.send("stedi/accelerometer/eve@example.org", acc("ada@example.org", 0))
        self.send("stedi/step_trainer/SN-2", f'[{step("SN-1", 1)},{step("SN-2", 1)}]')
        self.old_age()
        self.world.end(signal.SIGKILL)
        self.world.start()
        # The broker forgets the session: a row of audit/gaps.
        self.acc("ada@example.org", HOUR - MINUTE)
        self.world.settle()
        self.world.stop_broker()
        self.world.start_broker()
        self.world.gateway.wait_for_line("subscribed$", 2)
        # Two checkpoints: one with the state of pairing by timestamp, one as it is at the end.
        self.reload(join__pairing="timestamp", join__tolerance="250ms", consent__as_of="presence",
                    landing__enabled="true")
        self.before_checkpoints()
        self.world.checkpoint()
        self.reload(join__pairing="owner", consent__as_of="enforce")
        self.between_checkpoints()
        self.world.checkpoint()
        self.behind_checkpoints()
        # Held readings of SN-61 are covered when a customer moves there, and pair with those that it brings along.
        self.reload(customers__path="customers")
        self.world.kill_with_customer_files_at_hand(lambda: self.write_lines(
            customer("una@example.org", "SN-61", updated=HOUR), customer("xia@example.org", "SN-62"),
            customer("ned@example.org", "SN-40", updated=HOUR, customerName=NAME)))

    def people(self):
        """Claimants of one serial number, of none; dates; escapes; who is not curated for long."""
        self.customers(
            customer("ira@example.org", "SN-20"), customer("jan@example.org", "SN-20", since=-HOUR // 2),
            customer("kim@example.org", "SN-30", since=-HOUR // 2), customer("lou@example.org", "SN-30"),
            customer("max@example.org", "SN-30", since=20 * SECOND), customer("ned@example.org", "SN-40"),
            customer("tom@example.org", "SN-41"), customer("sue@example.org", "SN-42", 5 * SECOND, updated=None),
            customer("pia@example.org", "SN-50", since=30 * SECOND), customer("sue@example.org", "SN-43"),
            customer("ada@example.org", "SN-77", updated=-HOUR), customer("ned@example.org", "SN-40"),
            topic="stedi/people")
        zoe = customer("zoë@example.org", 'SN "é" \\ 51', customerName=NAME, birthDay=1980.5, extra={"a": [None]})
        self.send("stedi/people/zoë", json.dumps(json.loads(zoe), indent=2), zoe)

    def first_readings(self):
        self.walk("ada@example.org", "SN-1", 0, 28)
        self.walk("zoë@example.org", 'SN "é" \\ 51', 0, 2)
        self.acc("ada@example.org", 0, x="0.0")
        self.step("SN-1", 50 * SECOND, 50 * SECOND)
        for user in ("ira", "jan", "kim", "lou", "max", "cleo", "dan", "eve", "fay", "gus", "una", "bob", "who"):
            self.acc(f"{user}@example.org", 21 * SECOND, 100 * SECOND)
        for serial in ("SN-20", "SN-30", "SN-3", "SN-2", "SN-99"):
            self.step(serial, 21 * SECOND + 50, 200 * SECOND)
        self.acc("pia@example.org", 10 * SECOND)
        self.step("SN-50", 10 * SECOND)
        self.acc("ada@example.org", CENTURY)
        self.step("SN-1", CENTURY)
        # Held: never curated, and the first one grows too old. Then who withdraws and who moves while readings wait.
        self.step("SN-41", 0, 0, 16 * MINUTE)
        self.step("SN-40", 5 * SECOND)
        self.customers(
            customer("cleo@example.org", "SN-3", since=None, updated=1),
            customer("dan@example.org", "SN-14", updated=1), customer("fay@example.org", "SN-6", updated=1),
            customer("gus@example.org", "SN-7", updated=1), topic="stedi/people")
        self.acc("cleo@example.org", 100 * SECOND)
        self.step("SN-14", 100 * SECOND + 50)
        self.step("SN-4", 100 * SECOND)

    def broken(self):
        """Records that are none. (QoS 0: a message without a packet id.)"""
        self.send("stedi/step_trainer/SN-1", "[{}]", qos=0)
        self.world.settle()
        deep = '{"a":' + "[" * 64 + "]" * 64 + "}"
        self.send("stedi/accelerometer/ada@example.org", b"\xff\xfe{", " ", "no JSON", "[1,2", "[]", deep, "[1]",
                  acc("", 0), acc("ada@example.org", 0, x="1" * 256), acc("ada@example.org", 0, y='"1"'),
                  acc("ada@example.org", 0, z='1,"X":2'), acc("ada@example.org", 0) + "}",
                  f'{acc("ada@example.org", 0)}\n{{"user":\n{acc("ada@example.org", 90)}')
        self.send("stedi/step_trainer/SN-1", f'[{step("SN-1", 51 * SECOND)},{{"serialNumber":"SN-1"}},{{"a" 1}}]',
                  step("SN-1", 0, 1.5), step("SN-1", 0).replace('"SN-1"', "1"))
        self.send("stedi/people/x", '{"serialNumber":"SN-1"}', '{"email":"a","customerName":[]}')

    def old_age(self):
        """Readings that are late, too old, and of devices that were silent for too long (all, in the end)."""
        self.reload(limits__max_message_bytes="1MiB")
        self.acc("ada@example.org", 20 * MINUTE, 5 * MINUTE)
        self.step("SN-1", 20 * MINUTE, 20 * MINUTE + 99, 5 * MINUTE)
        self.reload(join__idle="1s")
        last = time.monotonic()
        wait_for("a silent second", lambda: time.monotonic() > last + 1.1)
        self.acc("who@example.org", 0)
        self.reload(join__idle="15m")

    def before_checkpoints(self):
        """Pairs of different owners; a customer that takes a stand-in for its serial number, another is free."""
        self.customers(customer("hal@example.org"), customer("uma@example.org", "SN-60"),
                       customer("yan@example.org", "SN-63", since=HOUR + 30 * SECOND))
        self.walk("ada@example.org", "SN-1", HOUR, 6)
        self.step("SN-14", HOUR + 100, HOUR + 90 * SECOND)
        self.acc("zoë@example.org", HOUR + 80 * SECOND, x="-0.123456789012", y="1e-300", z="3.1415926535")
        self.acc("hal@example.org", HOUR + 70 * SECOND)
        # Before the consent, but the rule is presence: covered as long as that holds.
        self.acc("yan@example.org", HOUR + 10 * SECOND)
        self.step("SN-63", HOUR + 10 * SECOND + 300, HOUR + 40 * SECOND)
        self.step("SN-42", HOUR + 10 * SECOND)
        self.step("SN-40", HOUR, HOUR + SECOND)

    def between_checkpoints(self):
        """One of three withdraws, and the others cover less; readings of all kinds wait."""
        self.walk("ada@example.org", "SN-1", HOUR + MINUTE, 4)
        self.acc("zoë@example.org", HOUR + 90 * SECOND, x="9" * 60)
        for user in ("lou", "kim", "ira", "jan", "eve", "una", "uma"):
            self.acc(f"{user}@example.org", HOUR + 100 * SECOND)
        self.customers(customer("vic@example.org", "SN-61"), customer("una@example.org", "SN-60", updated=1),
                       customer("lou@example.org", "SN-30", since=None, updated=1))
        self.step("SN-30", HOUR + 100 * SECOND + 240, -HOUR + 1)
        self.step("SN-61", HOUR + 100 * SECOND + 50, HOUR + 101 * SECOND)
        self.step("SN-20", HOUR + 103 * SECOND)

    def behind_checkpoints(self):
        """Partners and repeats of what the checkpoints hold; other settings once more; a stand-in for another."""
        self.walk("ada@example.org", "SN-1", HOUR + 2 * MINUTE, 12)
        self.acc("zoë@example.org", HOUR + 90 * SECOND, x="9" * 60)
        self.step('SN "é" \\ 51', HOUR + 90 * SECOND + 1, HOUR + 95 * SECOND)
        self.step("SN-61", HOUR + 101 * SECOND)
        self.step("SN-40", HOUR, HOUR + 2 * SECOND)
        self.send("stedi/step_trainer/SN-1", "neither", step("SN-1", 2 * CENTURY))
        self.reload(consent__as_of="presence", join__pairing="timestamp")
        self.acc("yan@example.org", HOUR + 11 * SECOND)
        self.step("SN-63", HOUR + 11 * SECOND + 50)
        self.step("SN-20", HOUR + 103 * SECOND + 150)
        self.reload(consent__as_of="enforce", join__pairing="owner", landing__enabled="false")
        self.customers(
            customer("hal@example.org", "SN-8", updated=1), customer("wes@example.org"),
            customer("jan@example.org", "SN-21", updated=1), customer("kim@example.org", since=None, updated=1),
            customer("rob@example.org", "SN-64", since=HOUR), customer("bob@example.org", "SN-2", updated=1))
        self.acc("wes@example.org", HOUR + 110 * SECOND)
        self.acc("bob@example.org", HOUR + 110 * SECOND, HOUR + 119 * SECOND)
        self.step("SN-21", HOUR + 100 * SECOND + 9, HOUR + 118 * SECOND)
        self.step("SN-64", HOUR - 1, HOUR + 118 * SECOND)
