"""What a unit file lets its service do, as far as it can be had without systemd: read from the unit, with systemd's own lists."""
import functools
import re
import subprocess


def settings(path):
    """Every value of every name in [Service], in order; an empty value forgets the earlier ones, as systemd does."""
    found, section = {}, ""
    text = re.sub(r"\\\n", " ", open(path).read())
    for line in text.splitlines():
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            section = line
        elif section == "[Service]":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value.strip())
    return found


@functools.cache
def expand(name):
    if not name.startswith("@"):
        return frozenset([name])
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], check=True, capture_output=True, text=True).stdout
    lines = [line.strip() for line in text.splitlines()[1:]]
    return frozenset().union(*(expand(line) for line in lines if line and not line.startswith("#")))


def allowed_calls(path):
    """The calls that SystemCallFilter leaves: lists that allow and lists that forbid, in order; later ones win. systemd itself
    always allows what it needs to start the program (@default is in @system-service)."""
    calls = set()
    for value in settings(path)["SystemCallFilter"]:
        names = frozenset().union(*(expand(name) for name in value.removeprefix("~").split()))
        calls = calls - names if value.startswith("~") else calls | names
    return calls
