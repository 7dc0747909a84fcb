#!/usr/bin/env python3
"""Prints a Dockerfile from standard input as JSON, for tests; with a .dockerignore as argument also which of the further arguments
it leaves out."""
import dataclasses
import json
import pathlib
import sys

from dockerfile import DockerfileError, Ignore, parse

try:
    result = {"stages": [dataclasses.asdict(stage) for stage in parse(sys.stdin.read())]}
except DockerfileError as error:
    result = {"error": str(error)}
if len(sys.argv) > 1:
    ignore = Ignore(pathlib.Path(sys.argv[1]).read_text())
    result["left_out"] = [path for path in sys.argv[2:] if ignore.leaves_out(path)]
print(json.dumps(result))
