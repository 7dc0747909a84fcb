#!/usr/bin/env python3
"""Runs a program under the system call filter of a unit file: sandboxed.py UNIT PROGRAM ARGUMENTS…

What systemd would install for SystemCallFilter, SystemCallErrorNumber, RestrictAddressFamilies, MemoryDenyWriteExecute,
RestrictNamespaces, NoNewPrivileges, CapabilityBoundingSet and LimitNOFILE of that unit is installed here with libseccomp and
prctl, before the program is put in this one's place."""
import ctypes
import errno
import mmap
import os
import resource
import socket
import sys

from unit_file import allowed_calls, settings

ALLOW = 0x7FFF0000
EQUAL, MASKED = 4, 7  # SCMP_CMP_EQ, SCMP_CMP_MASKED_EQ
NAMESPACES = 0x7E020080  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWTIME.
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38


class Compare(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("how", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
lib.seccomp_init.restype = ctypes.c_void_p
lib.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Compare)]
lib.seccomp_load.argtypes = [ctypes.c_void_p]


def refuse(code):
    return 0x00050000 | code


def number(call):
    return lib.seccomp_syscall_resolve_name(call.encode())


def add(context, action, call, *compared):
    """One rule. Calls that this kind of machine does not have are left out, as systemd does."""
    if number(call) < 0:
        return
    conditions = (Compare * len(compared))(*(Compare(*each) for each in compared))
    failed = lib.seccomp_rule_add_array(context, action, number(call), len(compared), conditions)
    if failed:
        raise OSError(-failed, f"no rule for {call}")


def install(deny, calls):
    """Each rule set is a filter of its own, as with systemd: of several that fit one call, the strictest counts."""
    context = lib.seccomp_init(deny)
    for call in sorted(calls):
        add(context, ALLOW, call)
    load(context)


def load(context):
    failed = lib.seccomp_load(context)
    if failed:
        raise OSError(-failed, "the filter cannot be loaded")


def refuse_in(rules):
    context = lib.seccomp_init(ALLOW)
    for action, call, *compared in rules:
        add(context, action, call, *compared)
    load(context)


def address_families(names):
    """RestrictAddressFamilies: all others, below, between and above those named, do not exist."""
    allowed = sorted(getattr(socket, name) for name in names)
    return [(refuse(errno.EAFNOSUPPORT), "socket", (0, EQUAL, family, 0)) for family in range(64) if family not in allowed]


def write_and_execute():
    both = mmap.PROT_WRITE | mmap.PROT_EXEC
    return [
        (refuse(errno.EPERM), "mmap", (2, MASKED, both, both)),
        (refuse(errno.EPERM), "mprotect", (2, MASKED, mmap.PROT_EXEC, mmap.PROT_EXEC)),
        (refuse(errno.EPERM), "pkey_mprotect", (2, MASKED, mmap.PROT_EXEC, mmap.PROT_EXEC)),
    ]


def namespaces():
    every = [bit for bit in (1 << shift for shift in range(32)) if NAMESPACES & bit]
    return [(refuse(errno.EPERM), call, (0, MASKED, bit, bit)) for call in ("clone", "unshare") for bit in every] + [(refuse(errno.EPERM), "setns")]


def main():
    unit, program, *arguments = sys.argv[1:]
    said = settings(unit)
    calls = allowed_calls(unit)
    code = getattr(errno, said["SystemCallErrorNumber"][-1])
    # Not more than there may be here.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    descriptors = min(int(said["LimitNOFILE"][-1]), hard) if hard != resource.RLIM_INFINITY else int(said["LimitNOFILE"][-1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    libc = ctypes.CDLL(None)
    assert said["CapabilityBoundingSet"] == [""] and said["NoNewPrivileges"] == ["yes"] and said["MemoryDenyWriteExecute"] == ["yes"]
    if os.geteuid() == 0:
        for capability in range(int(open("/proc/sys/kernel/cap_last_cap").read()) + 1):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    refuse_in([*write_and_execute(), *address_families(" ".join(said["RestrictAddressFamilies"]).split()), *namespaces()])
    # Last: it may refuse the installing of filters. What this program still needs is what starting a program needs.
    install(refuse(code), calls)
    os.execv(program, [program, *arguments])


main()
