#!/usr/bin/env python3
"""Tries what the service never does, and prints as JSON what each attempt came to: "done", or the name of the error."""
import ctypes
import errno
import json
import mmap
import socket

libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {"ptrace": 101, "setuid": 105, "chroot": 161, "mount": 165, "swapon": 167, "reboot": 169, "init_module": 175, "kexec_load": 246,
           "keyctl": 250, "unshare": 272, "perf_event_open": 298, "setns": 308, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425}
FAMILIES = {"AF_PACKET": 17, "AF_BLUETOOTH": 31, "AF_ALG": 38, "AF_VSOCK": 40}
results = {}


def note(name, attempt):
    try:
        attempt()
        results[name] = "done"
    except OSError as error:
        results[name] = errno.errorcode[error.errno]


def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "")


for name, number in NUMBERS.items():
    # Of a stranger's process, of nothing: an attempt that is let through fails with another error, or does no harm.
    note(name, lambda number=number: call(number, *[ctypes.c_long(0x10000000 if number == NUMBERS["unshare"] else 0)] * 6))
for family, number in FAMILIES.items():
    note(family, lambda number=number: socket.socket(number, socket.SOCK_RAW if number == FAMILIES["AF_PACKET"] else socket.SOCK_STREAM).close())
note("writable and executable", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC))
for family in ("AF_INET", "AF_INET6", "AF_UNIX"):
    note(family, lambda family=family: socket.socket(getattr(socket, family), socket.SOCK_STREAM).close())
note("AF_NETLINK", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close())
print(json.dumps(results))
