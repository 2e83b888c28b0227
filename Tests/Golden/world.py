"""A broker and a gateway in a folder of their own, told step by step what to do. What is waited for is a condition."""

import functools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.request


def wait_for(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"make.py: {what}: not within {seconds} s")
        time.sleep(0.02)
    return result


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def accepts(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def is_traced(pid):
    """Whether all of a process's threads are."""
    try:
        return not any("TracerPid:\t0\n" in (task / "status").read_text()
                       for task in pathlib.Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # A thread has ended meanwhile.
        return False


class Gateway:
    """A process of PROGRAM in `folder`, which holds its data folder and its settings."""

    def __init__(self, program, folder, port):
        self.folder, self.log = folder, folder / "log"
        environment = {"STEPGATE_MQTT_PORT": str(port), "STEPGATE_STORAGE_DIRECTORY": "data",
                       "STEPGATE_HTTP_LISTEN": "127.0.0.1:0", "PATH": os.environ["PATH"]}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [program, "run", "--config", "settings.yaml"], cwd=folder, env=environment, stderr=log)

    @functools.cached_property
    def url(self):
        return wait_for("the status page", lambda: self.lines(r"status page at (http://.*/)$"))[0] + "status.json"

    def lines(self, pattern):
        return re.findall(pattern, self.log.read_text(), re.MULTILINE)

    def wait_for_line(self, pattern, count=1):
        wait_for(pattern, lambda: self.process.poll() is not None or len(self.lines(pattern)) >= count)
        if self.process.poll() is not None:
            raise SystemExit(f"make.py: the gateway ended:\n{self.log.read_text()}")

    def status(self, holds):
        """The first status taken from now on for which `holds`."""
        began = time.time() * 1000

        def look():
            with urllib.request.urlopen(self.url, timeout=10) as answer:
                status = json.load(answer)
            journal, pipeline = status["journal"], status.get("pipeline")
            is_played = journal["position_bytes"] == journal["played_position_bytes"]
            return status if status["now_at_ms"] > began and pipeline and is_played and holds(status) else None

        return wait_for(f"a status of the gateway ({self.log})", look)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        assert self.process.wait(20) == (0 if how == signal.SIGTERM else -how), self.log.read_text()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class World:
    """A broker, a gateway that is ended and started again, and what is published to them."""

    def __init__(self, program, folder):
        self.program, self.folder, self.port = program, folder, free_port()
        self.broker = self.gateway = None
        # Messages that this process of the gateway is to get.
        self.sent = 0
        self.settings = {
            "topics.customer": "stedi/people/#", "topics.accelerometer": "stedi/accelerometer/{user}",
            "topics.step_trainer": "stedi/step_trainer/{serialNumber}", "customers.path": "customers",
            "consent.as_of": "enforce", "join.pairing": "owner", "join.tolerance": "100ms", "join.idle": "15m",
            "limits.max_message_bytes": "1MiB", "landing.enabled": "false", "storage.segment_bytes": "4KiB",
            "checkpoint.interval": "24h", "checkpoint.journal_bytes": "1MiB"}

    def write_settings(self, **changes):
        """A change's key has two underscores for the dot; None: the setting is left out."""
        self.settings.update((key.replace("__", "."), value) for key, value in changes.items())
        lines = ["# The settings in force when data/ was left; see Tests/Golden/make.py."]
        for section in dict.fromkeys(key.split(".")[0] for key, value in self.settings.items() if value):
            lines.append(f"{section}:")
            lines += [f"  {key.split('.')[1]}: {json.dumps(value)}" for key, value in self.settings.items()
                      if key.startswith(section + ".") and value]
        (self.folder / "settings.yaml").write_text("\n".join(lines) + "\n")

    def start_broker(self):
        """One that keeps sessions in memory only."""
        (self.folder / "mosquitto.conf").write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self.broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", self.folder / "mosquitto.conf"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the broker", lambda: accepts(self.port))

    def stop_broker(self):
        self.broker.terminate()
        self.broker.wait(20)

    def start(self, **changes):
        self.write_settings(**changes)
        self.gateway = Gateway(self.program, self.folder, self.port)
        self.gateway.wait_for_line("subscribed$")

    def end(self, how):
        self.settle()
        self.gateway.end(how)
        self.sent = 0

    def settle(self):
        """Waits until all that was sent is judged."""
        def is_judged(status):
            return status["connection"]["messages"] - status["connection"]["redelivered"] == self.sent
        return self.gateway.status(is_judged)

    def reload(self, **changes):
        """Other settings, between the messages before and those behind. (The customer files are read again, too.)"""
        self.settle()
        self.write_settings(**changes)
        files, good = r"customer records? from customers$|customers\.path: ", "settings read again"
        counts = len(self.gateway.lines(files)), len(self.gateway.lines(good))
        self.gateway.process.send_signal(signal.SIGHUP)
        self.gateway.wait_for_line(good, counts[1] + 1)
        if self.settings["customers.path"]:
            self.gateway.wait_for_line(files, counts[0] + 1)

    def checkpoint(self):
        """One checkpoint, of all so far."""
        self.reload(checkpoint__interval="1s", customers__path=None)
        self.gateway.status(lambda s: s["checkpoint"]["position_bytes"] == s["journal"]["position_bytes"])
        self.reload(checkpoint__interval="24h")

    def send(self, topic, *payloads, qos=1):
        """Each payload is a message. The broker has it then, with QoS 1."""
        for payload in payloads:
            payload = payload.encode() if isinstance(payload, str) else payload
            subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-q", str(qos), "-t", topic,
                            "-s"], input=payload, check=True, timeout=20)
            self.sent += 1

    def kill_with_customer_files_at_hand(self, change):
        """Ends the gateway when it has journaled changed customer files: before it writes their first row and before
        it removes its copy of them, whatever of the two comes first."""
        self.settle()
        copy = self.folder / "data/customers"
        wait_for("no copy of customer files", lambda: not any(copy.iterdir()))
        rows = (self.folder / "data/trusted/customer_trusted/current.ndjson").resolve()
        # As the gateway names it to unlink(2). Its writes to the copy are known by the whole path, and let pass.
        removed = "data/customers/00000000000000000000.journal"
        calls = "write,?unlink,?unlinkat"
        command = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={calls}", "-P", removed, "-P", rows,
                   "-e", f"inject={calls}:signal=SIGKILL", "-p", str(self.gateway.process.pid)]
        strace = subprocess.Popen(command, cwd=self.folder, stderr=subprocess.DEVNULL)
        wait_for("strace", lambda: is_traced(self.gateway.process.pid))
        change()
        assert self.gateway.process.wait(20) == -signal.SIGKILL
        strace.wait(20)
        assert any(copy.iterdir())

    def close(self):
        if self.gateway:
            self.gateway.close()
        if self.broker:
            self.stop_broker()
