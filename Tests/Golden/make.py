#!/usr/bin/env python3
"""Makes a golden data folder: what one version of stepgate left behind, which every later version must start on and
give the same tables from. Usage: Tests/Golden/make.py PROGRAM NAME   (PROGRAM: the release binary of that version)

Tests/Golden/NAME then holds
  data/          the data folder as a killed gateway left it: the journal from position 0, two checkpoints with much
                 behind the newer one, tables whose last rows are missing, a copy of customer files (customers/)
  settings.yaml  the settings in force at the end. Whoever starts on a copy of data/ adds what is a machine's own
                 (STEPGATE_STORAGE_DIRECTORY, STEPGATE_MQTT_PORT, STEPGATE_HTTP_LISTEN), and no customers.path: those
                 files would be new input, with today's arrival, and all that waits in the join would go (join.idle)
  status.json    of /status.json what PROGRAM itself says after a start on a copy, with no broker to connect to
  tables/        the tables' files after that start and a clean stop; those in data/ are a beginning of them

Made once for each version of a format, then committed and never changed: nothing of it is written by anything but
PROGRAM. Needs mosquitto, mosquitto_pub and strace, which kills the gateway at just the moment that is wanted.
story.py tells what is in the data. That every verdict is reached is checked here at the end, and so is that a start
from the older checkpoint, or from the journal alone, with the tables or without, gives the same.
"""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from story import Story
from world import Gateway, World, free_port

ZONES = ["landing", "trusted", "curated", "quarantine", "audit"]
JOIN_SUMS = ["readings", "late", "evicted_by_age", "evicted_idle"]


def table_files(data):
    return {str(path.relative_to(data)): path.read_bytes() for zone in ZONES
            for path in sorted((data / zone).glob("*/[0-9]*.ndjson"))}


def start_on_copy(program, golden, lost, folder):
    """Starts PROGRAM on a copy of data/ without some of it. What it then says, and the tables after a clean stop."""
    shutil.copytree(golden / "data", folder / "data", symlinks=True)
    shutil.copy(golden / "settings.yaml", folder)
    for name in lost:
        path = folder / "data" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    gateway = Gateway(program, folder, free_port())
    try:
        status = gateway.status(lambda status: status["phase"] == "running")["pipeline"]
        gateway.end(signal.SIGTERM)
        complaints = gateway.lines(r"^\S+ (?:warning|error|critical)(?! +cannot connect to the broker).*")
        assert not complaints, complaints
    finally:
        gateway.close()
    journal = "journal/00000000000000000000.journal"
    assert (folder / "data" / journal).read_bytes() == (golden / "data" / journal).read_bytes(), "other settings"
    subprocess.run([program, "verify", "--data", folder / "data"], check=True, stdout=subprocess.DEVNULL)
    told = {key: status[key] for key in ("records", "held", "tables", "customers")}
    told["join"] = {key: status["join"][key] for key in JOIN_SUMS}
    return told, table_files(folder / "data")


def finish(program, golden):
    """Adds status.json and tables/, and checks all of it."""
    data = golden / "data"
    checkpoints = sorted(path.name for path in (data / "checkpoint").iterdir())
    assert len(checkpoints) == 2, checkpoints
    results = []
    for lost in ([], [f"checkpoint/{checkpoints[1]}"], ["checkpoint"], ["checkpoint", *ZONES]):
        with tempfile.TemporaryDirectory(prefix="stepgate-golden-") as folder:
            results.append(start_on_copy(program, golden, lost, pathlib.Path(folder)))
        assert results[-1] == results[0], f"another result without {lost}"
    status, tables = results[0]
    unreached = [(kind, verdict) for kind, counts in status["records"].items()
                 for verdict, count in counts["verdicts"].items() if count == 0]
    assert not unreached and all(status["tables"].values()) and all(status["join"].values()), (unreached, status)
    left = table_files(data)
    assert all(tables[name].startswith(rows) for name, rows in left.items()) and left != tables
    for name, rows in tables.items():
        (golden / "tables" / name).parent.mkdir(parents=True, exist_ok=True)
        (golden / "tables" / name).write_bytes(rows)
    (golden / "status.json").write_text(json.dumps({"pipeline": status}, indent=2) + "\n")


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    program, golden = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(__file__).resolve().parent / sys.argv[2]
    if golden.exists():
        raise SystemExit(f"make.py: {golden} is there already, and is never made again")
    with tempfile.TemporaryDirectory(prefix="stepgate-golden-") as folder:
        world = World(program, pathlib.Path(folder))
        try:
            Story(world).run()
        finally:
            world.close()
        made = world.folder / "made"
        shutil.copytree(world.folder / "data", made / "data", symlinks=True)
        world.write_settings(customers__path=None)
        shutil.copy(world.folder / "settings.yaml", made)
        finish(program, made)
        shutil.copytree(made, golden, symlinks=True)


main()
