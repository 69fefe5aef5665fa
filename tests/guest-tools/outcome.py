# SPDX-License-Identifier: MIT
"""What the matrix keeps of each boot, and the two tables at its end: boots, and faults made and mended."""
import glob
import json
import os
from dataclasses import asdict, dataclass, field


@dataclass
class Fault:
    name: str
    cause: str
    named: bool = False
    mended: bool = None  # None: the boot that shows it mended has not been run
    in_boot: str = None  # mended on the host: "boot" or "suite/boot" without the fault


@dataclass
class Outcome:
    suite: str
    boot: str
    backend: str
    verdict: str = "none"
    cause: str = None
    causes: list = field(default_factory=list)
    shown: str = ""        # the guest's line of `vitrine show`
    check_s: float = None  # of the last check, without KVM
    boot_s: float = None
    good: int = 0
    bad: int = 0
    faults: list = field(default_factory=list)

    def take(self, report):
        self.verdict = {True: "yes", False: "no", None: "not tested"}[report["verdict"]["accelerated"]]
        self.cause = report["verdict"]["cause"]
        self.causes = sorted({check["cause"] for check in report["checks"] if check["cause"]})
        self.check_s = report["duration_ms"] / 1000

    def key(self):
        return f"{self.suite}/{self.boot}"

    def save(self, folder):
        with open(f"{folder}/outcome.json", "w") as stream:
            json.dump(asdict(self), stream, indent=1)


def load_all(folder):
    """{"suite/boot": Outcome} of every boot kept in `folder`, also by earlier runs."""
    outcomes = {}
    for path in sorted(glob.glob(f"{folder}/*/outcome.json"), key=os.path.getmtime):
        with open(path) as stream:
            members = json.load(stream)
        outcome = Outcome(**dict(members, faults=[Fault(**fault) for fault in members["faults"]]))
        outcomes[outcome.key()] = outcome
    return outcomes


def settle(outcomes):
    """Faults of the host's side are mended when the boot without them does not name them."""
    for outcome in outcomes.values():
        for fault in outcome.faults:
            if fault.in_boot:
                key = fault.in_boot if "/" in fault.in_boot else f"{outcome.suite}/{fault.in_boot}"
                fault.mended = fault.cause not in outcomes[key].causes if key in outcomes else None
                yield outcome, fault


def rows_text(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "# " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()


def write_tables(outcomes):
    outcomes = dict(sorted(outcomes.items(), key=lambda item: item[1].suite))
    rows = [("guest", "backend", "boot", "accelerated", "cause", "checks", "tool s", "boot s")]
    for outcome in outcomes.values():
        counts = f"{outcome.good} ok" + (f", {outcome.bad} NOT" if outcome.bad else "")
        rows.append((outcome.suite, outcome.backend, outcome.boot, outcome.verdict, outcome.cause or "-", counts,
                     f"{outcome.check_s:.1f}" if outcome.check_s is not None else "-",
                     f"{outcome.boot_s:.0f}" if outcome.boot_s is not None else "-"))
    print("#\n# Times are without KVM: the guest is emulated.")
    print("\n".join(rows_text(rows)))
    rows = [("fault", "guest", "named as", "named", "mended")]
    for outcome in outcomes.values():
        for fault in outcome.faults:
            mended = {True: "yes", False: "NO", None: "not run"}[fault.mended]
            rows.append((fault.name, outcome.suite, fault.cause, "yes" if fault.named else "NO",
                         mended + (f" (boot {fault.in_boot})" if fault.in_boot else "")))
    if len(rows) > 1:
        print("#")
        print("\n".join(rows_text(rows)))
    for outcome in outcomes.values():
        if outcome.shown:
            print(f"# vitrine show, {outcome.key()}: {outcome.shown}")
