#!/usr/bin/env python3
"""Builds what the asked parts need and runs them; prints every test's name and ends with 'N passed, N failed'."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
INSTRUMENTED = ROOT / "build/instrumented"
RELEASE = ROOT / "build/release"
CORES = os.cpu_count() or 2
ENVIRONMENT = dict(
    os.environ,
    ASAN_OPTIONS="detect_stack_use_after_return=0:strict_string_checks=1",
    UBSAN_OPTIONS="print_stacktrace=1",
    VIDEO_CONSULTATION=str(RELEASE / "video-consultation"),
)


class Tally:
    passed = 0
    failed = []

    def add(self, part, name, ok, output=""):
        if ok:
            self.passed += 1
        else:
            self.failed.append(f"{part}: {name}")
            print(output, flush=True)
        print(f"  {'ok  ' if ok else 'FAIL'} {name}", flush=True)


tally = Tally()
ALL = "all"


def run(command, cwd=ROOT, limit=1800, environment=None):
    """Exit code and everything the command printed."""
    with tempfile.TemporaryFile() as out:
        try:
            code = subprocess.run([str(c) for c in command], cwd=cwd, stdout=out, stderr=subprocess.STDOUT,
                                  env=ENVIRONMENT | (environment or {}), timeout=limit, stdin=subprocess.DEVNULL).returncode
        except subprocess.TimeoutExpired:
            code = f"over its {limit} s"
        out.seek(0)
        return code, out.read().decode(errors="replace")


def single(part, name, command, cwd=ROOT, limit=1800):
    code, text = run(command, cwd, limit)
    tally.add(part, name, code == 0, text)


def google_tests(part, binaries):
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for binary, (code, text) in zip(binaries, pool.map(lambda b: run([b, "--gtest_color=no"]), binaries)):
            for state, name in re.findall(r"^\[\s+(OK|FAILED)\s+\] ([\w/.]+).* \(\d+ ms\)$", text, re.M):
                tally.add(part, f"{binary.name}: {name}", state == "OK", said_by(name, text))
            if code != 0:
                tally.add(part, f"{binary.name} (exit {code})", False, text[-5000:])


def said_by(name, text):
    """What a GoogleTest program printed while this test ran."""
    begin = text.find(f"[ RUN      ] {name}\n")
    return text[begin:text.find(f"[  FAILED  ] {name}", begin)][-10000:]


class NodeTests:
    """Files of Node.js tests. Most of the time they wait, so the files of all asked parts run together, a few more at a time than
    there are cores; those named in `alone`, which measure waiting times or need the cores themselves, one after the other behind
    them. `within`: a command that runs them elsewhere; `without`: files that are left out."""

    def __init__(self, folder, packages=(), alone=(), within=(), without=(), environment=None):
        self.folder, self.packages, self.alone, self.within, self.without = folder, packages, alone, within, without
        self.environment = environment or {}

    def prepare(self):
        for folder in ("tests/lib", *self.packages):
            install_node_packages(folder)

    def files(self, alone):
        def is_alone(path):
            return self.alone == ALL or path.name.split(".")[0] in self.alone

        wanted = [p for p in sorted((ROOT / self.folder).glob("*.test.mjs")) if p.name.split(".")[0] not in self.without]
        return [str(p.relative_to(ROOT)) for p in wanted if is_alone(p) == alone]

    def run(self, file):
        start = time.monotonic()
        code, text = run([*self.within, "node", "--test", "--test-reporter=tap", file], limit=3600, environment=self.environment)
        return file, code, text, time.monotonic() - start


def node_parts(names):
    for name in names:
        PARTS[name][0].prepare()
    with concurrent.futures.ThreadPoolExecutor(CORES + 2) as pool:
        jobs = {pool.submit(PARTS[name][0].run, file): name for name in names for file in PARTS[name][0].files(alone=False)}
        for job in concurrent.futures.as_completed(jobs):
            node_file(jobs[job], *job.result())
    for name in names:
        for file in PARTS[name][0].files(alone=True):
            node_file(name, *PARTS[name][0].run(file))


def node_file(part, file, code, text, seconds):
    print(f"-- {part}: {file} ({seconds:.0f} s)", flush=True)
    good = code == 0
    for bad, name in re.findall(r"^ *(not )?ok \d+ - (.*)$", text, re.M):
        if name.endswith(".mjs"):
            continue
        tally.add(part, name.replace("\\#", "#"), not bad)
        good &= not bad
    if not good:
        tally.add(part, f"{file} (exit {code})", False, text[-30000:])


def install_node_packages(folder):
    lock = (ROOT / folder / "package-lock.json").read_text()
    mark = ROOT / folder / "node_modules/.locked"
    if not mark.exists() or mark.read_text() != lock:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=ROOT / folder, check=True)
        mark.write_text(lock)


def part_layout():
    single("layout", "rooms include only what they may", ["tools/check-layout"])


def part_format():
    files = [p for p in (ROOT / "src").rglob("*") if p.suffix in (".cpp", ".hpp")]
    single("format", "clang-format leaves every file as it is", ["clang-format-19", "--dry-run", "-Werror", *files])


def part_tidy():
    single("tidy", "clang-tidy is clean", ["tools/tidy"], limit=3600)


def part_web():
    single("web", "unit tests of the page", ["npm", "test", "--silent"], ROOT / "web")


def part_unit():
    google_tests("unit", [b for b in sorted(INSTRUMENTED.glob("src/**/test_*")) if b.is_file() and "store" not in b.name])


def part_store():
    google_tests("store", [b for b in sorted(INSTRUMENTED.glob("src/store/**/test_*")) if b.is_file()])


def part_fuzz():
    fuzzers = [b for b in sorted(INSTRUMENTED.glob("src/**/fuzz_*")) if b.is_file()]

    def one(binary):
        corpus = ROOT / binary.parent.relative_to(INSTRUMENTED) / "corpus" / binary.name.removeprefix("fuzz_")
        return run(["tools/fuzz", binary, corpus, os.environ.get("FUZZ_SECONDS", "10")], limit=3600)

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for binary, (code, text) in zip(fuzzers, pool.map(one, fuzzers)):
            runs = re.search(r"number_of_executed_units: (\d+)", text)
            tally.add("fuzz", f"{binary.name}: no finding in {runs.group(1) if runs else '?'} inputs", code == 0, text)


def part_image():
    code, text = run(["tests/deploy/image/build.py"], limit=7200)
    tally.add("image", "the Dockerfile's steps make an image", code == 0, text[-30000:])
    if code == 0:
        install_node_packages("tests/lib")
        tests = NodeTests("tests/deploy/image", within=["tools/own-network"])
        for file in tests.files(alone=False):
            node_file("image", *tests.run(file))


def part_reproducible():
    code, text = run(["tools/reproducible"], limit=7200)
    for state, name in re.findall(r"^(same|DIFFERENT): (\S+)", text, re.M):
        tally.add("reproducible", f"{name} is the same when it is built again, elsewhere", state == "same")
    if code != 0:
        tally.add("reproducible", f"tools/reproducible (exit {code})", False, text[-30000:])


PARTS = {  # name: (function, what it proves, presets it needs)
    "layout": (part_layout, "rooms include only what they may", []),
    "format": (part_format, "formatting", []),
    "web": (part_web, "unit tests of the page", ["release"]),
    "unit": (part_unit, "unit tests, under address and undefined-behaviour sanitizers", ["instrumented"]),
    "store": (part_store, "contract tests of both stores, likewise", ["instrumented"]),
    "api": (NodeTests("tests/api", alone=("outage",)), "the whole service over HTTP, on both stores, against its OpenAPI document", ["release"]),
    "platform": (NodeTests("tests/platform", alone=("broker_outage", "chime_failures", "neighbours")), "with RabbitMQ, AWS's stand-in and the neighbours", ["release"]),
    "chime": (NodeTests("tests/chime", packages=["tests/chime"]), "the API of Chime SDK Meetings, by AWS's clients for JavaScript and Python", ["release"]),
    "several": (NodeTests("tests/api", without=("privacy", "rates", "outage", "network"), environment={"NODES": "2"}), "the same, by two processes on one PostgreSQL behind nginx", ["release"]),
    "attack": (NodeTests("tests/attack", alone=("http", "owasp")), "requests made from the OpenAPI document, OWASP's list, broken HTTP, canaries", ["release"]),
    "faults": (NodeTests("tests/faults", alone=ALL), "kill -9, databases that go away, full disks, floods: nothing acknowledged is lost", ["release"]),
    "cluster": (NodeTests("tests/cluster", packages=["tests/e2e"], alone=ALL), "several nodes on one PostgreSQL: placement, death, drain, a database that is away", ["release"]),
    "e2e": (NodeTests("tests/e2e", packages=["tests/e2e"], alone=ALL), "real browsers in a call", ["release"]),
    "deploy": (NodeTests("tests/deploy", packages=["tests/deploy"]), "what is in deploy/: manifests by their schemas, nginx, the sandbox of the unit, the SBOM", ["release"]),
    "monitoring": (NodeTests("tests/monitoring"), "metrics, alerts (promtool, a real Prometheus), dashboard, traces, the log", ["release"]),
    "networks": (NodeTests("tests/networks", packages=["tests/e2e"], alone=ALL, within=["tools/own-network"]), "browsers in networks of their own: UDP blocked, relays", ["release"]),
    "fuzz": (part_fuzz, "every parser of foreign bytes, 10 s each", ["instrumented"]),
    "tidy": (part_tidy, "clang-tidy", ["instrumented"]),
    "soak": (NodeTests("tests/soak", alone=ALL), "half an hour of full load: memory and descriptors stay flat", ["release"]),
    "image": (part_image, "the Dockerfile's steps, carried out, and the service in the image that they make", []),
    "reproducible": (part_reproducible, "a second build from nothing gives the same program", ["release"]),
}
LONG = ("soak", "image", "reproducible")  # Only when asked for by name.


def main():
    asked = sys.argv[1:] or [name for name in PARTS if name not in LONG]
    if asked == ["--list"]:
        for name, (_, about, _) in PARTS.items():
            print(f"{name:12} {about}{' (only when asked for by name)' if name in LONG else ''}")
        return 0
    unknown = [a for a in asked if a not in PARTS]
    if unknown:
        print(f"No part is called {unknown[0]}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    begun = time.monotonic()
    for preset in ("release", "instrumented"):
        if any(preset in PARTS[a][2] for a in asked):
            if subprocess.run(["tools/build", preset], cwd=ROOT, env=ENVIRONMENT).returncode != 0:
                print(f"The {preset} build failed\n0 passed, 1 failed")
                return 1
    of_node = [name for name in PARTS if name in asked and isinstance(PARTS[name][0], NodeTests)]
    for name in [name for name in PARTS if name in asked]:
        if name in of_node[1:]:
            continue
        together = of_node if name in of_node else [name]
        start = time.monotonic()
        for each in together:
            print(f"== {each}: {PARTS[each][1]}", flush=True)
        if name in of_node:
            node_parts(of_node)
        else:
            PARTS[name][0]()
        print(f"   ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"All in {time.monotonic() - begun:.0f} s")
    for name in tally.failed:
        print(f"FAILED {name}")
    print(f"{tally.passed} passed, {len(tally.failed)} failed")
    return 1 if tally.failed or not tally.passed else 0


sys.exit(main())
