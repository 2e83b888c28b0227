#!/usr/bin/env python3
"""Tries the Debian package as its users would: `make test-package`.

Installs .build/deb/*.deb in a container that boots a real systemd, with a broker beside it; feeds the service, reads
its tables as a member of its group, kills it, stops it in its tracks, gives it right and wrong settings, upgrades it,
and purges it. Then, in another container, does what docs/operations.md says. Needs root and systemd-nspawn; where the container does not boot, the test fails.

Each wait has a deadline, and a failure shows the container's log.
"""

import os
import pathlib
import shutil
import signal
import sys
import time

from container import Container, Failure, debian, run_here
from gateway import Gateway, wait_for
from operations import Operator

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build/package-test"
SUITE = "bookworm"
# The base system is as small as it gets; python3 and the like must not hide a dependency that is not declared.
# (openssl and adduser are what docs/operations.md needs.)
PACKAGES = ["systemd-sysv", "dbus", "man-db", "mosquitto", "mosquitto-clients", "openssl", "adduser"]
# The highest exposure that systemd-analyze may see, times ten.
EXPOSURE = 15


def install(gateway):
    container = gateway.container
    container.check("useradd", "--create-home", "stranger")
    container.check("dpkg", "-i", "/root/stepgate.deb")
    container.check("useradd", "--create-home", "--groups", "stepgate", "member")
    gateway.expect_active()
    enabled = container.check("systemctl", "is-enabled", "stepgate").strip()
    expect(enabled == "enabled", f"the service is {enabled} after the installation")
    expect(gateway.show("StatusText"), "the service does not say what it does")
    expect(gateway.show("User") == "stepgate", "the service runs as someone else")


