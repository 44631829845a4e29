"""Compile every kernel to machine code for a CUDA architecture, without a GPU; prints how many bytes each takes, and of
those whose lanes are rows how often a value changes its layout, which lane has what.

python tests/support/triton_compiles.py ARCHITECTURE
"""

import sys
from typing import Any

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from dlc.neural import kernels

LAUNCHED = {"memory": "*i32", "head": "*i64", "tokens": "*i64", "masses": "*fp32", "batch": "i32", "words": "i32",
            "columns": "i32"}  # fmt: skip
"""Types of the kernels' arguments as the device executor gives them; the others are *i32."""


def compiled(kernel: Any, target: GPUTarget, warps: int, sizes: dict[str, int], **types: str) -> dict[str, Any]:
    """Every stage of a kernel for blocks of these sizes, by its name."""
    given = {name: "*i32" for name in kernel.arg_names} | {n: t for n, t in LAUNCHED.items() if n in kernel.arg_names}
    source = ASTSource(kernel, {**given, **types, **dict.fromkeys(sizes, "constexpr")}, sizes)
    return dict(triton.compile(source, target=target, options={"num_warps": warps}).asm)


def main() -> None:
    target = GPUTarget("cuda", int(sys.argv[1]), 32)
    for kernel in (kernels._recipe, kernels._advance):
        made = compiled(kernel, target, 1, {"ROWS": 32})
        moved = made["ttgir"].count("convert_layout")
        print(f"{kernel.__name__}, {moved} changes of layout: {len(made['cubin'])}")
    made = compiled(kernels._write, target, 4, {"ROWS": 1, "BLOCK": 1024, "CHUNK": 128})
    print(f"_write: {len(made['cubin'])}")
    for kind in ("fp16", "bf16", "fp32"):
        made = compiled(kernels._masked, target, 4, {"BLOCK": 4096}, logits=f"*{kind}", out=f"*{kind}")
        print(f"_masked {kind}: {len(made['cubin'])}")


if __name__ == "__main__":
    main()
