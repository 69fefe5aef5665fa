# SPDX-License-Identifier: MIT
"""Boots a test guest once: disk from build-guest, a payload in the initrd, results on a second disk.

The guest boots its own systemd. A unit of ours runs /payload/run.sh when the system is up, packs /out onto
/dev/vdb and switches off. Nothing of a boot survives but what /out held.
"""
import io
import os
import subprocess
import tarfile
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RESULT_BYTES = 16 << 20
# TCG with llvmpipe inside: a family that LLVM does not take for a 32-bit one.
CPU = "max,family=23,model=49,stepping=0"

RUN_UNIT = """[Unit]
Description=Vitrine's test
After=multi-user.target systemd-logind.service vitrine-guest-check.service
[Service]
Type=oneshot
ExecStart=/bin/sh /payload/finish.sh
StandardOutput=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=graphical.target multi-user.target
"""

# Runs in the initrd with the new root as its argument, before systemd.
EARLY = """set -u
root=$1
unit=$root/etc/systemd/system
cp /payload/vitrine-test.service $unit/
mkdir -p $unit/graphical.target.wants $unit/multi-user.target.wants
busybox ln -sf ../vitrine-test.service $unit/multi-user.target.wants/
for name in apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service man-db.timer fstrim.timer \\
	dpkg-db-backup.timer systemd-timesyncd.service getty@tty1.service systemd-pstore.service; do
	busybox ln -sf /dev/null $unit/$name
done
echo /dev/vda / ext4 rw 0 0 >$root/etc/fstab
echo guest-of-test >$root/etc/hostname
[ -e /payload/break.sh ] && sh /payload/break.sh $root
true
"""

FINISH = """mkdir -p /out
cd /payload
sh -x /payload/run.sh >/out/run.log 2>&1
journalctl -b --no-pager >/out/journal.txt 2>/dev/null
tar -c -f /dev/vdb -C /out .
sync
echo o >/proc/sysrq-trigger
sleep 60
"""


def cpio(files):
    """A newc archive of {path: (mode, bytes)}; folders are made as needed."""
    out = io.BytesIO()
    number = 0

    def member(name, mode, data):
        nonlocal number
        number += 1
        raw = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        out.write(b"070701" + b"".join(b"%08x" % field for field in fields) + raw)
        out.write(b"\0" * (-out.tell() % 4))
        out.write(data)
        out.write(b"\0" * (-out.tell() % 4))

    folders = set()
    for path, (mode, data) in files.items():
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in folders:
                folders.add(folder)
                member(folder, 0o040755, b"")
        member(path, 0o100000 | mode, data)
    member("TRAILER!!!", 0, b"")
    return out.getvalue()


def payload(run_script, break_script, files):
    members = {
        "payload/vitrine-test.service": (0o644, RUN_UNIT.encode()),
        "payload/early": (0o755, EARLY.encode()),
        "payload/finish.sh": (0o755, FINISH.encode()),
        "payload/run.sh": (0o755, run_script.encode()),
    }
    if break_script:
        members["payload/break.sh"] = (0o755, break_script.encode())
    for name, path in files.items():
        with open(path, "rb") as stream:
            members["payload/" + name] = (0o755, stream.read())
    return cpio(members)


def base_arguments(folder, work, command_line, memory_mib):
    return [
        os.environ.get("QEMU", "qemu-system-x86_64"), "-machine", "q35,accel=tcg", "-cpu", CPU,
        "-m", str(memory_mib), "-smp", "2", "-nodefaults", "-no-reboot", "-monitor", "none",
        "-kernel", f"{folder}/vmlinuz", "-initrd", f"{work}/initrd",
        "-append", f"console=ttyS0 quiet panic=-1 no_timer_check systemd.show_status=0 {command_line}",
        "-serial", f"file:{work}/console.log",
        "-drive", f"file={folder}/root.img,format=raw,if=virtio,snapshot=on",
        "-drive", f"file={work}/result,format=raw,if=virtio",
        "-device", "virtio-rng-pci",
    ]


def vitrine_command(vitrine, options, folder, work, command_line, memory_mib):
    """The same guest on `vitrine run`, which brings the GPU, a tablet and a keyboard."""
    return [
        vitrine, "run", f"--name=matrix-{os.getpid()}", "--accel=tcg", f"--memory={memory_mib}", "--cpus=2",
        f"--disk={folder}/root.img", "--disk-format=raw", "--snapshot", f"--kernel={folder}/vmlinuz",
        f"--initrd={work}/initrd", "--append",
        f"console=ttyS0 quiet panic=-1 no_timer_check systemd.show_status=0 {command_line}", f"--serial={work}/console.log",
        f"--spice-unix={work}/spice", "--no-network", "--software", *options, "--", "-no-reboot",
        "-drive", f"file={work}/result,format=raw,if=none,id=result",
        "-device", "virtio-blk-pci,drive=result",
    ]


def ask(vitrine, *words):
    return subprocess.run([vitrine, *words, f"matrix-{os.getpid()}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def watch(process, vitrine, limit_s):
    """Waits for the end. Gives the status, what `vitrine show` said last that held a report, and what `vitrine stats` did."""
    shown, stats = b"", b""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            return process.wait(timeout=3), shown, stats
        except subprocess.TimeoutExpired:
            pass
        if vitrine:
            answer = ask(vitrine, "show")
            shown = answer if b"no report" not in answer and answer else shown
            answer = ask(vitrine, "stats", "--json")
            stats = answer if b'"guest"' in answer else stats  # a desktop that ends is in the list no more
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return "time-out", shown, stats


def boot(folder, devices, run_script, *, break_script=None, command_line="", files=None, limit_s=400,
         memory_mib=1024, environment=None, vitrine=None, vitrine_options=()):
    """Runs one boot. Gives {name: bytes} of /out; raises RuntimeError with the console's end.

    `vitrine`: the program to run the guest with, instead of QEMU alone.
    """
    with tempfile.TemporaryDirectory(prefix="vitrine-matrix-") as work:
        with open(f"{folder}/initrd", "rb") as stream:
            base = stream.read()
        with open(f"{work}/initrd", "wb") as stream:
            stream.write(base + b"\0" * (-len(base) % 512) + payload(run_script, break_script, files or {}))
        with open(f"{work}/result", "wb") as stream:
            stream.truncate(RESULT_BYTES)
        report = f"{work}/report"
        if vitrine:
            command = vitrine_command(vitrine, vitrine_options, folder, work, command_line, memory_mib)
        else:
            command = base_arguments(folder, work, command_line, memory_mib)
        command += [word.replace("@REPORT@", report) for word in devices]
        with open(f"{work}/qemu.log", "wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, env=dict(os.environ, **(environment or {})))
            try:
                status, shown, stats = watch(process, vitrine, limit_s)
            finally:  # where we are told to end
                process.terminate()
                process.wait()
        results = read_results(f"{work}/result")
        results["host/show"], results["host/stats"] = shown, stats
        for name in ("report", "qemu.log", "console.log"):
            if os.path.exists(f"{work}/{name}"):
                with open(f"{work}/{name}", "rb") as stream:
                    results["host/" + name] = stream.read()
        if "run.log" not in results:
            tail = results.get("host/console.log", b"")[-3000:].decode(errors="replace")
            log = results.get("host/qemu.log", b"")[-2000:].decode(errors="replace")
            raise RuntimeError(f"the guest gave no results ({status})\n{log}\n{tail}")
        return results


def read_results(path):
    results = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile():
                    results[member.name[2:] if member.name.startswith("./") else member.name] = \
                        archive.extractfile(member).read()
    except tarfile.ReadError:
        pass
    return results
