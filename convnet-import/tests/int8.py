"""Holds what int8 twins become as TensorFlow Lite against TensorFlow Lite Micro and LiteRT, byte by byte.

    pip install numpy safetensors ai-edge-litert tflite-micro
    python convnet-import/tests/int8.py

Writes the twins of `tests/export/twins.rs` by `examples/int8.rs`, and runs each on random bytes: by TensorFlow Lite
Micro, which has to give every byte that `forward` gave; by LiteRT's reference kernels, which have to, unless an operator
is among those of `OTHERWISE`; by its own kernels and by XNNPACK, whose differences are printed.
"""

import importlib.metadata
import pathlib
import subprocess
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from safetensors.numpy import load_file
from tflite_micro.python.tflite_micro import runtime

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNELS = {
    "Micro": None,
    "reference": OpResolverType.BUILTIN_REF,
    "own": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "XNNPACK": OpResolverType.BUILTIN,
}
# Of a table in `f32` the reference kernels make integers, and of two roundings, in a `FULLY_CONNECTED`, one.
OTHERWISE = {"LOGISTIC", "TANH", "FULLY_CONNECTED"}


def micro(path, images):
    interpreter = runtime.Interpreter.from_file(str(path), arena_size=1 << 22)
    scores = []
    for image in images:
        interpreter.set_input(image[None], 0)
        interpreter.invoke()
        scores.append(interpreter.get_output(0).copy())
    return np.concatenate(scores)


def run(path, resolver, images):
    interpreter = Interpreter(str(path), experimental_op_resolver_type=resolver)
    (entry,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    signature = interpreter.get_signature_runner()
    scores = np.concatenate([signature(**{entry["name"]: image[None]})[output["name"]] for image in images])
    return [it["op_name"] for it in interpreter._get_ops_details()], scores


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        command = ["cargo", "run", "-q", "--release", "-p", "convnet-import", "--example", "int8", "--", folder]
        subprocess.run(command, cwd=ROOT, check=True)
        litert, micros = [importlib.metadata.version(it) for it in ["ai-edge-litert", "tflite-micro"]]
        print(f"TensorFlow Lite Micro {micros}, LiteRT {litert}: bytes that differ, and by how much at most\n")
        print(f"| twin | operators | {' | '.join(KERNELS)} |\n|---|--:|{'--:|' * len(KERNELS)}")
        wrong = []
        for path in sorted(pathlib.Path(folder).glob("*.tflite")):
            file, told = load_file(path.with_suffix(".safetensors")), []
            wanted = file["scores"].astype(int)
            assert len(np.unique(wanted)) > 2, f"{path.stem} says nothing"
            for name, resolver in KERNELS.items():
                if resolver is None:
                    scores = micro(path, file["images"])
                else:
                    operators, scores = run(path, resolver, file["images"])
                differs = np.abs(scores.reshape(wanted.shape) - wanted)
                told.append(f"{np.mean(differs > 0):.2%}, {differs.max()}" if differs.any() else "none")
                if resolver is not None:
                    count, has = len(operators), set(operators)
                if differs.any() and (name == "Micro" or name == "reference" and not OTHERWISE & has):
                    wrong.append((path.stem, name))
            print(f"| {path.stem} | {count} | {' | '.join(told)} |", flush=True)
        assert not wrong, wrong
