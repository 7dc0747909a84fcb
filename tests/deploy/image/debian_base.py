"""A small Debian by debootstrap, without what the slim images leave out."""
import pathlib
import re
import shutil
import subprocess

APT = pathlib.Path("/etc/apt")
NO_DOCUMENTATION = """path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/lintian/*
"""
SMALL_APT = """Apt::Install-Suggests "0";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
APT::AutoRemove::SuggestsImportant "false";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
"""


def mirrors():
    """Where this machine gets Debian from, and its security updates: its own apt configuration says it."""
    texts = [path.read_text() for path in (APT / "sources.list", *sorted((APT / "sources.list.d").glob("*"))) if path.is_file()]
    found = {}
    for text in texts:
        for block in text.split("\n\n"):
            uri, suites = re.search(r"^URIs: (\S+)", block, re.M), re.search(r"^Suites: (.+)$", block, re.M)
            if uri and suites:
                found.update({suite: uri[1] for suite in suites[1].split()})
        for uri, suite in re.findall(r"^deb (?:\[[^]]*\] )?(\S+) (\S+) ", text, re.M):
            found.setdefault(suite, uri)
    return found


def make_base(suite, target):
    known = mirrors()
    if suite not in known:
        raise SystemExit(f"this machine's apt knows no mirror of {suite}")
    half = target.with_suffix(".new")
    shutil.rmtree(half, ignore_errors=True)
    subprocess.run(["debootstrap", "--variant=minbase", suite, str(half), known[suite]], check=True, stdout=subprocess.DEVNULL)
    sources = half / "etc/apt/sources.list"
    sources.write_text("".join(f"deb {uri} {name} main\n" for name, uri in known.items() if name.startswith(suite)))
    (half / "etc/apt/apt.conf.d/small").write_text(SMALL_APT)
    (half / "etc/dpkg/dpkg.cfg.d/small").write_text(NO_DOCUMENTATION)
    (half / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
    policy = half / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    # Devices are made when something runs in it.
    shutil.rmtree(half / "dev")
    (half / "dev").mkdir()
    # Nothing of this machine.
    for name in ("etc/resolv.conf", "etc/hostname"):
        (half / name).unlink(missing_ok=True)
        (half / name).touch()
    remove_documentation(half / "usr/share")
    for each in (half / "var/cache/apt/archives").glob("*.deb"):
        each.unlink()
    half.rename(target)


def remove_documentation(share):
    for name in ("man", "info", "locale", "lintian"):
        shutil.rmtree(share / name, ignore_errors=True)
    for each in (share / "doc").rglob("*"):
        if each.name != "copyright" and (each.is_symlink() or each.is_file()):
            each.unlink()
