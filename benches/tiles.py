#!/usr/bin/env python3
"""What llvm-mca thinks of the register tiles: for processors that are not at hand.

    python3 benches/tiles.py [--cpu sapphirerapids,znver3] [--mca llvm-mca-19] [--strict]

Compiles `convnet-core` to assembly, finds the innermost loop of every tile of `kernel/f32/tile.rs`, and prints for
each level and processor: cycles an iteration, the share of the multiply-add limit that this is, and how many
instructions of the loop touch the stack, of which there should be none: with `--strict`, one is an error. Needs
`llvm-mca` (Debian: llvm) and `c++filt` (binutils). Says SKIPPED for a target that is not installed, and for a
processor that this llvm-mca does not know.

The limit is what the multiplications and additions alone would take on the ports for them; where each is an
instruction of its own (SSE2), both count. A tile of few sums waits for its own sums: it is for what is left over.
"""
import argparse, glob, os, re, shutil, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
X86 = {"avx512": ["sapphirerapids", "skylake-avx512", "znver4"], "avx2": ["znver3", "skylake-avx512"], "sse2": ["znver3"]}
ARM = {"neon": ["neoverse-n1", "cortex-a76"]}
# Multiply-adds of full width in a cycle, where it is not two: Zen 4 computes 512 bits in two halves, and of Sapphire
# Rapids' two ports for them LLVM's model (19) has the first only. Zen 3 multiplies and adds on two ports each.
PORTS = {("avx512", "znver4"): 1, ("avx512", "sapphirerapids"): 1, ("sse2", "znver3"): 4}
ITERATIONS = 200
ARITHMETIC = re.compile(r"\s*(vfn?m(add|sub)\w*ps|v?mulps|v?addps|fmla|fmls)\b")
JUMP = re.compile(r"\s*(j\w+|b\.\w+|b|cbn?z|tbn?z)\s+(?:.*,\s*)?(\.L\w+)")
STACK = re.compile(r"%rsp|\[sp\b|\bsp,")

def assembly(target, folder):
    """The .s file of the library, with names that tell the numbers of a generic function."""
    command = ["cargo", "rustc", "--release", "-q", "-p", "convnet-core", "--lib", "--target-dir", folder]
    command += ["--target", target] if target else []
    flags = ["--emit", "asm", "-C", "debuginfo=0", "-C", "codegen-units=1", "-C", "symbol-mangling-version=v0"]
    done = subprocess.run([*command, "--", *flags], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr
    files = glob.glob(os.path.join(folder, target or "", "release", "deps", "convnet_core-*.s"))
    return max(files, key=os.path.getmtime), ""

def functions(path, comment):
    """Names as they are written, and lines without directives and comments."""
    name, lines = None, []
    for line in open(path):
        if match := re.match(r"(_R\w+):", line):
            if name:
                yield name, lines
            name, lines = match[1], []
        elif not re.match(r"\s*(\.[a-z]|#|//)", line) and line.strip():
            lines.append(line.split(comment)[0].rstrip())
    if name:
        yield name, lines

def innermost(lines):
    """The loop without a jump inside that has the most arithmetic."""
    at = {line[:-1]: i for i, line in enumerate(lines) if line.endswith(":")}
    best = []
    for i, line in enumerate(lines):
        match = JUMP.match(line)
        start = at.get(match[2], i) if match else i
        body = [line for line in lines[start:i] if not line.endswith(":")]
        if start < i and not any(JUMP.match(line) for line in body):
            body.append(line)
            if count(body) > count(best):
                best = body
    return best

def count(body):
    return sum(bool(ARITHMETIC.match(line)) for line in body)

def cycles(mca, cpu, triple, body):
    """An iteration's, in the long run; None if this llvm-mca does not know the processor."""
    text = "\n".join([".text", "body:", *body[:-1], "\n"])
    command = [mca, f"-mcpu={cpu}", f"-iterations={ITERATIONS}", "-instruction-info=false", f"-mtriple={triple}"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    match = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
    return int(match[1]) / ITERATIONS if match else None

def table(options, target, triple, levels):
    path, error = assembly(target, options.folder)
    if not path:
        print(f"\n{triple}: SKIPPED, it cannot be compiled: {error.strip().splitlines()[0] if error else ''}")
        return 0
    names, loops = [], []
    for name, lines in functions(path, "//" if triple.startswith("aarch64") else "#"):
        if "3f324tile4tile" in name:
            names.append(name)
            loops.append(innermost(lines))
    filter_names = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True).stdout
    rows = []
    for name, body in zip(filter_names.splitlines(), loops):
        match = re.search(r"f32::tile::tile(?:::)?<fearless_simd\[\w+\]::generated::(\w+)::"
                          r".*?\b(f32x\d+|One)\b.*?, (\d+): usize, (\d+): usize>", name)
        if match and body and match[2] != "One":
            level, lanes, pixels, vectors = match.groups()
            rows.append((level, lanes, int(vectors), int(pixels), body))
    touched = 0
    for level, cpus in levels.items():
        cpus = [cpu for cpu in cpus if not options.cpu or cpu in options.cpu]
        of_level = sorted((row for row in rows if row[0] == level), key=lambda row: row[1:4])
        known = [cpu for cpu in cpus if of_level and cycles(options.mca, cpu, triple, of_level[0][4])]
        for cpu in set(cpus) - set(known):
            print(f"\n{level}, {cpu}: SKIPPED, " + (f"{options.mca} does not know it" if of_level else "no tile was found"))
        if not known:
            continue
        print(f"\n| {level}, {triple} | arithmetic | touch the stack | " + " | ".join(f"{cpu}, cycles | of the limit" for cpu in known) + " |")
        print("|---|--:|--:|" + "--:|--:|" * len(known))
        for _, lanes, vectors, pixels, body in of_level:
            cells = []
            for cpu in known:
                took, sums = cycles(options.mca, cpu, triple, body), count(body)
                cells += [f"{took:.1f}", f"{sums / PORTS.get((level, cpu), 2) / took:.0%}"]
            stack = sum(bool(STACK.search(line)) for line in body)
            touched += stack
            print(f"| {pixels} pixels by {vectors} {lanes} | {count(body)} | {stack} | " + " | ".join(cells) + " |")
    return touched

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", type=lambda text: text.split(","), help="processors, by commas")
    parser.add_argument("--mca", default=shutil.which("llvm-mca-19") or "llvm-mca", help="which llvm-mca")
    parser.add_argument("--strict", action="store_true", help="fail if a loop touches the stack")
    parser.add_argument("--folder", default=os.path.join(ROOT, "target", "tiles"))
    options = parser.parse_args()
    if not shutil.which(options.mca) or not shutil.which("c++filt"):
        sys.exit(f"{options.mca} and c++filt are needed: apt install llvm binutils")
    print(subprocess.run([options.mca, "--version"], capture_output=True, text=True).stdout.splitlines()[0].strip())
    touched = table(options, "", "x86_64-unknown-linux-gnu", X86)
    touched += table(options, "aarch64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", ARM)
    if options.strict and touched:
        sys.exit(f"{touched} instructions touch the stack")

main()
