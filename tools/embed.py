#!/usr/bin/env python3
"""Writes an assembler file that includes files byte for byte, and the table that finds them: embed.py TARGET PREFIX FOLDER LIST OUT."""
import os
import sys

target, prefix, folder, listing, out = sys.argv[1:]
with open(listing) as f:
    files = sorted(line.strip() for line in f if line.strip())

with open(out + ".S", "w") as asm:
    asm.write('.section .rodata\n')
    for i, path in enumerate(files):
        asm.write(f'.balign 16\n.global embed_{target}_{i}\nembed_{target}_{i}:\n.incbin "{path}"\n'
                  f'.global embed_{target}_{i}_end\nembed_{target}_{i}_end:\n.byte 0\n')
    asm.write('.section .note.GNU-stack,"",%progbits\n')

with open(out + ".cpp", "w") as cpp:
    cpp.write('#include "core/asset.hpp"\n#include <vector>\n')
    for i in range(len(files)):
        cpp.write(f'extern "C" const char embed_{target}_{i}[], embed_{target}_{i}_end[];\n')
    cpp.write('namespace {\nconst bool registered = [] {\n    std::vector<core::Asset> assets;\n')
    for i, path in enumerate(files):
        name = f"{prefix}/{os.path.relpath(path, folder)}"
        cpp.write(f'    assets.push_back({{"{name}", {{embed_{target}_{i}, '
                  f'static_cast<std::size_t>(embed_{target}_{i}_end - embed_{target}_{i})}}}});\n')
    cpp.write('    core::register_assets(assets);\n    return true;\n}();\n}  // namespace\n')
