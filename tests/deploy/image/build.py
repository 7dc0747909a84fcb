#!/usr/bin/env python3
"""Builds the file system of deploy/Dockerfile with Debian's own tools, where there is no container engine.

build.py [--context FOLDER] [--out FOLDER] [--fresh]: carries out the Dockerfile's very steps, each in a layer (overlayfs) that is
kept for the next time, and writes OUT/image.json: the layers of the last stage and what it says about running it. Root only.
`debian:12-slim` is made by debootstrap from the mirror that this machine uses. --fresh forgets the kept layers first."""
import argparse
import copy
import hashlib
import json
import os
import pathlib
import shutil
import sys

from debian_base import make_base
from dockerfile import Ignore, parse
from sandbox import Overlay, run_in

ROOT = pathlib.Path(__file__).resolve().parents[3]
BASES = {"debian:12-slim": "bookworm"}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def digest(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def content_digest(path):
    """Of a file or folder: names, modes and contents; not times, which a checkout sets anew."""
    total = hashlib.sha256()
    every = [path] if path.is_symlink() or not path.is_dir() else [path, *sorted(path.rglob("*"))]
    for each in every:
        kind = each.lstat().st_mode
        total.update(f"{each.relative_to(path)} {kind:o}\0".encode())
        if each.is_symlink():
            total.update(os.readlink(each).encode())
        elif each.is_file():
            total.update(hashlib.sha256(each.read_bytes()).digest())
    return total.hexdigest()


class Build:
    def __init__(self, context, out):
        self.context, self.out = context, out
        self.layers = out / "layers"
        self.layers.mkdir(parents=True, exist_ok=True)
        self.shared = out / "context"
        self.stages = {}
        self.used = set()

    def prepare_context(self, ignore):
        """A copy of what the Dockerfile may see."""
        shutil.rmtree(self.shared, ignore_errors=True)
        for folder, folders, files in os.walk(self.context):
            inside = pathlib.Path(folder).relative_to(self.context)
            if inside == pathlib.Path("."):
                # Whole folders that no rule takes back are not walked through: results of builds are large.
                folders[:] = [name for name in folders if not ignore.leaves_out(name)]
            folders[:] = [name for name in folders if not ignore.leaves_out(str(inside / name))]
            for name in files:
                if ignore.leaves_out(str(inside / name).removeprefix("./")):
                    continue
                target = self.shared / inside / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(pathlib.Path(folder) / name, target, follow_symlinks=False)

    def layer(self, key, lowers, work):
        """The folder of that layer: kept from last time, or filled by `work(root)` over the layers below."""
        done = self.layers / key
        self.used.add(key)
        if not done.exists():
            upper = self.layers / f"{key}.new"
            shutil.rmtree(upper, ignore_errors=True)
            with Overlay(lowers, upper) as root:
                work(root)
            upper.rename(done)
        return done

    def base(self, name):
        if name not in BASES:
            sys.exit(f"{name} is not an image that can be made here; there are: {', '.join(BASES)}")
        key = digest("base", name)
        self.used.add(key)
        base = self.layers / key
        if not base.exists():
            print(f"-- {name}: debootstrap", flush=True)
            make_base(BASES[name], base)
        config = {"Env": {"PATH": PATH}, "WorkingDir": "/", "User": "0:0", "ExposedPorts": [], "Volumes": []}
        return {"lowers": [base], "key": key, "config": config}

    def stage(self, stage):
        state = copy.deepcopy(self.stages[stage.base]) if stage.base in self.stages else self.base(stage.base)
        for step in stage.steps:
            print(f"-- {stage.name or 'image'}: {step.text[:100]}", flush=True)
            getattr(self, "do_" + step.name.lower())(step, state)
        return state

    def add(self, state, work, *parts):
        state["key"] = digest(state["key"], *parts)
        state["lowers"] = [self.layer(state["key"], state["lowers"], work), *state["lowers"]]

    def prune(self):
        """Layers of earlier Dockerfiles and sources are not wanted again."""
        for each in self.layers.iterdir():
            if each.name not in self.used:
                shutil.rmtree(each)

    def do_run(self, step, state):
        mounts = []
        for _, text in [option for option in step.options if option[0] == "mount"]:
            parts = dict(part.partition("=")[::2] for part in text.split(","))
            if set(parts) != {"type", "target"} or parts["type"] != "cache":
                sys.exit(f"Dockerfile line {step.line}: only --mount=type=cache,target=… is known")
            mounts.append((self.cache(parts["target"]), parts["target"]))
        config = state["config"]
        command = step.command if isinstance(step.command, list) else ["/bin/sh", "-c", step.command]

        def work(root):
            run_in(root, command, env={"HOME": "/root", **config["Env"]}, folder=config["WorkingDir"], user=config["User"], binds=mounts,
                   network=True)

        self.add(state, work, step.text, json.dumps(config, sort_keys=True))

    def cache(self, target):
        """The machine's own compiler cache serves here as well: the same compiler gives the same objects."""
        own = pathlib.Path(os.environ.get("CCACHE_DIR", "/root/.cache/ccache"))
        if target.endswith("/ccache") and own.is_dir():
            return own
        folder = self.out / "caches" / digest(target)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def do_copy(self, step, state):
        *sources, target = step.words
        origin = step.option("from")
        target = os.path.join(state["config"]["WorkingDir"], target) + ("/" if target.endswith(("/", ".")) else "")
        owner = step.option("chown") or "0:0"

        def put(place, root):
            for source in sources:
                found = place / source.strip("/") if source not in (".", "/") else place
                if not found.exists():
                    sys.exit(f"Dockerfile line {step.line}: there is no {source}")
                goal = root / os.path.normpath(target).lstrip("/")
                if target.endswith("/") and not found.is_dir():
                    goal = goal / found.name
                goal.parent.mkdir(parents=True, exist_ok=True)
                if found.is_dir():
                    shutil.copytree(found, goal, symlinks=True, dirs_exist_ok=True)
                else:
                    shutil.copy2(found, goal, follow_symlinks=False)
                for each in [goal, *(goal.rglob("*") if found.is_dir() else ())]:
                    if found.is_dir() and not (found / each.relative_to(goal)).exists():
                        continue
                    os.chown(each, *map(int, owner.split(":")), follow_symlinks=False)
                    if step.option("chmod"):
                        os.chmod(each, int(step.option("chmod"), 8))

        if origin is None:
            places = [self.shared / source.strip("/") if source != "." else self.shared for source in sources]
            contents = [content_digest(place) for place in places if place.exists()]
            self.add(state, lambda root: put(self.shared, root), step.text, *contents)
            return
        if origin not in self.stages:
            sys.exit(f"Dockerfile line {step.line}: there is no stage {origin}")
        other = self.stages[origin]

        def from_stage(root):
            with Overlay(other["lowers"]) as place:
                put(place, root)

        self.add(state, from_stage, step.text, other["key"])

    def do_workdir(self, step, state):
        folder = os.path.join(state["config"]["WorkingDir"], step.words[0])
        state["config"]["WorkingDir"] = folder
        self.add(state, lambda root: (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True), step.text)

    def do_env(self, step, state):
        state["config"]["Env"] = {**state["config"]["Env"], **dict(step.words)}

    def do_label(self, step, state):
        state["config"].setdefault("Labels", {}).update(dict(step.words))

    def do_user(self, step, state):
        if not all(part.isdigit() for part in step.words[0].split(":")) or ":" not in step.words[0]:
            sys.exit(f"Dockerfile line {step.line}: USER needs numbers: Kubernetes cannot tell whether a name is root")
        state["config"]["User"] = step.words[0]

    def do_expose(self, step, state):
        state["config"]["ExposedPorts"] += step.words

    def do_volume(self, step, state):
        state["config"]["Volumes"] += step.words

    def do_stopsignal(self, step, state):
        state["config"]["StopSignal"] = step.words[0]

    def do_entrypoint(self, step, state):
        state["config"]["Entrypoint"] = step.words

    def do_healthcheck(self, step, state):
        state["config"]["Healthcheck"] = {"Test": step.words, **dict(step.options)}


def size_of(folder):
    """Bytes of the files in it, as a copy of them would need."""
    seen, total = set(), 0
    for each in folder.rglob("*"):
        facts = each.lstat()
        if not each.is_symlink() and each.is_file() and facts.st_ino not in seen:
            seen.add(facts.st_ino)
            total += facts.st_size
    return total


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--context", type=pathlib.Path, default=ROOT)
    options.add_argument("--out", type=pathlib.Path, default=ROOT / "build/image")
    options.add_argument("--fresh", action="store_true")
    asked = options.parse_args()
    if os.geteuid() != 0:
        sys.exit("build.py makes file systems and mounts them: it has to be run by root")
    if os.environ.get("IMAGE_MOUNTS") != "own":
        # In a mount namespace of its own, so that nothing stays mounted whatever happens.
        os.execvpe("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv],
                   {**os.environ, "IMAGE_MOUNTS": "own"})
    if asked.fresh:
        shutil.rmtree(asked.out / "layers", ignore_errors=True)
    file = asked.context / "deploy/Dockerfile"
    build = Build(asked.context.resolve(), asked.out.resolve())
    build.prepare_context(Ignore(file.with_name("Dockerfile.dockerignore").read_text()))
    stages = parse(file.read_text())
    for index, stage in enumerate(stages):
        build.stages[stage.name or str(index)] = last = build.stage(stage)
    build.prune()
    with Overlay(last["lowers"]) as root:
        size = size_of(root)
    last["config"]["Size"] = size
    image = {"layers": [str(path) for path in last["lowers"]], "config": last["config"]}
    (asked.out / "image.json").write_text(json.dumps(image, indent=2) + "\n")
    print(f"{asked.out / 'image.json'}: {size / 1e6:.0f} MB in {len(last['lowers'])} layers")


main()
