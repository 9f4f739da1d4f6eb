"""Imports models, compiles what comes out, and compares its scores with those of ONNX Runtime, LiteRT or Keras.

    pip install numpy onnx onnxruntime safetensors ai-edge-litert keras jax
    python convnet-import/tests/compare.py MODEL.onnx …               # [--input 3x224x224] [--random-weights]
    python convnet-import/tests/compare.py MODEL.tflite …             # [--output NAME]
    python convnet-import/tests/compare.py MODEL.keras MODEL.h5 …     # [--output NAME]
    python convnet-import/tests/compare.py --applications MobileNet … # of Keras
    python convnet-import/tests/compare.py --node-tests               # those of the `onnx` package
    python convnet-import/tests/compare.py --torchvision resnet18 …   # [--batch-norms]; also `pip install torch torchvision`

Prints a row for each model: refused and why, or the largest difference from the runtime's scores, relative to
the largest score, over three random images; plain and prepared. With `--random-weights`, constants that a model
fills with one number (the `light` models of the `onnx` package) are drawn at random first, by a fixed seed. A
model of torchvision (or `unet`) has the weights of `tests/zoo_scores/pytorch.py`, and is exported by PyTorch, which
folds batch norms into convs, with `--batch-norms` it does not. One of `keras.applications` has weights that are drawn at
random by a fixed seed. A node test of `onnx` has its weights as inputs: they
become constants here.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from safetensors.numpy import save_file

os.environ.setdefault("KERAS_BACKEND", "jax")
ROOT = pathlib.Path(__file__).resolve().parents[2]
# Operators that the importer knows, by the names of their node tests.
NODE_TESTS = (
    "add averagepool basic_conv div batchnorm clip concat conv convtranspose dropout elu flatten gelu gemm globalaveragepool "
    "globalmaxpool hardsigmoid hardswish identity leakyrelu lrn matmul maxpool mul edge_pad constant_pad reflect_pad wrap_pad prelu reduce_mean reduce_max relu "
    "reshape resize sigmoid slice softmax softplus split squeeze sub sum tanh transpose unsqueeze upsample"
).split()


def randomised(model):
    """The model up to its scores, with weights that were one number drawn at random."""
    random = np.random.default_rng(7)
    shapes = {it.name: numpy_helper.to_array(it) for it in model.graph.initializer}
    for node in [it for it in model.graph.node if it.op_type == "ConstantOfShape"]:
        shape = shapes.get(node.input[0])
        if shape is None:
            continue
        model.graph.node.remove(node)
        size = [int(it) for it in shape]
        positive = any(
            node.output[0] in reader.input[3:5] or node.output[0] in reader.input[1:2]
            for reader in model.graph.node
            if reader.op_type == "BatchNormalization"
        )
        fan_in = max(1, int(np.prod(size[1:])))
        value = random.uniform(0.5, 1.5, size) if positive else random.normal(0, (2 / fan_in) ** 0.5, size)
        model.graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), node.output[0]))
    # Scores by random weights are large, and their softmax one and zeros, whatever they are.
    last = model.graph.node[-1]
    if last.op_type == "Softmax":
        model.graph.node.remove(last)
        model.graph.output[0].name = last.input[0]
    return model


def expected_of_tflite(path, output):
    """The same of a model for LiteRT; a quantized one reads images that its 8 bits have, and its scores are made real."""
    from ai_edge_litert.interpreter import Interpreter

    # Without delegates: these write where an output that is not the last one was.
    interpreter = Interpreter(str(path), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    outputs = interpreter.get_tensor_details() if output else interpreter.get_output_details()
    (end,) = [it for it in outputs if output in (None, it["name"])]
    random = np.random.default_rng(1)
    images, scores = [], []
    for _ in range(3):
        image = random.standard_normal(entry["shape"]).astype(np.float32)
        if entry["dtype"] != np.float32:
            scale, zero = entry["quantization"]
            kind = np.iinfo(entry["dtype"])
            stored = np.clip(np.round(image / scale) + zero, kind.min, kind.max).astype(entry["dtype"])
            image = ((stored.astype(np.int32) - zero) * scale).astype(np.float32)
        interpreter.set_tensor(entry["index"], image if entry["dtype"] == np.float32 else stored)
        interpreter.invoke()
        found = interpreter.get_tensor(end["index"])
        if found.dtype != np.float32:
            scale, zero = end["quantization"]
            found = ((found.astype(np.int32) - zero) * scale).astype(np.float32)
        images.append(image)
        scores.append(found)
    return np.stack(images), np.stack(scores)


def expected_of_keras(path, output):
    """The same of a model of Keras, or of one of its layers."""
    import keras

    model = keras.saving.load_model(path, compile=False)
    if output:
        model = keras.Model(model.inputs, model.get_layer(output).output)
    random = np.random.default_rng(1)
    images = random.standard_normal([3, 1, *model.input_shape[1:]]).astype(np.float32)
    return images, np.stack([np.asarray(model(image, training=False)) for image in images])


def keras_applications(folder, names):
    """Models of `keras.applications` with drawn weights, saved by Keras in both formats in turn."""
    import keras

    for at, name in enumerate(names):
        keras.utils.set_random_seed(7)
        model = getattr(keras.applications, name)(weights=None)
        random = np.random.default_rng(7)
        for variable in model.variables:
            kind = variable.path.rsplit("/", 1)[-1]
            if kind in ("moving_mean", "beta", "bias"):
                variable.assign(random.normal(0, 0.1, variable.shape))
            elif kind in ("moving_variance", "gamma"):
                variable.assign(random.uniform(0.5, 1.5, variable.shape))
        to = folder / f"{name}.{('keras', 'h5')[at % 2]}"
        model.save(to)
        yield name, to


def expected(path, given):
    """Images as the model has them, one after the other, and the runtime's scores for each."""
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, quiet, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    shape = [it if isinstance(it, int) and it > 0 else None for it in entry.shape]
    shape[0] = 1
    if len(shape) == 4:
        shape[1:] = [it or size for it, size in zip(shape[1:], given or [None] * 3)]
    random = np.random.default_rng(1)
    images = random.standard_normal([3, *shape]).astype(np.float32)
    scores = [session.run(None, {entry.name: image})[0] for image in images]
    return images, np.stack(scores)


