"""The same tables by DuckDB: what stepgate's replay is compared with. Runs in a process of its own.

    duckdb_tables.py LANDING OUTPUT

Reads customer.json, accelerometer.json and step_trainer.json of LANDING and writes the five tables to OUTPUT
as newline-delimited JSON, columns in the order of stepgate's. Two threads. One customer record an email is
assumed, which holds for the made-up data. Prints the seconds that the SQL took, without the start of Python.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

CUSTOMER = {
    "email": "VARCHAR",
    "serialNumber": "VARCHAR",
    "lastUpdateDate": "BIGINT",
    "registrationDate": "BIGINT",
    "shareWithResearchAsOfDate": "BIGINT",
    "customerName": "VARCHAR",
    "phone": "VARCHAR",
    "birthDay": "VARCHAR",
}
ACCELEROMETER = {"user": "VARCHAR", "timestamp": "BIGINT", "x": "DOUBLE", "y": "DOUBLE", "z": "DOUBLE"}
STEP_TRAINER = {"sensorReadingTime": "BIGINT", "serialNumber": "VARCHAR", "distanceFromObject": "BIGINT"}
TOLERANCE_MS = 100


def read(folder: Path, kind: str, columns: dict) -> str:
    return f"read_json('{folder}/{kind}.json', format = 'newline_delimited', columns = {columns})"


def make_tables(db: duckdb.DuckDBPyConnection, landing: Path, output: Path) -> None:
    db.execute(
        f"create table trusted as select * from {read(landing, 'customer', CUSTOMER)}"
        " where shareWithResearchAsOfDate > 0"
    )
    db.execute(
        "create table accelerometer as select a.*, c.serialNumber from "
        f"{read(landing, 'accelerometer', ACCELEROMETER)} a join trusted c on a.user = c.email"
        " where a.timestamp >= c.shareWithResearchAsOfDate"
    )
    db.execute(
        "create table curated as select * from trusted c"
        " where exists (select 1 from accelerometer a where a.user = c.email)"
    )
    db.execute(
        f"create table step_trainer as select * from {read(landing, 'step_trainer', STEP_TRAINER)} s"
        " where exists (select 1 from curated c where c.serialNumber = s.serialNumber"
        " and s.sensorReadingTime >= c.shareWithResearchAsOfDate)"
    )
    pairs = (
        "select s.*, a.user, a.timestamp, a.x, a.y, a.z from step_trainer s join accelerometer a"
        " on a.serialNumber = s.serialNumber and a.timestamp between"
        f" s.sensorReadingTime - {TOLERANCE_MS} and s.sensorReadingTime + {TOLERANCE_MS}"
    )
    for name, query in {
        "customer_trusted": "from trusted",
        "customers_curated": "from curated",
        "accelerometer_trusted": "select user, timestamp, x, y, z from accelerometer",
        "step_trainer_trusted": "from step_trainer",
        "machine_learning_curated": pairs,
    }.items():
        db.execute(f"copy ({query}) to '{output}/{name}.json' (format json)")


def main() -> None:
    landing, output = Path(sys.argv[1]), Path(sys.argv[2])
    start = time.monotonic()
    with duckdb.connect() as db:
        db.execute("set threads = 2")
        make_tables(db, landing, output)
    print(json.dumps({"seconds": time.monotonic() - start, "version": duckdb.__version__}))


if __name__ == "__main__":
    main()
