"""A network of one's own: loopback, and one address that is not loopback's, because Janus offers no other. Nothing that
is measured can be reached from outside, and nothing of the machine's own traffic is in between."""
import os
import subprocess
import sys

SERVER = "198.18.0.1"
PARTICIPANTS = "198.18.16.0"
INSIDE = "BENCH_MEDIA_INSIDE"


def enter():
    """Starts the calling program again in there, unless it is there."""
    if os.environ.get(INSIDE):
        return
    if os.geteuid() != 0:
        sys.exit("this needs root: it makes a network namespace")
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


def set_up():
    for command in ("link set lo up", "link add bench0 type veth peer name bench1", f"addr add {SERVER}/16 dev bench0", "link set bench0 up",
                    "link set bench1 up", f"route add local {PARTICIPANTS}/20 dev bench0"):
        subprocess.run(["ip", *command.split()], check=True)
