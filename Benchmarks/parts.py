"""What only the engine's own parts can tell: the Swift program StepgateBench measures them from inside."""

from processes import run
from setup import Bench, Row

TIMEOUT_S = 600


def rows(bench: Bench) -> list[Row]:
    return [*consent_rows(bench), allocation_row(bench)]


def consent_rows(bench: Bench) -> list[Row]:
    customers = bench.sizes.index_customers
    told = run([bench.engine_bench, "consent-index", customers], TIMEOUT_S).json
    return [
        Row(
            f"consent index, {customers:,} customers: memory",
            "at most 160 bytes a customer",
            f"{told['curated_bytes_a_customer']:.0f} B",
            f"{told['curated_bytes_a_customer'] / 160:.2f}",
            told["curated_bytes_a_customer"] <= 160,
            [
                "half of them consent, and all of those are curated. Before that the index also keeps their rows:"
                f" {told['loaded_bytes_a_customer']:.0f} B a customer; allocated bytes, as malloc counts them"
            ],
            told,
        ),
        Row(
            f"consent index, {customers:,} customers: a look-up",
            "at most 150 ns with random keys",
            f"{told['lookup_ns']:.0f} ns",
            f"{told['lookup_ns'] / 150:.2f}",
            told["lookup_ns"] <= 150,
            [f"accelerometer readings' emails as the engine judges them; serial numbers {told['serial_lookup_ns']:.0f} ns"],
        ),
    ]


def allocation_row(bench: Bench) -> Row:
    told = run([bench.engine_bench, "allocations"], TIMEOUT_S).json
    worst = max(told.values())
    return Row(
        "heap allocations a record in steady state",
        "0 on both paths",
        f"files {told['files']:.4f}, MQTT {told['messages']:.4f}",
        "",
        worst < 0.001,
        ["between journal and tables, libmosquitto's own aside; below one in a thousand records counts as none"],
        told,
    )
