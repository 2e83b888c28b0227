#!/usr/bin/env python3
"""Checks config/prometheus against what the gateway exposes.

    check-metrics.py METRICS        a file with a /metrics page, or its URL

Every metric that an alert or a panel names must be on the page, with the labels that it is asked for; where a
label's value is written out, a sample must have it. The page itself must be in order: HELP and TYPE for each
metric, counters called _total. Then promtool checks the panels' queries, and checks and tests the rules, if it is
installed (Debian's prometheus).
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

PROMETHEUS = pathlib.Path(__file__).resolve().parents[2] / "config" / "prometheus"
# Prometheus makes these itself.
OWN_METRICS = {"up"}
OWN_LABELS = {"job", "instance"}
WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$')
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


class Page:
    """A /metrics page: metric -> label -> values, and what is wrong with the page itself."""

    def __init__(self, text):
        self.labels = {}
        self.errors = []
        helps, types = set(), {}
        for line in text.splitlines():
            if line.startswith("# HELP "):
                helps.add(line.split()[2])
            elif line.startswith("# TYPE "):
                types[line.split()[2]] = line.split()[3]
            elif line and not line.startswith("#"):
                self.add_sample(line)
        for name in sorted(self.labels):
            if name not in helps or name not in types:
                self.errors.append(f"{name} has no HELP or no TYPE")
            if (types.get(name) == "counter") != name.endswith("_total"):
                self.errors.append(f"{name} is a {types.get(name)}; counters and nothing else end with _total")
        if not self.labels:
            self.errors.append("there is no sample on the page")

    def add_sample(self, line):
        match = SAMPLE.match(line)
        if not match:
            self.errors.append(f"not a sample: {line!r}")
            return
        labels = self.labels.setdefault(match[1], {})
        for name, value in LABEL.findall(match[2] or ""):
            labels.setdefault(name, set()).add(value)


def alert_expressions():
    """(where, expression) of each rule. The standard library reads no YAML, so: "expr:", on one line or folded."""
    lines = (PROMETHEUS / "stepgate-alerts.yml").read_text().splitlines()
    where = None
    for number, line in enumerate(lines):
        key, _, value = line.strip().removeprefix("- ").partition(":")
        if key == "alert":
            where = f"alert {value.strip()}"
        if key != "expr":
            continue
        if value.strip() not in (">-", ">", "|"):
            yield where, value.strip()
            continue
        indent = len(line) - len(line.lstrip())
        block = []
        for next_line in lines[number + 1:]:
            if next_line.strip() and len(next_line) - len(next_line.lstrip()) <= indent:
                break
            block.append(next_line.strip())
        yield where, " ".join(block)


def dashboard_expressions():
    """(where, expression) of each panel's queries and of the variables."""
    dashboard = json.loads((PROMETHEUS / "grafana-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"panel {panel['title']!r}", target["expr"]
    for variable in dashboard["templating"]["list"]:
        match = re.match(r"label_values\((.*), \w+\)", variable.get("definition", ""))
        if match:
            yield f"variable {variable['name']!r}", match[1]


def used_metrics(expression):
    """(metric, labels asked for: name -> (operator, value)) of each selector, and labels of the aggregations."""
    grouping = re.findall(r"\b(?:by|without|on|group_left|group_right)\s*\(([^)]*)\)", expression)
    labels = {label.strip() for group in grouping for label in group.split(",") if label.strip()}
    text = re.sub(r"\b(?:by|without|on|group_left|group_right)\s*\([^)]*\)", " ", expression)
    text = re.sub(r"\[[^\]]*\]", " ", text)
    metrics = []
    for match in re.finditer(r"([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(\s*\()?", re.sub(r"\b\d[\w.]*", " ", text)):
        name, selector, call = match.groups()
        if call is None and name not in WORDS:
            asked = re.findall(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"', selector or "")
            metrics.append((name, asked))
    return metrics, labels


def problems(where, expression, page):
    metrics, grouping = used_metrics(expression)
    known = set(OWN_LABELS)
    for name, asked in metrics:
        if name in OWN_METRICS:
            continue
        if name not in page.labels:
            yield f"{where}: the gateway exposes no {name}"
            continue
        known |= page.labels[name].keys()
        for label, operator, value in asked:
            if label in OWN_LABELS:
                continue
            values = page.labels[name].get(label)
            wanted = value.split("|") if operator == "=~" else [value]
            if values is None:
                yield f"{where}: {name} has no label {label}"
            elif operator in ("=", "=~"):
                for missing in [one for one in wanted if one not in values]:
                    yield f"{where}: {name} has no sample with {label}={missing!r}"
    for label in sorted(grouping - known):
        yield f"{where}: none of its metrics has the label {label}"


def promtool_problems():
    if not shutil.which("promtool"):
        print("promtool is not installed: rules and queries are not checked", file=sys.stderr)
        return
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as queries:
        # Each panel's query as a rule, so that promtool reads them (JSON is YAML).
        rules = [
            {"record": "query", "expr": expression.replace("$__rate_interval", "5m"), "labels": {"number": str(number)}}
            for number, (_, expression) in enumerate(dashboard_expressions())]
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, queries)
        queries.flush()
        for command in (
            ["check", "rules", "stepgate-alerts.yml"], ["test", "rules", "stepgate-alerts-test.yml"],
            ["check", "rules", queries.name],
        ):
            done = subprocess.run(
                ["promtool"] + command, cwd=PROMETHEUS, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode != 0:
                yield f"promtool {' '.join(command)}:\n{done.stdout}"


def read(source):
    if source.startswith(("http://", "https://")):
        with urllib.request.urlopen(source, timeout=10) as answer:
            return answer.read().decode()
    return pathlib.Path(source).read_text()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    page = Page(read(sys.argv[1]))
    found = list(page.errors)
    expressions = list(alert_expressions()) + list(dashboard_expressions())
    for where, expression in expressions:
        found += problems(where, expression, page)
    found += promtool_problems()
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        sys.exit(1)
    print(f"{len(expressions)} expressions use nothing but the {len(page.labels)} metrics of the page")


if __name__ == "__main__":
    main()
