"""The consent index with very many customers, measured from inside by the Swift program StepgateBench."""

from common import Bench, Row, build_engine_bench
from processes import run

TIMEOUT_S = 600


def rows(bench: Bench) -> list[Row]:
    build_engine_bench()
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
                "half of them consent, and all of those are curated. Before that the index also keeps their"
                f" rows: {told['loaded_bytes_a_customer']:.0f} B. Resident memory"
            ],
            told,
        ),
        Row(
            f"consent index, {customers:,} customers: a look-up",
            "at most 150 ns with random keys",
            f"{told['lookup_ns']:.0f} ns",
            f"{told['lookup_ns'] / 150:.2f}",
            told["lookup_ns"] <= 150,
            [
                "accelerometer readings' emails, as the engine judges them;"
                f" step trainer readings' serial numbers {told['serial_lookup_ns']:.0f} ns"
            ],
        ),
    ]