def depth_last(values, channels_last):
    """Volumes in the axes of the declaration."""
    return np.ascontiguousarray(np.moveaxis(values[:, 0], 1, -1) if values.ndim == 5 and not channels_last else values)


def run(models, given, output=None):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "src").mkdir()
        build = ["cargo", "build", "-q", "--release", "-p", "convnet-cli"]
        subprocess.run(build, cwd=ROOT, check=True)
        metadata = subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--no-deps"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout
        target = pathlib.Path(json.loads(metadata)["target_directory"])
        main = []
        for at, (name, path) in enumerate(models):
            command = [target / "release/convnet", "import", path, "--name", f"Net{at}", "--out", folder / "src"]
            if given:
                command += ["--input", "x".join(map(str, given))]
            if output:
                command += ["--output", output]
            imported = subprocess.run(command, capture_output=True, text=True)
            if imported.returncode != 0:
                rows.append((name, "refused: " + " ".join(imported.stderr.split())))
                continue
            try:
                of = {".tflite": expected_of_tflite, ".keras": expected_of_keras, ".h5": expected_of_keras}.get(path.suffix)
                images, scores = of(path, output) if of else expected(path, given)
            except Exception as error:  # the runtime's own: nothing to compare with
                rows.append((name, f"the runtime does not run it: {error}"))
                continue
            last = of is not None or onnx.load(path, load_external_data=False).graph.node[0].op_type == "Transpose"
            images, scores = depth_last(images, last), depth_last(scores, last)
            save_file({"images": images.reshape(3, -1), "scores": scores.reshape(3, -1)}, folder / f"{at}.safetensors")
            main.append((at, name))
        (folder / "Cargo.toml").write_text(
            '[package]\nname = "compare"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\n'
            f'convnet = {{ path = "{ROOT}" }}\nsafetensors = "0.8"\n[profile.release]\nopt-level = 2\n'
        )
        (folder / "src/main.rs").write_text(
            "".join(f"mod net{at} {{ include!(\"net{at}.rs\"); }}\n" for at, _ in main)
            + CHECK
            + "fn main() {\n"
            + "".join(f"    check!(net{at}::Net{at}, {at}, {name!r});\n".replace("'", '"') for at, name in main)
            + "}\n"
        )
        if main:
            done = subprocess.run(
                ["cargo", "run", "-q", "--release"], cwd=folder, capture_output=True, text=True,
                env={**os.environ, "CARGO_TARGET_DIR": str(target / "compare")},
            )
            if done.returncode != 0:
                print(done.stderr[:4000], file=sys.stderr)
            rows += [tuple(line.split("\t", 1)) for line in done.stdout.splitlines()]
    for name, what in sorted(rows):
        print(f"| {name} | {what} |")


