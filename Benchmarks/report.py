"""The table of goals and figures, for people (text) and for scripts (JSON, CSV)."""

import csv
import json
import os
import platform
import subprocess
from dataclasses import asdict
from pathlib import Path

from common import REPOSITORY, Row

VERDICTS = {True: "met", False: "not met", None: "not measured"}


def machine() -> dict:
    """What the figures were measured on."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_bytes": pages * page_bytes,
        "kernel": platform.release(),
        "load_at_start": os.getloadavg()[0],
        "commit": first_line("git", "-C", REPOSITORY, "rev-parse", "--short", "HEAD"),
        "mosquitto": first_line("/usr/sbin/mosquitto", "-h"),
    }


def first_line(*command) -> str:
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=20)
    except OSError:
        return "unknown"
    return (done.stdout.splitlines() or ["unknown"])[0]


def text(rows: list[Row], title: str) -> str:
    cells = [("what", "goal", "figure", "ratio", "goal is")]
    cells += [(row.what, row.goal, row.figure, row.ratio, VERDICTS[row.met]) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    notes = [f"  {row.what}: {note}" for row in rows for note in row.notes]
    return "\n".join([title, "", *lines, *(["", *notes] if notes else []), ""])


def write(rows: list[Row], sizes: str, folder: Path, about: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    document = {"sizes": sizes, "machine": about, "rows": [asdict(row) for row in rows]}
    (folder / "results.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    with open(folder / "results.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["what", "goal", "figure", "ratio", "met"])
        writer.writerows([row.what, row.goal, row.figure, row.ratio, VERDICTS[row.met]] for row in rows)
