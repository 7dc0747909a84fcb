"""Where the CPU time of a process goes, by layer: samples of perf with their call chains."""
import collections
import pathlib
import re
import subprocess
import tempfile

# The first that fits the function sampled, or one of its callers, gives the layer.
KERNEL = [("sendmmsg|sendmsg|sendto", "kernel: sending"), ("recvmmsg|recvmsg|recvfrom", "kernel: receiving"),
          ("epoll|poll|futex|nanosleep|schedule", "kernel: waiting")]
LIBRARIES = [("libsrtp|libnss|libsoftokn|libfreebl|libnspr", "SRTP: libsrtp2 and NSS"), ("libcrypto", "SRTP and DTLS: OpenSSL"), ("libopus", "Opus"), ("libsqlite|libpq", "store"), ("libnice", "libnice")]
OURS = [("media::room", "media/room: who gets what"), ("media::transport", "media/transport: ICE, DTLS, SRTP around the library"),
        ("media::wire", "media/wire: parsing and writing"), ("media::server", "media/server: sockets, timers"),
        ("boost::", "Boost.Asio"), ("net::|api::|service::|store::|meetings::", "control plane")]


def layer_of(frames):
    """`frames`: (function, object), innermost first."""
    function, place = frames[0]
    if "kernel" in place or place.endswith(".ko") or place == "[unknown]" and function.startswith("["):
        for pattern, name in KERNEL:
            if any(re.search(pattern, f) for f, _ in frames):
                return name
        return "kernel: other"
    for pattern, name in LIBRARIES:
        if re.search(pattern, place):
            return name
    for pattern, name in OURS:
        if re.search(pattern, function):
            return name
    # The C library's copying, locks and memory belong to whoever called.
    for caller, place in frames[1:]:
        for pattern, name in LIBRARIES:
            if re.search(pattern, place):
                return name
        for pattern, name in OURS[:4]:
            if re.search(pattern, caller):
                return name
    return "C library and other"


def layers(pid, seconds):
    """[(layer, share)], the largest first; None when perf cannot."""
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "perf.data"
        record = subprocess.run(["perf", "record", "-q", "-F", "499", "--call-graph", "fp", "-p", str(pid), "-o", data, "--", "sleep", str(seconds)],
                                capture_output=True)
        if record.returncode:
            return None
        text = subprocess.run(["perf", "script", "-i", data, "-F", "ip,sym,dso", "--no-inline"], capture_output=True, text=True).stdout
    counts = collections.Counter()
    for sample in re.split(r"\n\s*\n", text):
        frames = re.findall(r"^\s*[0-9a-f]+ (.+) \((.+)\)$", sample, re.M)
        if frames:
            counts[layer_of(frames)] += 1
    total = sum(counts.values())
    return [(name, count / total) for name, count in counts.most_common()] if total else None
