"""Layers put together with overlayfs, and commands that run inside the result. Root, in a mount namespace of one's own."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# What says where the machine's own certificates are: packages may come through something that needs them.
CERTIFICATES = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)


class Overlay:
    """The layers as one folder: the first lies on top. With `upper` what is written goes there, without it nothing can be."""

    def __init__(self, lowers, upper=None):
        self.lowers, self.upper = lowers, upper

    def __enter__(self):
        self.point = pathlib.Path(tempfile.mkdtemp(prefix="image-root-"))
        layers = ":".join(map(str, self.lowers))
        if self.upper:
            self.upper.mkdir()
            self.work = self.upper.with_suffix(".work")
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir()
            mount("-t", "overlay", "overlay", "-o", f"lowerdir={layers},upperdir={self.upper},workdir={self.work}", self.point)
        elif len(self.lowers) > 1:
            mount("-t", "overlay", "overlay", "-o", f"ro,lowerdir={layers}", self.point)
        else:
            mount("--bind", "-o", "ro", layers, self.point)
        return self.point

    def __exit__(self, *_):
        subprocess.run(["umount", "--recursive", str(self.point)], check=True)
        self.point.rmdir()
        if self.upper:
            shutil.rmtree(self.work)


def mount_devices(root):
    dev = root / "dev"
    mount("-t", "tmpfs", "-o", "mode=755,nosuid", "dev", dev)
    for name in DEVICES:
        (dev / name).touch()
        mount("--bind", f"/dev/{name}", dev / name)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        (dev / name).symlink_to(target if name == "fd" else f"/proc/self/{target}")
    (dev / "shm").mkdir(mode=0o1777)
    mount("-t", "tmpfs", "-o", "nosuid,nodev,noexec", "shm", dev / "shm")


def machine_settings(root):
    """What the network of this machine needs, through mounts that leave nothing behind."""
    mount("--bind", os.path.realpath("/etc/resolv.conf"), root / "etc/resolv.conf")
    # A cache that is shared keeps the size that it was given.
    env = {name: os.environ[name] for name in (*PROXIES, "CCACHE_MAXSIZE") if name in os.environ}
    for name in CERTIFICATES:
        file = os.environ.get(name)
        if file and os.path.isfile(file):
            shutil.copy(file, root / "dev/machine-certificates")
            env["NODE_EXTRA_CA_CERTS"] = "/dev/machine-certificates"
            break
    return env


def run_in(root, command, env, folder="/", user="0:0", binds=(), network=False):
    """Runs it as the container's first process; what it left mounted goes with it. Ends the program if it fails."""
    mount_devices(root)
    extra = machine_settings(root) if network else {}
    for source, target in binds:
        place = root / target.lstrip("/")
        place.mkdir(parents=True, exist_ok=True)
        mount("--bind", source, place)
    uid, gid = user.split(":")
    own = ["unshare", "--pid", "--fork", "--kill-child", "--ipc", "--uts", f"--root={root}", f"--wd={folder}", "--mount-proc",
           f"--setgid={gid}", f"--setuid={uid}"]
    result = subprocess.run([*own, "--", *command], env={**env, **extra}, stdin=subprocess.DEVNULL)
    for each in (*(root / target.lstrip("/") for _, target in reversed(binds)), *((root / "etc/resolv.conf",) if network else ())):
        subprocess.run(["umount", str(each)], check=True)
    subprocess.run(["umount", "--recursive", str(root / "dev")], check=True)
    if result.returncode != 0:
        sys.exit(f"failed with {result.returncode}: {' '.join(command)}")