def check_unit(gateway):
    said = gateway.container.check("systemd-analyze", "verify", "stepgate.service")
    expect(said == "", f"systemd-analyze verify is not silent:\n{said}")
    gateway.container.check(
        "systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "stepgate.service")
    gateway.container.check("man", "--where", "stepgate")


def feed(gateway):
    gateway.container.check(
        "stepgate", "simulate", "--broker", "127.0.0.1:1883", "--customers", "50", "--readings", "5000")
    gateway.catch_up()
    expect(gateway.rows("machine_learning_curated"), "no readings were joined")
    gateway.container.check("stepgate", "status")


def who_reads_what(gateway):
    """Members of the group read the tables, nobody else does, and nobody at all the journal."""
    read = ["stepgate", "tail", "machine_learning_curated", "--lines", "1", "--data", gateway.DATA]
    expect(gateway.as_user("member", *read).stdout.count("\n") == 1, "a member of the group cannot read a table")
    gateway.refuses("stranger", *read)
    gateway.container.check("systemctl", "restart", "stepgate")
    for folder in ["journal", "checkpoint"]:
        expect(gateway.container.path(f"{gateway.DATA}/{folder}").exists(), f"there is no {folder}")
        for user in ["stranger", "member"]:
            gateway.refuses(user, "ls", f"{gateway.DATA}/{folder}")
    gateway.refuses("stranger", "ls", gateway.DATA)
    for user in ["stranger", "member"]:
        gateway.refuses(user, "ls", "/etc/stepgate/credentials")


def kill(gateway):
    """Whatever kills the process, it ends at once, and the next one goes on where it was."""
    for name in ["KILL", "SEGV", "ILL"]:
        with gateway.restarted_by_systemd():
            pid = gateway.pid
            gateway.signal(name)
            wait_for(f"the end of the process after SIG{name}", 3, lambda: gateway.pid != pid)
        gateway.catch_up()
    gateway.container.check("stepgate", "verify", "--data", gateway.DATA)


def watchdog(gateway):
    """A process that stands still is replaced; one that has nothing to do is left alone."""
    seconds = 4
    with gateway.drop_in(f"[Service]\nWatchdogSec={seconds}\n"):
        restarts = gateway.show("NRestarts")
        time.sleep(2 * seconds)
        expect(gateway.show("NRestarts") == restarts, "the watchdog ended a gateway that had nothing to do")
        with gateway.restarted_by_systemd():
            cursor = gateway.journal_cursor()
            gateway.signal("STOP")
            gateway.expect_journal(cursor, "Watchdog timeout", seconds=3 * seconds)
        gateway.catch_up()


def reload(gateway):
    """Settings are applied while it runs; wrong ones are refused, by the command and by the gateway itself."""
    pid = gateway.pid
    cursor = gateway.journal_cursor()
    with gateway.setting("log.level", "debug"):
        gateway.container.check("systemctl", "reload", "stepgate")
        gateway.expect_journal(cursor, "log.level")
        gateway.expect_active()
    gateway.container.check("systemctl", "reload", "stepgate")

    with gateway.setting("join.tolerance", "soon"):
        cursor = gateway.journal_cursor()
        expect(gateway.container.run("systemctl", "reload", "stepgate").returncode != 0, "a wrong file was reloaded")
        gateway.expect_journal(cursor, "join.tolerance")
        cursor = gateway.journal_cursor()
        gateway.signal("HUP")
        gateway.expect_journal(cursor, "join.tolerance")
        gateway.expect_active()
    gateway.catch_up()
    expect(gateway.pid == pid, "the process was replaced while settings were reloaded")


def metrics(gateway):
    """Alert rules and dashboard ask for nothing that the gateway does not tell."""
    gateway.container.check("install", "-d", "/srv/customers")
    with gateway.setting("customers.path", "/srv/customers"), gateway.setting("checkpoint.interval", "1s"):
        gateway.container.check("systemctl", "reload", "stepgate")
        gateway.catch_up()
        page = FOLDER / "metrics.txt"

        def tells_all():
            page.write_text(gateway.http("/metrics"))
            return all(name in page.read_text() for name in ["checkpoint_timestamp", "customer_files", "watermark"])

        wait_for("a checkpoint, a watermark and a look at the customer files in the metrics", 30, tells_all)
        run_here(str(ROOT / "Tests/Package/check-metrics.py"), str(page))
    gateway.container.check("systemctl", "reload", "stepgate")


def wrong_settings(gateway):
    """With wrong settings it does not start, and systemd does not try again and again."""
    with gateway.setting("join.tolerance", "soon"):
        expect(gateway.container.run("systemctl", "restart", "stepgate").returncode != 0, "it started")
        state = [gateway.show(name) for name in ["ActiveState", "ExecMainStatus"]]
        expect(state == ["failed", "78"], f"after a start with wrong settings: {state}")
    gateway.container.check("systemctl", "start", "stepgate")
    gateway.expect_active()


def credentials(gateway):
    """A password comes from a file that only root can read, and is seen nowhere else."""
    password = "correct-horse"
    cursor = gateway.journal_cursor()
    gateway.demand_password("gateway", password)
    file = gateway.container.path("/etc/stepgate/credentials/password")
    file.write_text(password + "\n")
    file.chmod(0o600)
    with gateway.setting("mqtt.username", "gateway"), gateway.setting("mqtt.password_file", "stepgate_password"):
        gateway.container.check("systemctl", "restart", "stepgate")
        gateway.catch_up("-u", "gateway", "-P", password)
        gateway.container.check("systemctl", "reload", "stepgate")
        gateway.expect_active()
        shown = [
            gateway.journal(cursor), gateway.container.check("systemctl", "show", "stepgate"),
            gateway.container.check("cat", f"/proc/{gateway.pid}/cmdline", f"/proc/{gateway.pid}/environ"),
            gateway.container.check("stepgate", "status", "--json"),
        ]
        expect(not any(password in text for text in shown), "the password is shown")
    gateway.demand_no_password()
    gateway.container.check("systemctl", "restart", "stepgate")
    gateway.catch_up()


def upgrade(gateway):
    """An upgrade keeps settings, and restarts the service where it runs, only there."""
    pid = gateway.pid
    with gateway.setting("log.level", "debug"):
        settings = gateway.settings.read_bytes()
        gateway.container.check("dpkg", "-i", "/root/stepgate.deb")
        expect(gateway.settings.read_bytes() == settings, "the upgrade changed the settings")
        gateway.expect_active()
        expect(gateway.pid != pid, "after the upgrade the old program runs on")
    gateway.container.check("systemctl", "stop", "stepgate")
    gateway.container.check("dpkg", "-i", "/root/stepgate.deb")
    state = gateway.show("ActiveState")
    expect(state == "inactive", f"after the upgrade a service that was stopped is {state}")
    gateway.container.check("systemctl", "start", "stepgate")
    gateway.catch_up()


def nothing_lost(gateway, follower):
    """All that was published is in the table once, and who has followed that since the beginning has its rows."""
    rows = gateway.rows("rejected")
    wait_for("all rows with the follower", 20, lambda: follower.read_text().count("\n") >= len(rows))
    expect(follower.read_text().splitlines() == rows, "the follower's rows are not those of the table")
    markers = gateway.marker_rows()
    expect(markers == gateway.markers, f"published {gateway.markers}, in the table {markers}")
    gateway.container.check("stepgate", "verify", "--data", gateway.DATA)


def remove_and_purge(gateway):
    container = gateway.container
    container.check("dpkg", "-r", "stepgate")
    expect(gateway.show("ActiveState") == "inactive", "the service runs on without its package")
    expect(gateway.settings.exists(), "removing the package removed its settings")
    said = container.check("dpkg", "-P", "stepgate")
    expect(gateway.DATA in said, f"nothing is said of the data that is left:\n{said}")
    expect(any(container.path(f"{gateway.DATA}/journal").iterdir()), "purging removed data")
    left = container.check(
        "find", "/etc", "/usr", "/lib/systemd", "(", "-name", "*stepgate*", "-o", "-path", "*/stepgate/*", ")")
    expect(left == "", f"after purging there is still:\n{left}")
    state = container.check("dpkg", "--audit")
    expect(state == "", state)


def expect(condition, failure):
    if not condition:
        raise Failure(failure)


def step(name, function, *arguments):
    begin = time.monotonic()
    print(f"{name}: ", end="", flush=True)
    result = function(*arguments)
    print(f"{time.monotonic() - begin:.1f} s", flush=True)
    return result


def try_package(gateway):
    follower = FOLDER / "followed"
    step("install", install, gateway)
    with gateway.followed("rejected", follower):
        step("check the unit", check_unit, gateway)
        step("feed", feed, gateway)
        step("who reads what", who_reads_what, gateway)
        step("kill", kill, gateway)
        step("watchdog", watchdog, gateway)
        step("reload", reload, gateway)
        step("metrics", metrics, gateway)
        step("wrong settings", wrong_settings, gateway)
        step("credentials", credentials, gateway)
        step("upgrade", upgrade, gateway)
        step("nothing lost", nothing_lost, gateway, follower)
    step("remove and purge", remove_and_purge, gateway)


def follow_operations(container):
    operator = Operator(container)
    step("operations: install", operator.install)
    step("operations: broker", operator.set_up_broker)
    step("operations: start", operator.start)
    step("operations: first readings", operator.send_readings)
    step("operations: look", operator.look)
    step("operations: TLS", operator.connect_over_tls)
    step("operations: forget a customer", operator.forget_customer)
    step("operations: backup and restore", operator.back_up_and_restore)


def in_container(base, package, body):
    """Boots a new container that has the package as a file, and runs what is given."""
    container = Container(base, FOLDER / "run")
    shutil.copy(package, container.path("/root/stepgate.deb"))
    begin = time.monotonic()
    with container:
        print(f"boot: {time.monotonic() - begin:.1f} s")
        gateway = Gateway(container)
        try:
            body(gateway)
        except BaseException:
            print(f"\n\n--- the container's log\n{gateway.journal_tail()}", flush=True)
            raise


def main():
    if os.geteuid() != 0:
        raise Failure("booting a container needs root")
    packages = sorted((ROOT / ".build/deb").glob("*.deb"))
    if len(packages) != 1:
        raise Failure(f"not one package in .build/deb but {len(packages)}; make deb makes it")
    depends = run_here("dpkg-deb", "--field", str(packages[0]), "Depends").split(",")
    needed = PACKAGES + [text.split()[0] for text in depends]
    base = step("debootstrap", debian, FOLDER / "base", SUITE, needed)
    in_container(base, packages[0], try_package)
    in_container(base, packages[0], lambda gateway: follow_operations(gateway.container))


if __name__ == "__main__":
    # Told to end, it stops the container first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    start = time.monotonic()
    try:
        main()
    except Failure as failure:
        sys.exit(f"test-package: {failure}")
    print(f"test-package: passed in {time.monotonic() - start:.0f} s")
