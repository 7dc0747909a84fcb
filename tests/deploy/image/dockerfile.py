"""Reads a Dockerfile, strictly: what is not understood is an error, never skipped."""
import json
import re
import shlex
from dataclasses import dataclass, field

ONLY_ONCE = ("HEALTHCHECK", "ENTRYPOINT", "STOPSIGNAL")
EXEC_FORM = ("ENTRYPOINT", "VOLUME")


class DockerfileError(Exception):
    pass


@dataclass
class Step:
    """One instruction. `options` are its --name=value words; `words` or `command` what follows them."""

    name: str
    line: int
    text: str
    options: list = field(default_factory=list)
    words: list = field(default_factory=list)
    command: str | list | None = None

    def option(self, name):
        values = [value for key, value in self.options if key == name]
        return values[0] if values else None


@dataclass
class Stage:
    base: str
    name: str | None
    steps: list = field(default_factory=list)


def fail(line, why):
    raise DockerfileError(f"Dockerfile line {line}: {why}")


def instructions(text):
    """Numbered instructions, continued lines put together, comments left out (also those between continued lines)."""
    open_line, parts = 0, []
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not parts and not line.strip()):
            continue
        if not parts:
            open_line = number
        if line.rstrip().endswith("\\"):
            parts.append(line.rstrip()[:-1])
            continue
        yield open_line, "".join([*parts, line]).strip()
        parts = []
    if parts:
        fail(open_line, "ends in the middle of an instruction")


def take_options(line, rest, allowed):
    options = []
    while rest.startswith("--"):
        word, _, rest = rest.partition(" ")
        name, sign, value = word[2:].partition("=")
        if not sign or name not in allowed:
            fail(line, f"option {word} is not known here")
        options.append((name, value))
        rest = rest.lstrip()
    return options, rest


def exec_form(line, rest):
    try:
        words = json.loads(rest)
    except ValueError:
        fail(line, "expected a JSON list of words")
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        fail(line, "expected a JSON list of words")
    return words


def pairs(line, rest):
    found = []
    for word in shlex.split(rest):
        name, sign, value = word.partition("=")
        if not sign or not re.fullmatch(r"[\w.]+", name):
            fail(line, f"expected name=value, not {word}")
        found.append((name, value))
    return found


def read_step(line, name, rest):
    step = Step(name, line, f"{name} {rest}")
    if name != "RUN" and "$" in rest:
        fail(line, f"variables in {name} are not known")
    if name == "RUN":
        step.options, rest = take_options(line, rest, ("mount",))
        step.command = exec_form(line, rest) if rest.startswith("[") else rest
    elif name == "COPY":
        step.options, rest = take_options(line, rest, ("from", "chmod", "chown"))
        step.words = shlex.split(rest)
        if len(step.words) < 2:
            fail(line, "COPY: expected sources and a destination")
    elif name in EXEC_FORM:
        step.words = exec_form(line, rest)
    elif name == "HEALTHCHECK":
        step.options, rest = take_options(line, rest, ("interval", "timeout", "start-period", "retries"))
        if not rest.startswith("CMD "):
            fail(line, "HEALTHCHECK: expected CMD")
        step.words = exec_form(line, rest[4:].strip())
    elif name in ("ENV", "LABEL"):
        step.words = pairs(line, rest)
    elif name in ("WORKDIR", "USER", "STOPSIGNAL"):
        step.words = rest.split()
        if len(step.words) != 1:
            fail(line, f"{name}: expected one word")
    elif name == "EXPOSE":
        step.words = rest.split()
        if not all(re.fullmatch(r"\d+/(tcp|udp)", word) for word in step.words):
            fail(line, "EXPOSE: expected ports such as 8086/tcp")
    else:
        fail(line, f"instruction {name} is not known")
    return step


def parse(text):
    """The stages, in order; the last one is the image."""
    stages = []
    for line, instruction in instructions(text):
        name, _, rest = instruction.partition(" ")
        rest = rest.strip()
        if name == "FROM":
            form = re.fullmatch(r"(\S+)(?: AS ([a-z][a-z0-9-]*))?", rest)
            if not form:
                fail(line, "FROM: expected an image, or an image AS a name")
            stages.append(Stage(form[1], form[2]))
            continue
        if not stages:
            fail(line, f"{name} before FROM")
        step = read_step(line, name, rest)
        if name in ONLY_ONCE and any(other.name == name for other in stages[-1].steps):
            fail(line, f"{name} a second time")
        stages[-1].steps.append(step)
    if not stages:
        raise DockerfileError("Dockerfile: no FROM")
    return stages


class Ignore:
    """The patterns of a .dockerignore: the last one that fits decides, `!` takes back."""

    def __init__(self, text):
        self.rules = []
        for line in text.splitlines():
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            keep = line.startswith("!")
            self.rules.append((keep, self.pattern(line.lstrip("!").strip("/"))))

    @staticmethod
    def pattern(text):
        regex = ""
        for part in re.split(r"(\*\*/?|\*|\?)", text):
            regex += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
        # What fits a folder fits everything in it.
        return re.compile(regex + "(?:/.*)?")

    def leaves_out(self, path):
        out = False
        for keep, pattern in self.rules:
            if pattern.fullmatch(path):
                out = not keep
        return out
