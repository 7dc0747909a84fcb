#!/usr/bin/env python3
"""Runs a built image the way docs/deploy.md runs the container: container.py run IMAGE.json, container.py files IMAGE.json.

run    The image's entry point, in namespaces of its own but on the caller's network: root read-only, /tmp small and in memory, the
       folder ./data as its volume, as the image's user, without capabilities and without a way to gain any. Its environment is the
       image's and, over it, the caller's. SIGTERM and SIGINT are passed on; ends as it ends. Root only.
files  One line for each file of the image: mode, owner, bytes, path."""
import ctypes
import json
import os
import pathlib
import signal
import stat
import sys

from sandbox import Overlay, mount, mount_devices

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID = 0x00020000, 0x04000000, 0x08000000, 0x20000000
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
LAST_CAPABILITY = pathlib.Path("/proc/sys/kernel/cap_last_cap")
libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def own_namespaces(flags):
    check(libc.unshare(flags), "unshare")
    mount("--make-rprivate", "/")


def prctl(option, value):
    check(libc.prctl(option, value, 0, 0, 0), f"prctl {option}")


def give_up_privileges(user):
    uid, gid = map(int, user.split(":"))
    for capability in range(int(LAST_CAPABILITY.read_text()) + 1):
        prctl(PR_CAPBSET_DROP, capability)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def first_process(root, config, data):
    mount_devices(root)
    mount("-t", "proc", "-o", "nosuid,nodev,noexec", "proc", root / "proc")
    mount("-t", "tmpfs", "-o", "size=64m,mode=1777,nosuid,nodev,noexec", "tmp", root / "tmp")
    for volume in config["Volumes"]:
        mount("--bind", data, root / volume.lstrip("/"))
    own = {name: value for name, value in os.environ.items() if name != "PATH"}
    os.chroot(root)
    os.chdir(config["WorkingDir"])
    give_up_privileges(config["User"])
    os.execve(config["Entrypoint"][0], config["Entrypoint"], {**config["Env"], **own})


def run(image):
    config = image["config"]
    data = pathlib.Path("data").resolve()
    data.mkdir(mode=0o700, exist_ok=True)
    os.chown(data, *map(int, config["User"].split(":")))
    own_namespaces(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC)
    with Overlay(image["layers"]) as root, open("/proc/self/ns/pid") as before:
        # The next process is the first of its own, and only that one.
        check(libc.unshare(CLONE_NEWPID), "unshare")
        child = os.fork()
        if child == 0:
            # Mounts of the first process are its own, and go with it.
            own_namespaces(CLONE_NEWNS)
            first_process(root, config, data)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda number, _: os.kill(child, number))
        check(libc.setns(before.fileno(), CLONE_NEWPID), "setns")
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def files(image):
    own_namespaces(CLONE_NEWNS)
    with Overlay(image["layers"]) as root:
        for each in sorted(root.rglob("*")):
            facts = each.lstat()
            print(f"{stat.filemode(facts.st_mode)} {facts.st_uid}:{facts.st_gid} {facts.st_size} /{each.relative_to(root)}")
    return 0


if len(sys.argv) != 3 or sys.argv[1] not in ("run", "files"):
    sys.exit(__doc__)
sys.exit({"run": run, "files": files}[sys.argv[1]](json.loads(pathlib.Path(sys.argv[2]).read_text())))
