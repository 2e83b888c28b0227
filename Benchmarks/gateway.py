"""The daemon as a child process, and what can be seen of it from outside."""

import json
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from processes import BenchError, cpu_seconds_of, end, start_process, wait_until

TABLES = [
    "trusted/customer_trusted",
    "trusted/accelerometer_trusted",
    "trusted/step_trainer_trusted",
    "curated/customers_curated",
    "curated/machine_learning_curated",
]


def segments(table: Path) -> list[Path]:
    """A table's files in order, without the link to the newest."""
    return sorted(path for path in table.glob("*.ndjson") if path.name[0].isdigit())


def table_bytes(data: Path) -> int:
    """The bytes of all rows that a reader can see."""
    return sum(path.stat().st_size for table in TABLES for path in segments(data / table))


class Gateway:
    """`stepgate run` with default settings; `with` kills it and removes its data."""

    def __init__(self, program: Path, folder: Path, port: int, customers: Path | None = None):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder = folder
        self.data = folder / "data"
        self._events: list[tuple[float, float, str]] = []
        configuration = folder / "stepgate.yaml"
        configuration.write_text(self.configuration(port, customers))
        self.summary = open(folder / "summary", "w+b")
        command = [program, "run", "--config", configuration, "--summary", "json"]
        self.process = start_process(command, self.summary, subprocess.PIPE)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def configuration(self, port: int, customers: Path | None) -> str:
        path = f"customers:\n  path: {customers}\n" if customers else ""
        return (
            f"mqtt:\n  port: {port}\n{path}storage:\n  directory: {self.data}\nhttp:\n  listen: 127.0.0.1:0\n"
        )

    def _read_log(self) -> None:
        # Lines are dated here: the log itself is only good to the second. CPU time is taken with them.
        for line in self.process.stderr:
            try:
                cpu = cpu_seconds_of(self.process.pid)
            except (OSError, IndexError):
                cpu = 0.0
            self._events.append((time.monotonic(), cpu, line.decode(errors="replace").rstrip()))

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> list[str]:
        return [line for _, _, line in self._events]

    def event(self, pattern: str, timeout_s: float) -> tuple[float, float]:
        """When a line was logged for the first time, and the CPU time used until then."""

        def found():
            self.check()
            return next((event for event in self._events if re.search(pattern, event[2])), None)

        wait_until(f'the gateway\'s line "{pattern}"', lambda: found() is not None, timeout_s)
        at, cpu, _ = found()
        return at, cpu

    def connected(self, timeout_s: float = 120) -> None:
        self.event("subscribed$", timeout_s)

    def check(self) -> None:
        if self.process.poll() is not None:
            raise BenchError("the gateway ended: " + "\n".join(self.log()[-5:]))

    def wait_for_bytes(self, count: int, timeout_s: float) -> tuple[float, float]:
        """Waits until the tables hold so many bytes; gives when, and the CPU time used until then."""

        def reached() -> bool:
            self.check()
            return table_bytes(self.data) >= count

        wait_until(f"{count} bytes of rows", reached, timeout_s, poll_s=0.02)
        return time.monotonic(), cpu_seconds_of(self.pid)

    def wait_for_records(self, count: int, timeout_s: float) -> None:
        """Waits until the gateway counts so many records (SIGUSR1 makes it log how many)."""

        def reached() -> bool:
            self.check()
            self.process.send_signal(signal.SIGUSR1)
            told = [re.search(r"received (\d+) records", line) for line in self.log()]
            return max((int(match[1]) for match in told if match), default=0) >= count

        wait_until(f"{count} records", reached, timeout_s, poll_s=0.25)

    def stop(self) -> dict:
        """Ends the gateway in good order and gives its summary."""
        end(self.process, signal.SIGTERM)
        self._reader.join(10)
        if self.process.returncode != 0:
            raise BenchError("the gateway failed: " + "\n".join(self.log()[-5:]))
        self.summary.seek(0)
        return json.loads(self.summary.read())

    def __enter__(self) -> "Gateway":
        return self

    def __exit__(self, *_) -> None:
        end(self.process)
        self._reader.join(10)
        self.process.stderr.close()
        self.summary.close()
        shutil.rmtree(self.folder, ignore_errors=True)
