"""A private mosquitto on the loopback interface, and backlogs for it to hand out."""

import shutil
import signal
import subprocess
from pathlib import Path

from processes import (
    BenchError,
    accepts_connections,
    end,
    free_port,
    run,
    start_process,
    wait_until,
)

PROGRAM = "/usr/sbin/mosquitto"
CLIENT_ID = "stepgate"
FILTERS = ["stedi/customer/#", "stedi/accelerometer/#", "stedi/step_trainer/#"]
# The gateway's default (mqtt.receive_maximum).
RECEIVE_MAXIMUM = 10_000
STORE = "mosquitto.db"


class Broker:
    """Starts on a free port; `with` ends it. What it holds is in `folder`."""

    def __init__(self, folder: Path, backlog: Path | None = None):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder = folder
        if backlog:
            shutil.copy(backlog, folder / STORE)
        self.port = free_port()
        configuration = folder / "mosquitto.conf"
        configuration.write_text(self.configuration())
        with open(folder / "log", "wb") as log:
            self.process = start_process([PROGRAM, "-c", configuration], subprocess.DEVNULL, log)
        wait_until("the broker's start", self.is_up, 120)

    def configuration(self) -> str:
        return "\n".join(
            [
                f"listener {self.port} 127.0.0.1",
                "allow_anonymous true",
                # Started by root it would become a user who may not write here.
                f"user {Path(self.folder).owner()}",
                "persistence true",
                f"persistence_location {self.folder}/",
                # Only at its end; a save in the middle of a measurement would be measured.
                "autosave_interval 0",
                "max_queued_messages 0",
                "max_inflight_messages 0",
                # Otherwise small packets wait for the acknowledgement of those before, up to 40 ms.
                "set_tcp_nodelay true",
                "log_type error",
                "log_type warning",
                "",
            ]
        )

    def is_up(self) -> bool:
        if self.process.poll() is not None:
            raise BenchError(f"mosquitto ended: {(self.folder / 'log').read_text()}")
        return accepts_connections(self.port)

    def save(self, to: Path) -> None:
        """Stops in good order and keeps what it held."""
        end(self.process, signal.SIGTERM, timeout_s=300)
        shutil.move(self.folder / STORE, to)

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_) -> None:
        end(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


def make_backlog(tools: Path, messages: Path, count: int, folder: Path) -> Path:
    """A broker's store with so many QoS 1 messages that wait for a client that was there once."""
    store = folder / "backlog.db"
    if store.exists():
        return store
    with Broker(folder / "broker") as broker:
        subscriber = [tools / "bare_subscriber", broker.port, CLIENT_ID, RECEIVE_MAXIMUM, 0, *FILTERS]
        run(subscriber, timeout_s=30)
        published = run([tools / "publisher", broker.port, messages], timeout_s=900).json["messages"]
        if published != count:
            raise BenchError(f"{published} messages were published instead of {count}")
        broker.save(to=store)
    return store
