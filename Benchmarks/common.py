"""Sizes, folders and programs that the measurements share."""

from dataclasses import dataclass, field
from pathlib import Path

from processes import run

REPOSITORY = Path(__file__).resolve().parent.parent
WORK = REPOSITORY / ".build" / "bench"


@dataclass(frozen=True)
class Sizes:
    """How much of everything. `quick` is for seeing that it works, not for figures to quote."""

    name: str
    replay_customers: int = 100_000
    growth_customers: tuple[int, ...] = (10_000, 100_000, 400_000)
    growth_runs: int = 3
    replay_runs: int = 5
    drain_customers: int = 8_334
    drain_runs: int = 5
    payload_customers: int = 33_334
    payload_runs: int = 3
    latency_seconds: int = 60
    claim_customers: int = 1_000_000
    claim_runs: int = 5
    index_customers: int = 1_000_000
    active_devices: int = 100_000
    count_customers: int = 2_000


FULL = Sizes("full")
QUICK = Sizes(
    "quick",
    replay_customers=10_000,
    growth_customers=(2_500, 10_000, 40_000),
    growth_runs=1,
    replay_runs=3,
    drain_customers=834,
    drain_runs=3,
    payload_customers=3_334,
    payload_runs=1,
    latency_seconds=8,
    claim_customers=100_000,
    claim_runs=1,
    index_customers=200_000,
    active_devices=10_000,
    count_customers=500,
)


@dataclass
class Row:
    """One line of the table of goals."""

    what: str
    goal: str
    figure: str
    # How the figure stands to what it is compared with, where there is such a thing.
    ratio: str = ""
    # None: it could not be measured here, and `notes` say why.
    met: bool | None = None
    notes: list[str] = field(default_factory=list)
    # Whatever was measured, for the JSON file.
    values: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """What every measurement gets."""

    sizes: Sizes
    results: Path
    work: Path = WORK

    @property
    def stepgate(self) -> Path:
        return REPOSITORY / ".build" / "release" / "stepgate"

    @property
    def engine_bench(self) -> Path:
        return REPOSITORY / ".build" / "release" / "StepgateBench"

    @property
    def tools(self) -> Path:
        return self.work / "tools"

    @property
    def python_with_duckdb(self) -> Path:
        return self.work / "venv" / "bin" / "python"

    def scratch(self, name: str) -> Path:
        return self.work / "scratch" / name

    def data(self, name: str) -> Path:
        return self.work / "data" / name

    def note(self, text: str) -> None:
        print(f"  {text}", flush=True)


def build_tools(bench: Bench) -> None:
    """The small MQTT programs."""
    bench.tools.mkdir(parents=True, exist_ok=True)
    for name in ("bare_subscriber", "publisher", "latency_probe"):
        source = Path(__file__).parent / "mqtt" / f"{name}.c"
        program = bench.tools / name
        command = [
            "cc",
            "-O2",
            "-std=gnu11",
            "-Wall",
            "-Wextra",
            "-pthread",
            source,
            "-lmosquitto",
            "-o",
            program,
        ]
        run(command, timeout_s=120)


def build_engine_bench() -> None:
    """The Swift program that measures the engine's parts from inside."""
    command = [
        "swift",
        "build",
        "--quiet",
        "-c",
        "release",
        "--static-swift-stdlib",
        "--product",
        "StepgateBench",
    ]
    run(command, timeout_s=1800, environment={"STEPGATE_BENCH": "1"})


def install_duckdb(bench: Bench) -> None:
    """DuckDB from PyPI, in a virtual environment of its own."""
    if bench.python_with_duckdb.exists():
        return
    run(["python3", "-m", "venv", bench.work / "venv"], timeout_s=120)
    requirements = Path(__file__).parent / "requirements.txt"
    run([bench.python_with_duckdb, "-m", "pip", "install", "--quiet", "-r", requirements], timeout_s=600)
