"""Holds what networks become as ONNX against ONNX Runtime, and as TensorFlow Lite against LiteRT.

    pip install numpy onnx onnxruntime safetensors ai-edge-litert
    python convnet-import/tests/export.py

Writes the networks of `tests/export/nets.rs` by `examples/export.rs`, and runs each on two images: of ONNX together and
one at a time, checked by `onnx.checker` with its inferred shapes; of TensorFlow Lite by XNNPACK and by LiteRT's own
kernels. Prints the largest difference from the scores of `forward`, relative to the largest; more than 1e-4, or names
that are not the declaration's, are an error.
"""

import importlib.metadata
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from safetensors.numpy import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]


def joined(outputs):
    """Of several outputs one vector, as `forward` gives it: one behind the other."""
    return np.concatenate([it.reshape(len(it), -1) for it in outputs], axis=1)


def depth_last(volumes):
    return volumes.transpose(0, 2, 3, 1) if volumes.ndim == 4 else volumes


def of_onnx(path, images):
    """What it is, and its scores, computed in several ways."""
    onnx.checker.check_model(str(path), full_check=True)
    names = [node.name for node in onnx.load(path).graph.node]
    assert len(names) == len(set(names)) and all(names), names
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), quiet, providers=["CPUExecutionProvider"])
    (entry,), outputs = session.get_inputs(), session.get_outputs()

    def run(images):
        return joined([depth_last(it) for it in session.run(None, {entry.name: images})])

    ways = [run(images), np.concatenate([run(image[None]) for image in images])]
    return f"| {len(names)} | {said([entry, *outputs])}", ways


def of_tflite(path, images):
    ways = []
    for resolver in [OpResolverType.BUILTIN, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES]:
        interpreter = Interpreter(str(path), experimental_op_resolver_type=resolver)
        signature = interpreter.get_signature_runner()
        (entry,), outputs = interpreter.get_input_details(), interpreter.get_output_details()
        (called,), names = signature.get_input_details(), [it["name"] for it in outputs]
        assert called == entry["name"] and set(signature.get_output_details()) == set(names), names
        scores = [signature(**{called: depth_last(image[None])}) for image in images]
        ways.append(np.concatenate([joined([it[name] for name in names]) for it in scores]))
    count = len(interpreter._get_ops_details())
    return f"| {count} | {said([entry, *outputs])}", ways


def said(all):
    """Names and sizes: those of the image, and of what is computed."""
    texts = [f"{it['name']} {list(it['shape'])}" if isinstance(it, dict) else f"{it.name} {it.shape}" for it in all]
    return f"{texts[0]} → {', '.join(texts[1:])}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        command = ["cargo", "run", "-q", "--release", "-p", "convnet-import", "--example", "export", "--", folder]
        subprocess.run(command, cwd=ROOT, check=True)
        litert = importlib.metadata.version("ai-edge-litert")
        runtimes = [
            (f"ONNX Runtime {onnxruntime.__version__}, onnx {onnx.__version__}", "onnx", of_onnx),
            (f"LiteRT {litert}", "tflite", of_tflite),
        ]
        for runtime, ending, run in runtimes:
            print(f"\n{runtime}\n\n| network | nodes | input → output | largest difference |\n|---|--:|---|--:|")
            for path in sorted(pathlib.Path(folder).glob(f"*.{ending}")):
                expected = load_file(path.with_suffix(".safetensors"))
                what, ways = run(path, expected["images"])
                wanted = joined([depth_last(expected["scores"])])
                differs = max(np.abs(found - wanted).max() for found in ways) / np.abs(wanted).max()
                print(f"| {path.stem} {what} | {differs:.1e} |", flush=True)
                assert differs <= 1e-4, path.stem
