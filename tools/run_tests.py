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


def run(command, cwd=ROOT, limit=1800):
    """Exit code and everything the command printed."""
    with tempfile.TemporaryFile() as out:
        try:
            code = subprocess.run([str(c) for c in command], cwd=cwd, stdout=out, stderr=subprocess.STDOUT, env=ENVIRONMENT,
                                  timeout=limit, stdin=subprocess.DEVNULL).returncode
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
            seen_failure = False
            for state, name in re.findall(r"^\[\s+(OK|FAILED)\s+\] ([\w/.]+).* \(\d+ ms\)$", text, re.M):
                seen_failure |= state == "FAILED"
                tally.add(part, f"{binary.name}: {name}", state == "OK")
            if code != 0:
                tally.add(part, f"{binary.name} (exit {code})", False, text[-20000:])


def node_tests(part, folder, together=lambda file: False, within=()):
    """Each file by itself; those of which `together` is true as many at a time as there are cores. `within`: a command that runs
    them elsewhere."""
    files = sorted(str(p.relative_to(ROOT)) for p in (ROOT / folder).glob("*.test.mjs"))
    if not files:
        tally.add(part, f"{folder} has tests", False)

    def one(file):
        return file, *run([*within, "node", "--test", "--test-reporter=tap", file], limit=2400)

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for result in pool.map(one, [f for f in files if together(f)]):
            node_file(part, *result)
    for file in files:
        if not together(file):
            node_file(part, *one(file))


def node_file(part, file, code, text):
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
        return run(["tools/fuzz", binary, corpus, os.environ.get("FUZZ_SECONDS", "20")], limit=3600)

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for binary, (code, text) in zip(fuzzers, pool.map(one, fuzzers)):
            runs = re.search(r"number_of_executed_units: (\d+)", text)
            tally.add("fuzz", f"{binary.name}: no finding in {runs.group(1) if runs else '?'} inputs", code == 0, text)


def part_api():
    install_node_packages("tests/lib")
    node_tests("api", "tests/api")


def part_platform():
    install_node_packages("tests/lib")
    if (ROOT / "tests/platform/package-lock.json").exists():
        install_node_packages("tests/platform")
    # Those that measure waiting times want the machine for themselves.
    alone = {"broker_outage", "chime_failures", "neighbours"}
    node_tests("platform", "tests/platform", lambda file: pathlib.Path(file).name.split(".")[0] not in alone)


def part_chime():
    install_node_packages("tests/lib")
    install_node_packages("tests/chime")
    node_tests("chime", "tests/chime")


def part_faults():
    node_tests("faults", "tests/faults")


def part_e2e():
    install_node_packages("tests/lib")
    install_node_packages("tests/e2e")
    node_tests("e2e", "tests/e2e")


def part_networks():
    install_node_packages("tests/lib")
    install_node_packages("tests/e2e")
    node_tests("networks", "tests/networks", within=["tools/own-network"])


def part_cluster():
    install_node_packages("tests/lib")
    install_node_packages("tests/e2e")
    node_tests("cluster", "tests/cluster")


PARTS = {  # name: (function, what it proves, presets it needs)
    "layout": (part_layout, "rooms include only what they may", []),
    "format": (part_format, "formatting", []),
    "web": (part_web, "unit tests of the page", ["release"]),
    "unit": (part_unit, "unit tests, under address and undefined-behaviour sanitizers", ["instrumented"]),
    "store": (part_store, "contract tests of both stores, likewise", ["instrumented"]),
    "api": (part_api, "the whole service over HTTP, on both stores, against its OpenAPI document", ["release"]),
    "platform": (part_platform, "with RabbitMQ, AWS's stand-in and the neighbours", ["release"]),
    "chime": (part_chime, "the API of Chime SDK Meetings, by AWS's clients for JavaScript and Python", ["release"]),
    "faults": (part_faults, "kill -9 under load, on both stores", ["release"]),
    "cluster": (part_cluster, "several nodes on one PostgreSQL: placement, death, drain, a database that is away", ["release"]),
    "e2e": (part_e2e, "real browsers in a call", ["release"]),
    "networks": (part_networks, "browsers in networks of their own: UDP blocked, relays", ["release"]),
    "fuzz": (part_fuzz, "every parser of foreign bytes, 20 s each", ["instrumented"]),
    "tidy": (part_tidy, "clang-tidy", ["instrumented"]),
}


def main():
    asked = sys.argv[1:] or list(PARTS)
    if asked == ["--list"]:
        for name, (_, about, _) in PARTS.items():
            print(f"{name:8} {about}")
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
    for name in asked:
        start = time.monotonic()
        print(f"== {name}: {PARTS[name][1]}", flush=True)
        PARTS[name][0]()
        print(f"   ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"All in {time.monotonic() - begun:.0f} s")
    for name in tally.failed:
        print(f"FAILED {name}")
    print(f"{tally.passed} passed, {len(tally.failed)} failed")
    return 1 if tally.failed or not tally.passed else 0


sys.exit(main())
