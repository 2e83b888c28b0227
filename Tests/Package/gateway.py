"""The installed service as the test sees it: through systemctl, journalctl, the broker, and the tables."""

import contextlib
import json
import time

from container import Failure

# The longest that a service takes to be ready again on a slow machine: the pause before a restart, and the start.
ACTIVE_SECONDS = 40


def wait_for(what, seconds, condition):
    """Waits until a condition holds, and fails where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what} did not happen within {seconds} s")
        time.sleep(0.1)


class Gateway:
    DATA = "/var/lib/stepgate"
    BROKER = "/etc/mosquitto/conf.d/test.conf"
    # Records with these topics are none, so they come to the table of refused ones.
    MARKER = "stedi/accelerometer/marker-"

    def __init__(self, container):
        self.container = container
        self.settings = container.path("/etc/stepgate/stepgate.yaml")
        self.markers = []

    # The service

    def show(self, name):
        return self.container.check("systemctl", "show", "--property", name, "--value", "stepgate.service").strip()

    @property
    def pid(self):
        return int(self.show("MainPID"))

    def expect_active(self):
        wait_for("an active service", ACTIVE_SECONDS, lambda: self.show("ActiveState") == "active")

    def signal(self, name):
        self.container.check("systemctl", "kill", "--kill-whom=main", f"--signal=SIG{name}", "stepgate")

    @contextlib.contextmanager
    def restarted_by_systemd(self):
        """What is done inside makes systemd restart the service once."""
        restarts = int(self.show("NRestarts"))
        yield
        wait_for("a restart", ACTIVE_SECONDS, lambda: int(self.show("NRestarts")) > restarts)
        self.expect_active()
        if int(self.show("NRestarts")) != restarts + 1:
            raise Failure("the service was restarted more than once")

    @contextlib.contextmanager
    def drop_in(self, text):
        """The service runs with this in a drop-in."""
        file = self.container.path("/etc/systemd/system/stepgate.service.d/test.conf")
        file.parent.mkdir(parents=True)
        file.write_text(text)
        self._restart_with_unit()
        yield
        file.unlink()
        file.parent.rmdir()
        self._restart_with_unit()

    def _restart_with_unit(self):
        self.container.check("systemctl", "daemon-reload")
        self.container.check("systemctl", "restart", "stepgate")

    # Settings and log

    @contextlib.contextmanager
    def setting(self, key, value):
        """The settings file has this value while what is inside runs. The service is not told."""
        before = self.settings.read_text()
        section, name = key.split(".")
        lines = before.splitlines()
        begin = lines.index(f"{section}:")
        line = next(index for index in range(begin + 1, len(lines)) if lines[index].startswith(f"  {name}:"))
        lines[line] = f"  {name}: {value}"
        self.settings.write_text("\n".join(lines) + "\n")
        yield
        self.settings.write_text(before)

    def http(self, path):
        """What the gateway answers over HTTP; a minimal Debian has no client but the shell."""
        request = f"GET {path} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n"
        script = f"exec 3<>/dev/tcp/127.0.0.1/9464; printf '{request}' >&3; cat <&3"
        head, body = self.container.check("bash", "-c", script).split("\n\n", 1)
        if " 200 " not in head.splitlines()[0]:
            raise Failure(f"{path}: {head}")
        return body

    def journal_cursor(self):
        """A place in the log, to look for what comes behind it."""
        shown = self.container.check("journalctl", "--quiet", "--lines=1", "--show-cursor", "--output=cat")
        return shown.rsplit("-- cursor: ", 1)[1].strip()

    def journal(self, cursor):
        return self.container.check("journalctl", "--quiet", "--unit=stepgate", f"--after-cursor={cursor}")

    def expect_journal(self, cursor, text, seconds=20):
        wait_for(f"\"{text}\" in the log", seconds, lambda: text in self.journal(cursor))

    def journal_tail(self):
        """The end of the log and the state of the service, for who looks at a failure."""
        log = self.container.run("journalctl", "--no-pager", "--lines=80").stdout
        return log + self.container.run("systemctl", "status", "--no-pager", "--lines=0", "stepgate").stdout

    # The broker and the tables

    def demand_password(self, user, password):
        """From now on the broker lets nobody in without it."""
        self.container.check("mosquitto_passwd", "-b", "-c", "/etc/mosquitto/passwords", user, password)
        self.container.check("chown", "mosquitto:", "/etc/mosquitto/passwords")
        self.container.path(self.BROKER).write_text(
            "listener 1883 127.0.0.1\nallow_anonymous false\npassword_file /etc/mosquitto/passwords\n")
        self.container.check("systemctl", "restart", "mosquitto")

    def demand_no_password(self):
        self.container.path(self.BROKER).unlink()
        self.container.check("systemctl", "restart", "mosquitto")

    def catch_up(self, *credentials):
        """Waits until all that was published so far is in the tables: until a record that is published now is.

        The broker keeps their order.
        """
        self.expect_active()
        topic = f"{self.MARKER}{len(self.markers)}"
        self.container.check("mosquitto_pub", "-h", "127.0.0.1", "-q", "1", "-t", topic, "-m", "marker", *credentials)
        self.markers.append(topic)
        wait_for(f"the row of {topic}", 20, lambda: topic in self.marker_rows())

    def marker_rows(self):
        """The topics of the markers in the table, in its order."""
        topics = [json.loads(row)["topic"] for row in self.rows("rejected")]
        return [topic for topic in topics if topic.startswith(self.MARKER)]

    def rows(self, table):
        """A table's rows, as a member of the group reads them."""
        return self.as_user("member", *self._tail(table)).stdout.splitlines()

    @contextlib.contextmanager
    def followed(self, table, path):
        """A member of the group follows a table and writes its rows into a file."""
        with open(path, "wb") as output:
            follower = self.container.start(*self._as("member"), *self._tail(table), "--follow", stdout=output)
            try:
                yield
                if follower.poll() is not None:
                    raise Failure(f"the follower ended with {follower.returncode}")
            finally:
                follower.kill()
                follower.wait()

    def _tail(self, table):
        return ["stepgate", "tail", table, "--data", self.DATA, "--from-offset", "0"]

    # People

    def as_user(self, user, *command):
        """Runs a command as this user, with the groups that it has."""
        return self.container.run(*self._as(user), *command)

    def refuses(self, user, *command):
        result = self.as_user(user, *command)
        if result.returncode == 0 or "Permission denied" not in result.stdout:
            raise Failure(f"{user} was not refused: {' '.join(command)}\n{result.stdout}")

    def _as(self, user):
        return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]
