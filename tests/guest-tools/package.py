# SPDX-License-Identifier: MIT
"""The Debian package before it meets a guest: lintian, and the same sources for arm64."""
import glob
import json
import os
import shutil
import subprocess
import tempfile

from judge import TOOLS, schema

CROSS = "aarch64-linux-gnu-"
SYSROOT = "/usr/aarch64-linux-gnu"


def check_lintian(tap, folder):
    changes = glob.glob(f"{folder}/*.changes")
    if not changes or not shutil.which("lintian"):
        tap.skip("package: lintian-clean", "lintian is not installed" if changes else "an old package was given")
        return
    result = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", "--pedantic", *changes],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tap.ok(result.returncode == 0, "package: lintian-clean", result.stdout)


def build_arm64(folder):
    """The programs' folder, or the compiler's words."""
    flags = subprocess.run(["pkg-config", "--cflags", "libdrm"], stdout=subprocess.PIPE, text=True).stdout
    made = subprocess.run(["make", "-s", "-C", TOOLS, f"O={folder}", f"CC={CROSS}gcc",
                           f"CPPFLAGS={flags.strip()} -isystem {folder}/headers -Werror"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return made.returncode == 0, made.stdout


def check_arm64(tap):
    """Built with the cross compiler; run by QEMU's user emulation where that is installed."""
    if not shutil.which(CROSS + "gcc"):
        tap.skip("package: builds for arm64", f"{CROSS}gcc is not installed")
        return
    with tempfile.TemporaryDirectory(prefix="vitrine-arm64-") as folder:
        # libdrm's, EGL's and GLES's headers are the same for all; the compiler's own folders are not.
        os.mkdir(f"{folder}/headers")
        for name in ("EGL", "GLES2", "GLES3", "KHR", "GL", "libdrm", "xf86drm.h", "xf86drmMode.h"):
            if os.path.exists(f"/usr/include/{name}"):
                os.symlink(f"/usr/include/{name}", f"{folder}/headers/{name}")
        good, words = build_arm64(folder)
        tap.ok(good, "package: builds for arm64", words)
        emulator = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
        if not good or not emulator:
            tap.skip("package: runs on arm64", "no qemu-aarch64")
            return
        result = subprocess.run([emulator, "-L", SYSROOT, f"{folder}/vitrine-guest-check", "--json", "--hands-off"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            wrong = [error.message for error in schema("vitrine-guest-check").iter_errors(json.loads(result.stdout))]
        except ValueError as error:
            wrong = [f"{error} {result.stderr[-300:]!r}"]
        tap.ok(not wrong, "package: runs on arm64, its JSON follows the schema", "; ".join(wrong[:3]))
