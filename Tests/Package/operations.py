"""Follows docs/operations.md as a new operator does: the commands are the document's own, in its order.

What a container without a network or a keyboard cannot do is replaced, visibly, below; a replacement whose text is no
longer in the document fails, and so does a command that fails.
"""

import pathlib
import re

from container import Failure
from gateway import wait_for

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/operations.md"
DATA = "--data /var/lib/stepgate"


class Operator:
    def __init__(self, container):
        self.container = container
        self.text = DOCUMENT.read_text()

    def commands(self, title, replacements=()):
        """The commands of a section, of which some are replaced: pairs of a regular expression and a text."""
        sections = [part for part in re.split(r"\n## ", self.text) if part.startswith(title)]
        if len(sections) != 1:
            raise Failure(f"docs/operations.md has {len(sections)} sections that begin with {title!r}")
        script = "\n".join(line[4:] for line in sections[0].splitlines() if line.startswith("    "))
        for pattern, text in replacements:
            script, count = re.subn(pattern, text, script, flags=re.MULTILINE)
            if count == 0:
                raise Failure(f"{title}: {pattern!r} is not in docs/operations.md any more")
        return script

    def run(self, script):
        return self.container.check("bash", "-c", f"set -e; cd /root; export HOME=/root\n{script}")

    def install(self):
        self.run(self.commands("1. Install", [
            # The container has the broker already; on an empty machine it is not there yet.
            (r"^apt update$", "systemctl stop mosquitto"),
            (r"^apt install .*stepgate_\*\.deb$", "dpkg -i ./stepgate*.deb"),
            (r"^apt install mosquitto .*", "systemctl start mosquitto"),
        ]))

    def set_up_broker(self):
        self.run(self.commands("2. The broker", [
            (r"^mosquitto_passwd (/\S+ \S+) .*", r"mosquitto_passwd -b \1 PASSWORD"),  # Else it would ask.
        ]))

    def start(self):
        script = self.commands("3. The gateway")
        yaml, start = script.split("stepgate check-config", 1)
        settings = self.container.path("/etc/stepgate/stepgate.yaml")
        text = settings.read_text()
        for line in [line for line in yaml.splitlines() if re.match(r"  \w+: .", line)]:
            key = line.split(":")[0]
            text, count = re.subn(rf"^{key}:.*$", line, text, count=1, flags=re.MULTILINE)
            if count == 0:
                raise Failure(f"stepgate.yaml has no line for {line!r}")
        settings.write_text(text)
        said = self.run(f"stepgate check-config{start}")
        if "subscribed" not in said:
            raise Failure(f"it started, and did not say that it is subscribed:\n{said}")

    def send_readings(self):
        script = self.commands("4. The first readings", [
            (r"^adduser alice stepgate$", "useradd --create-home alice\nadduser alice stepgate"),
        ])
        allowed, rest = script.split("publish 1234567890 PASSWORD stedi/step_trainer/5555555555", 1)
        refused, tail = rest.split("\n", 1)
        self.run(allowed)
        define = allowed.split("\n", 1)[0]
        said = self.run(f"{define}\npublish 1234567890 PASSWORD stedi/step_trainer/5555555555{refused} || true")
        if "Not authorized" not in said:
            raise Failure(f"a device may publish in another's name:\n{said}")
        self.expect_rows("machine_learning_curated", 1)
        if '"user":"ada@example.com"' not in self.run(tail):
            raise Failure("a member of the group does not see the row")

    def look(self):
        # What it says is up to a second old.
        wait_for("\"All is well\" in stepgate status", 10, lambda: "All is well" in self.run("stepgate status"))

    def connect_over_tls(self):
        self.run(self.commands("7. Devices over TLS"))
        self.expect_rows("step_trainer_trusted", 2)

    def forget_customer(self):
        define = self.commands("4. The first readings").split("\n", 1)[0]
        self.run(f"{define}\n{self.commands('A customer wants to be forgotten')}")
        status = "stepgate status --json | grep -q '\"not_consenting\":1'"
        wait_for("the withdrawal", 10, lambda: self.container.run("bash", "-c", status).returncode == 0)

    def back_up_and_restore(self):
        self.run(self.commands("Backup, restore, another machine"))
        self.expect_rows("machine_learning_curated", 1)

    def expect_rows(self, table, count):
        wait_for(
            f"row {count} of {table}", 20,
            lambda: self.run(f"stepgate tail {table} {DATA} --lines 100").count("\n") == count)
