#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_tools.py CHECK BENCH GUEST-TOOLS-FOLDER: the tools on this machine, whatever it is, without a guest."""
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import tempfile

CHECK, BENCH, FOLDER = sys.argv[1:4]
try:
    import jsonschema
except ImportError:
    print("1..0 # SKIP python3-jsonschema is not installed")
    sys.exit(77)

number = failed = 0


def ok(good, name, why=""):
    global number, failed
    number += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {number} - {name}{'' if good else ': ' + str(why)}", flush=True)


def run(*words, **settings):
    environment = dict(os.environ, **settings)
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=120)


def schema(name):
    with open(f"{FOLDER}/{name}.schema.json") as stream:
        body = json.load(stream)
    jsonschema.Draft7Validator.check_schema(body)
    return jsonschema.Draft7Validator(body)


def problems(validator, report):
    return [f"{list(error.path)}: {error.message}" for error in validator.iter_errors(report)]


def test_check_json():
    validator = schema("vitrine-guest-check")
    result = run(CHECK, "--json", "--hands-off")
    report = json.loads(result.stdout)
    ok(not problems(validator, report), "check --json follows its schema", problems(validator, report)[:3])
    ok(result.returncode == report["verdict"]["exit_status"], "exit status is the verdict's", result.returncode)
    counts = {status: sum(check["status"] == status for check in report["checks"])
              for status in ("pass", "warn", "fail", "skip")}
    ok(all(report["verdict"][status] == count for status, count in counts.items()), "counts are right", counts)
    broken = json.loads(json.dumps(report))
    broken["checks"][0].update(status="fail", cause=None, fix=None)
    ok(bool(problems(validator, broken)), "the schema refuses a failure without a cause")


def test_only():
    result = run(CHECK, "--json", "--only", "kernel.version")
    report = json.loads(result.stdout)
    ok([check["id"] for check in report["checks"]] == ["kernel.version"], "--only takes one check")
    ok(report["verdict"]["accelerated"] is None, "what was not tested has no verdict", report["verdict"])
    ok(result.returncode == 0, "a passing check exits 0", result.returncode)
    ok(run(CHECK, "--only", "nonsense").returncode == 64, "an unknown check is wrong usage")
    result = run(CHECK, "--only", "truth.clear", "--json", LIBGL_ALWAYS_SOFTWARE="1")
    ok(result.returncode == 3, "nothing tested exits 3", result.returncode)


def test_explain():
    listed = [line.split()[0] for line in run(CHECK, "--list").stdout.decode().splitlines()]
    ok(len(listed) >= 40, "--list has the checks", len(listed))
    silent = [name for name in listed if run(CHECK, "--explain", name).returncode]
    ok(not silent, "--explain knows each of them", silent)
    used = set()
    for folder, _, names in os.walk(f"{FOLDER}/check"):
        for name in names:
            if name.endswith(".c") and name != "causes.c":
                with open(f"{folder}/{name}") as stream:
                    used.update(re.findall(r'"((?:device|host|kernel|nodes|ioctl|mesa|truth|kms|xorg|wayland|'
                                           r'agent|desktop)\.[a-z-]+)"', stream.read()))
    unknown = [name for name in sorted(used) if run(CHECK, "--explain", name).returncode]
    ok(not unknown, "every id used in the sources is explained", unknown)


def test_environment():
    result = run(CHECK, "--json", "--only", "mesa.environment", LIBGL_ALWAYS_SOFTWARE="true")
    check = json.loads(result.stdout)["checks"][0]
    ok(check["cause"] == "mesa.environment" and "LIBGL_ALWAYS_SOFTWARE" in check["fix"],
       "a forcing variable is named with its fix", check)
    ok(check["status"] == "fail", "and fails, whatever was drawn here", check["status"])
    result = run(CHECK, "--json", "--only", "mesa.environment", GALLIUM_DRIVER="llvmpipe", LIBGL_ALWAYS_SOFTWARE="0")
    check = json.loads(result.stdout)["checks"][0]
    ok(check["status"] == "warn" and check["cause"] == "mesa.environment", "one that may force warns", check)
    result = run(CHECK, "--json", "--only", "mesa.environment", GALLIUM_DRIVER="virgl", LIBGL_ALWAYS_SOFTWARE="0")
    ok(json.loads(result.stdout)["checks"][0]["status"] == "pass", "harmless values pass")


def test_bundle():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/bundle.tar"
        result = run(CHECK, "--bundle", path, "--only", "device,kernel.version")
        with tarfile.open(path) as archive:
            names = archive.getnames()
            text = b"".join(archive.extractfile(name).read() for name in names)
        ok(names[0] == "CONTENTS" and {"check.json", "check.txt"} <= set(names), "the bundle is a tar", names)
        listed = set(re.findall(r"^ *\d+ (\S+)$", result.stdout.decode(), re.M))
        ok(listed == set(names) - {"CONTENTS"}, "what is printed is what is inside", listed ^ set(names))
        ok(os.stat(path).st_mode & 0o077 == 0, "only the owner may read it")
        host = socket.gethostname().split(".")[0]
        plain = len(host) < 3 or host in ("localhost", "debian")
        ok(plain or not re.search(rb"\b" + re.escape(host.encode()) + rb"\b", text), "the host's name is gone")


def test_report_port():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/port"
        open(path, "w").close()
        run(CHECK, "--report-port", path, "--only", "device", "--verdict")
        with open(path) as stream:
            lines = stream.read().splitlines()
        ok(len(lines) == 1 and json.loads(lines[0])["vitrine_guest_report"] == 1, "one line for the host", lines)
        ok(len(lines[0]) < 4096, "it fits the port's limit", len(lines[0]))


def test_bench():
    validator = schema("vitrine-guest-bench")
    result = run(BENCH, "--json", "--seconds", "0.05", "--hands-off", "--only", "upload,draws")
    if result.returncode == 3:
        print("# no OpenGL ES here: the bench was not run")
        return
    report = json.loads(result.stdout)
    ok(not problems(validator, report), "bench --json follows its schema", problems(validator, report)[:3])
    ok([load["name"] for load in report["workloads"]] == ["upload", "draws"], "--only takes what it is told")


for test in (test_check_json, test_only, test_explain, test_environment, test_bundle, test_report_port, test_bench):
    test()
print(f"1..{number}")
sys.exit(1 if failed else 0)