CHECK = """
fn floats(file: &safetensors::SafeTensors<'_>, name: &str) -> Vec<f32> {
    let data = file.tensor(name).expect(name);
    data.data().as_chunks().0.iter().map(|it| f32::from_le_bytes(*it)).collect()
}

macro_rules! check {
    ($net:ty, $at:literal, $name:literal) => {{
        type Net = $net;
        let mut net = Net::boxed();
        convnet::weights::load(&mut *net, concat!("src/net", $at, ".safetensors")).expect($name);
        let bytes = std::fs::read(concat!($at, ".safetensors")).expect("expected scores");
        let file = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
        let (images, scores) = (floats(&file, "images"), floats(&file, "scores"));
        const INPUT: [usize; 3] = Net::INPUT;
        let mut image = convnet::Volume::<f32, { INPUT[0] }, { INPUT[1] }, { INPUT[2] }>::boxed();
        let mut arena = Net::arena();
        let prepared = convnet::Prepared::new(&*net);
        let mut packed = prepared.arena();
        let (mut plain, mut fast, mut largest) = (0.0_f32, 0.0_f32, 0.0_f32);
        let most = |found: &[f32], scores: &[f32]| {
            assert_eq!(found.len(), scores.len(), "{}", $name);
            let differs = found.iter().zip(scores).map(|(a, b)| (a - b).abs());
            differs.fold(0.0_f32, |most, it| if it.is_nan() { f32::INFINITY } else { most.max(it) })
        };
        for (pixels, scores) in images.chunks(images.len() / 3).zip(scores.chunks(scores.len() / 3)) {
            image.as_mut_slice().copy_from_slice(pixels);
            largest = scores.iter().fold(largest, |most, it| most.max(it.abs()));
            plain = plain.max(most(net.forward(&image, &mut arena).as_slice(), scores));
            fast = fast.max(most(prepared.forward(&image, &mut packed).as_slice(), scores));
        }
        println!("{}\\t{:.1e} plain, {:.1e} prepared", $name, plain / largest, fast / largest);
    }};
}
"""


def node_tests(folder):
    """The node tests whose weights can be constants, as models."""
    data = pathlib.Path(onnx.__file__).parent / "backend/test/data/node"
    for path in sorted(data.iterdir()):
        name = path.name.removeprefix("test_")
        if not any(name == it or name.startswith(it + "_") for it in NODE_TESTS):
            continue
        model = onnx.load(path / "model.onnx")
        inputs = list(model.graph.input)
        for at, entry in enumerate(inputs[1:], 1):
            stored = path / f"test_data_set_0/input_{at}.pb"
            tensor = onnx.TensorProto()
            tensor.ParseFromString(stored.read_bytes())
            tensor.name = entry.name
            model.graph.initializer.append(tensor)
            model.graph.input.remove(entry)
        # Images are compared one at a time.
        for end in [*model.graph.input, *model.graph.output]:
            if len(end.type.tensor_type.shape.dim) in (2, 4):
                end.type.tensor_type.shape.dim[0].dim_param = "batch"
        to = folder / f"{name}.onnx"
        onnx.save(model, to)
        yield name, to


def torchvision_models(folder, names, normed):
    """Models of torchvision with drawn weights, exported by PyTorch; batch norms by themselves, or folded as it does."""
    import torch

    sys.path.insert(0, str(ROOT / "tests/zoo_scores"))
    import pytorch

    how = torch.onnx.TrainingMode.PRESERVE if normed else torch.onnx.TrainingMode.EVAL
    for name in names:
        (model, size), to = pytorch.model(name), folder / f"{name}.onnx"
        torch.onnx.export(model, torch.zeros(1, 3, size, size), to, dynamo=False, opset_version=17, training=how)
        yield name, to


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    parser.add_argument("--input", type=lambda text: [int(it) for it in text.split("x")])
    parser.add_argument("--output")
    parser.add_argument("--random-weights", action="store_true")
    parser.add_argument("--torchvision", nargs="+", default=[])
    parser.add_argument("--applications", nargs="+", default=[])
    parser.add_argument("--batch-norms", action="store_true")
    parser.add_argument("--node-tests", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        made = pathlib.Path(made)
        models = [(path.stem, path.resolve()) for path in arguments.models]
        if arguments.random_weights:
            for at, (name, path) in enumerate(models):
                to = made / f"{name}.onnx"
                onnx.save(randomised(onnx.load(path)), to)
                models[at] = (name, to)
        if arguments.torchvision:
            models += torchvision_models(made, arguments.torchvision, arguments.batch_norms)
        models += keras_applications(made, arguments.applications)
        if arguments.node_tests:
            models += node_tests(made)
        run(models, arguments.input, arguments.output)
