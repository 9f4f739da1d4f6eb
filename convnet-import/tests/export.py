"""Holds what networks become as ONNX against ONNX Runtime.

    pip install numpy onnx onnxruntime safetensors
    python convnet-import/tests/export.py

Writes the networks of `tests/export/nets.rs` by `examples/export.rs`, checks each file by `onnx.checker`, with its
inferred shapes, and runs it on two images, together and one at a time. Prints the largest difference from the scores
of `forward`, relative to the largest; more than 1e-4, or names that are not the declaration's, are an error.
"""

import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(session, entry, images):
    """What it gives; of several outputs one vector, as `forward` gives it: each depth last, one behind the other."""
    outputs = session.run(None, {entry.name: images})
    if len(outputs) == 1:
        return outputs[0]
    turned = [it.transpose(0, 2, 3, 1) if it.ndim == 4 else it for it in outputs]
    return np.concatenate([it.reshape(len(images), -1) for it in turned], axis=1)


def check(path):
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(path)
    names = [node.name for node in model.graph.node]
    assert len(names) == len(set(names)) and all(names), names
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), quiet, providers=["CPUExecutionProvider"])
    (entry,), outputs = session.get_inputs(), session.get_outputs()
    expected = load_file(path.with_suffix(".safetensors"))
    images = expected["images"]
    if len(entry.shape) == 2:
        images = images.reshape(len(images), -1)
    together = run(session, entry, images)
    alone = np.concatenate([run(session, entry, image[None]) for image in images])
    wanted = expected["scores"].reshape(together.shape)
    largest = np.abs(wanted).max()
    differs = max(np.abs(found - wanted).max() for found in [together, alone]) / largest
    print(f"| {path.stem} | {len(names)} | {entry.name} {entry.shape} → {', '.join(f'{it.name} {it.shape}' for it in outputs)} | {differs:.1e} |")
    assert differs <= 1e-4, path.stem


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        command = ["cargo", "run", "-q", "--release", "-p", "convnet-import", "--example", "export", "--", folder]
        subprocess.run(command, cwd=ROOT, check=True)
        print(f"ONNX Runtime {onnxruntime.__version__}, onnx {onnx.__version__}\n")
        print("| network | nodes | input → output | largest difference |\n|---|--:|---|--:|")
        for path in sorted(pathlib.Path(folder).glob("*.onnx")):
            check(path)
