"""Child processes: each has a time limit, and none outlives the benchmark."""

import json
import os
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
_running: set[subprocess.Popen] = set()


class BenchError(Exception):
    """Something did not do what it must for a figure to mean anything."""


@dataclass
class Finished:
    """A process that ended with status 0."""

    output: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int

    @property
    def json(self):
        return json.loads(self.output.strip().splitlines()[-1])


def run(command: list, timeout_s: float, environment: dict | None = None) -> Finished:
    """Runs a command to its end and measures it: wall clock, CPU time, and peak resident memory."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        process = start_process(command, output, errors, environment)
        timer = threading.Timer(timeout_s, kill, [process])
        timer.start()
        try:
            # wait4 alone tells what this one process used.
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        _running.discard(process)
        if process.returncode != 0:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()[-2000:]
            name = Path(command[0]).name
            raise BenchError(f"{name} ended with {process.returncode} after {seconds:.0f} s: {said}")
        output.seek(0)
        return Finished(output.read().decode(), seconds, cpu_of(usage), usage.ru_maxrss * 1024)


def cpu_of(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def start_process(command: list, output, errors, environment: dict | None = None) -> subprocess.Popen:
    """Starts a process that `stop_all` will end."""
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
    )
    _running.add(process)
    return process


def kill(process: subprocess.Popen) -> None:
    """With all that it started: each has a session, and so a process group, of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def end(process: subprocess.Popen, how: int = signal.SIGKILL, timeout_s: float = 60) -> None:
    """Signals a process and waits for its end; kills it if that takes too long."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            kill(process)
            process.wait()
    _running.discard(process)


def stop_all() -> None:
    for process in list(_running):
        end(process)


def wait_until(what: str, condition: Callable[[], bool], timeout_s: float, poll_s: float = 0.01) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"{what} did not happen within {timeout_s:.0f} s")
        time.sleep(poll_s)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts_connections(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cpu_seconds_of(pid: int) -> float:
    """What all threads of a running process have used so far; to the clock tick, usually 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def memory_of(pid: int) -> dict[str, int]:
    """Resident memory now (VmRSS) and at the most (VmHWM), in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines if line.startswith(("VmRSS", "VmHWM")))
    return {name: int(value.split()[0]) * 1024 for name, value in values.items()}
