#!/usr/bin/env python3
"""Opens the status page of a real gateway in a headless Chromium.

Shows that the page's figures are those of /status.json, that the console stays empty, that nothing is wider than
the window, that the keyboard reaches everything, and what the page says when broker or gateway are gone.
Screenshots go to .build/page. Usage: page.py PROGRAM
"""

import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

from devtools import Browser, wait_for

SIZES = {"wide": (1280, 900), "phone": (390, 844), "narrow": (360, 640)}
PICTURES = pathlib.Path(__file__).resolve().parents[2] / ".build" / "page"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Fixture:
    """A broker and a gateway in a folder of their own."""

    def __init__(self, program):
        self.program = program
        self.folder = tempfile.TemporaryDirectory(prefix="stepgate-page-")
        self.broker_port = free_port()
        self.log = pathlib.Path(self.folder.name) / "log"
        self.broker = self.gateway = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.gateway, self.broker):
            if process and process.poll() is None:
                process.terminate()
                process.wait(20)
        self.folder.cleanup()

    def start_broker(self):
        path = pathlib.Path(self.folder.name) / "mosquitto.conf"
        path.write_text(f"listener {self.broker_port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
        self.broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", path], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        wait_for("the broker listens", self._broker_listens)

    def _broker_listens(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.broker_port)) == 0

    def start_gateway(self):
        """Returns the page's URL."""
        environment = os.environ | {
            "STEPGATE_MQTT_PORT": str(self.broker_port), "STEPGATE_HTTP_LISTEN": "127.0.0.1:0",
            "STEPGATE_STORAGE_DIRECTORY": f"{self.folder.name}/data"}
        self.gateway = subprocess.Popen([self.program, "run"], stderr=self.log.open("w"), env=environment)
        return wait_for("the gateway serves its page",
                        lambda: re.search(r"http://127\.0\.0\.1:\d+/", self.log.read_text())).group()

    def stop(self, process):
        process.terminate()
        process.wait(20)

    def simulate(self):
        subprocess.run([self.program, "simulate", "--broker", f"127.0.0.1:{self.broker_port}", "--customers", "20",
                        "--readings", "200", "--seed", "3"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)


# The page and the JSON are read at the same moment of the gateway: between two readings nothing must have come.
COMPARE = """(async () => {
  const text = id => document.getElementById(id).textContent.replaceAll(",", "");
  const status = await (await fetch("/status.json")).json(), pipeline = status.pipeline, wrong = [];
  const expect = (id, value) => { if (text(id) !== String(value)) wrong.push(id + ": " + text(id) + ", not " + value); };
  expect("headline", status.health.headline.replaceAll(",", ""));
  expect("broker", status.connection.broker);
  expect("messages", status.connection.messages);
  expect("redelivered", status.connection.redelivered);
  expect("connects", status.connection.connects);
  expect("sessions-lost", status.connection.sessions_lost);
  expect("readings", pipeline.join.readings);
  expect("held", pipeline.held);
  expect("late", pipeline.join.late);
  expect("evicted-age", pipeline.join.evicted_by_age);
  expect("evicted-idle", pipeline.join.evicted_idle);
  expect("evicted-memory", pipeline.join.evicted_for_memory);
  expect("customers", pipeline.customers);
  expect("journal-position", status.journal.position_bytes);
  for (const { id, dataset } of document.querySelectorAll("[data-path]")) {
    const value = dataset.path.split(".").reduce((part, name) => part?.[name], status);
    if (dataset.unit === "count") expect(id, value);
    if (!/^[0-9]/.test(text(id)) || typeof value !== "number") wrong.push(dataset.path + ": " + text(id));
  }
  for (const [table, rows] of Object.entries(pipeline.tables)) expect("table-" + table, rows);
  const verdicts = document.getElementById("verdicts").textContent.replaceAll(",", "");
  for (const [kind, records] of Object.entries(pipeline.records)) {
    if (records.received > 0 && !verdicts.includes(records.received + " received")) wrong.push(kind);
    for (const [verdict, count] of Object.entries(records.verdicts))
      if (count > 0 && !verdicts.includes(verdict.replaceAll("_", " ") + " " + count + " ")) wrong.push(kind + " " + verdict);
  }
  const devices = [...document.querySelectorAll("#row-list .chip")].map(chip => chip.textContent);
  const expected = status.curated.flatMap(row => [row.device, row.customer]);
  if (devices.join() !== expected.join()) wrong.push("rows: " + devices + ", not " + expected);
  return wrong;
})()"""


def check(condition, what):
    if not condition:
        raise AssertionError(what)
    print(f"  {what}")


def check_figures(browser):
    wait_for("ten curated rows are shown", lambda: browser.evaluate("document.querySelectorAll('#row-list tr').length") == 10)
    try:
        wait_for("the page shows the last status", lambda: browser.evaluate(COMPARE) == [])
    except TimeoutError as error:
        raise AssertionError(browser.evaluate(COMPARE)) from error
    check(browser.evaluate("document.querySelectorAll('.share').length") >= 3, "figures equal /status.json")
    check(browser.evaluate("document.getElementById('health').className") == "health good", "it says that all is well")


def check_layout(browser, name):
    for size, (width, height) in SIZES.items():
        for scheme in ("light", "dark"):
            browser.resize(width, height, scheme)
            browser.screenshot(PICTURES / f"{name}-{size}-{scheme}.png")
            overflow = browser.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if overflow > 0:
                raise AssertionError(f"{name}: {overflow} pixels too wide at {width}")
            colours = browser.evaluate("getComputedStyle(document.body).backgroundColor")
            if (sum(map(int, re.findall(r"\d+", colours)[:3])) < 384) != (scheme == "dark"):
                raise AssertionError(f"{name}: {colours} is not {scheme}")
    print(f"  {name}: nothing is wider than the window, at {', '.join(str(size[0]) for size in SIZES.values())} pixels")


def check_keyboard(browser):
    browser.resize(*SIZES["phone"], "light")
    reached = []
    for _ in range(3):
        browser.press_tab()
        reached.append(browser.evaluate("document.activeElement.id || document.activeElement.getAttribute('href')"))
    check(reached == ["rows", "/status.json", "/metrics"], "the keyboard reaches rows and links")


def headline(browser):
    return browser.evaluate("document.getElementById('headline').textContent")


def main():
    PICTURES.mkdir(parents=True, exist_ok=True)
    with Fixture(sys.argv[1]) as fixture, Browser() as browser:
        fixture.start_broker()
        url = fixture.start_gateway()
        browser.resize(*SIZES["wide"], "light")
        browser.call("Page.navigate", url=url)
        wait_for("the page is live", lambda: browser.evaluate("document.getElementById('live')?.textContent") == "Live")
        wait_for("nothing has come", lambda: "No message has come yet" in headline(browser))
        check_layout(browser, "empty")
        fixture.simulate()
        check_figures(browser)
        check_layout(browser, "fine")
        check_keyboard(browser)
        check(browser.problems == [], f"the console is empty {browser.problems or ''}")

        fixture.stop(fixture.broker)
        wait_for("the page tells that the broker is gone", lambda: headline(browser).startswith("Not connected: "))
        check_layout(browser, "no-broker")
        check(browser.problems == [], f"the console is still empty {browser.problems or ''}")

        fixture.stop(fixture.gateway)
        wait_for("the page tells that the gateway is gone", lambda: "does not answer" in headline(browser))
        check_layout(browser, "no-gateway")
    print(f"screenshots are in {PICTURES}")


main()
