# SPDX-License-Identifier: MIT
"""Judges what one boot of a guest gave, against what scenarios.py wants, and keeps it for the tables."""
import json
import os

import jsonschema

from outcome import Fault, Outcome

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(HERE, "../../guest-tools")


class Tap:
    def __init__(self):
        self.number = self.failed = 0

    def ok(self, good, name, why=""):
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}{'' if good else ': ' + why}", flush=True)
        return bool(good)

    def skip(self, name, why):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {why}", flush=True)


def schema(name):
    with open(f"{TOOLS}/{name}.schema.json") as stream:
        return jsonschema.Draft7Validator(json.load(stream))


def causes(report):
    return {check["cause"] for check in report["checks"] if check["cause"]}


class Judge:
    """One boot's results, {name: bytes} from guest.boot."""

    def __init__(self, tap, suite, boot, results):
        self.tap, self.boot, self.results = tap, boot, results
        self.text = {name: data.decode(errors="replace") for name, data in results.items()}
        self.outcome = Outcome(suite, boot.name, boot.backend())

    def ok(self, good, name, why=""):
        self.outcome.good += bool(good)
        self.outcome.bad += not good
        return self.tap.ok(good, f"{self.outcome.suite}/{self.outcome.boot}: {name}", why)

    def load(self, name):
        return json.loads(self.results[f"{name}.json"])

    def schemas(self):
        for name, data in sorted(self.results.items()):
            if not name.endswith(".json") or "/" in name:
                continue
            try:
                report = json.loads(data)
            except ValueError as error:
                self.ok(False, f"{name} is JSON", f"{error}: {data[:200]!r}")
                continue
            kind = schema("vitrine-guest-bench" if name == "bench.json" else "vitrine-guest-check")
            wrong = [f"{list(error.path)}: {error.message}" for error in kind.iter_errors(report)]
            self.ok(not wrong, f"{name} follows its schema", "; ".join(wrong[:3]))

    def installed(self):
        self.ok(self.text["install.rc"].strip() == "0" and self.text["enabled.txt"].strip() == "enabled",
                "the package installs and its unit is enabled", self.text["install.txt"] + self.text["enabled.txt"])

    def verdict(self, name):
        report, cause = self.load(name), self.boot.cause
        verdict, found = report["verdict"], causes(report)
        self.outcome.take(report)
        right = verdict["accelerated"] is (cause is None) and verdict["cause"] == cause
        self.ok(right, f"verdict: {cause or 'accelerated'}", verdict["sentence"] + f" [{verdict['cause']}]")
        for other in self.boot.also:
            self.ok(other in found, f"names {other}", str(sorted(found)))
        if self.boot.mended_in:
            for other in ((cause,) if cause else ()) + self.boot.also:
                self.outcome.faults.append(Fault(self.boot.name, other, other in found, in_boot=self.boot.mended_in))
        for check in report["checks"]:
            self.judge_check(check)

    def judge_check(self, check):
        cause = self.boot.cause
        if check["id"].startswith("truth.") and cause == "truth.wrong-pixel" and \
                check["id"] not in ("truth.compute", "truth.speed"):
            self.ok(check["status"] == "fail", f"{check['id']} sees the wrong pixel", check["value"])
        if check["status"] == "fail" and cause is None and check["cause"] not in self.boot.also:
            self.ok(False, f"{check['id']} does not fail", f"{check['value']} [{check['cause']}]")

    def step(self, step):
        broken, mended = self.load(step.name + "-broken"), self.load(step.name + "-mended")
        found = [check for check in broken["checks"] if check["cause"] == step.cause]
        fault = Fault(step.name, step.cause)
        fault.named = self.ok(bool(found) and bool(found[0]["fix"]), f"{step.name}: names {step.cause}",
                              str(sorted(causes(broken))))
        after = {check["id"]: check["status"] for check in mended["checks"]}
        asked = not found or after.get(found[0]["id"]) in ("pass", "warn")
        fault.mended = self.ok(step.cause not in causes(mended) and asked, f"{step.name}: mended",
                               f"{sorted(causes(mended))} {[(check['id'], after.get(check['id'])) for check in found]}")
        self.outcome.faults.append(fault)
        self.outcome.take(mended)
        if not step.decides:
            return
        verdict = broken["verdict"]
        self.ok(verdict["accelerated"] is False and verdict["cause"] == step.cause,
                f"{step.name}: the verdict says so", verdict["sentence"] + f" [{verdict['cause']}]")
        self.ok(mended["verdict"]["accelerated"] is True, f"{step.name}: accelerated again",
                mended["verdict"]["sentence"])

    def told(self):
        """The host has the boot's verdict: through `vitrine show`, or in the file behind QEMU's port."""
        if self.boot.vitrine:
            shown = self.text["host/show"]
            start = "guest: " if self.boot.cause else "guest: accelerated: yes"
            right = start in shown and (not self.boot.cause or ", because: " in shown.replace("\n", " "))
            self.ok(right and "runs:" in shown, "vitrine show tells the guest's verdict", shown)
            self.outcome.shown = next((line.strip() for line in shown.splitlines() if "guest: " in line), "")
        elif "host/report" in self.text:
            lines = [json.loads(line) for line in self.text["host/report"].splitlines()]
            self.ok(bool(lines) and lines[-1]["vitrine_guest_report"] == 1 and
                    lines[-1]["accelerated"] is (self.boot.cause is None) and lines[-1]["cause"] == self.boot.cause,
                    "the host is told", self.text["host/report"][:600])

    def full(self):
        text = self.text
        self.ok(text["bare.rc"].strip() == "2" and self.load("bare")["verdict"]["accelerated"] is False,
                "without Mesa, DRM and libdrm it runs and says so", text["bare.rc"])
        self.ok(text["bare-bench.rc"].strip() == "3", "the bench too", text["bare-bench.rc"])
        self.ok(text["purge.rc"].strip() == "0" and not text["left.txt"].strip(), "the package leaves nothing",
                text["purge.txt"] + text["left.txt"])
        done = [load["name"] for load in self.load("bench")["workloads"] if load["rate"]]
        self.ok(len(done) >= 6, "the bench measures", str(done))
        self.ok("CONTENTS" not in text["bundle.txt"] and "check.json" in text["bundle.txt"] and
                b"guest-of-test" not in self.results["bundle.tar"], "the bundle lists itself and hides the host name",
                text["bundle.txt"])
        self.ok(" s  " in text["watch.txt"] and "commands" in text["watch.txt"], "--watch counts", text["watch.txt"])
        self.ok("hot-plug: " in text["watch.txt"] and "kernel: " in text["watch.txt"],
                "--watch tells hot-plug events and GPU errors", text["watch.txt"])

    def all(self):
        self.schemas()
        try:
            self.installed()
            for step in self.boot.steps:
                self.step(step)
            if not self.boot.steps:
                self.verdict("full" if self.boot.full else "once")
            if self.boot.full:
                self.full()
            if not self.boot.only or self.boot.vitrine:
                self.ok("OpenGL accelerated:" in text_of(self, "unit.txt"), "the unit writes the verdict",
                        text_of(self, "unit.txt"))
                self.told()
        except (KeyError, ValueError) as error:
            self.ok(False, "gives all results", f"{error!r}\n" + self.text["run.log"][-2000:])
        return self.outcome


def text_of(judge, name):
    return judge.text.get(name, "")
