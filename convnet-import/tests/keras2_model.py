"""Writes models/keras2.h5, a small network as Keras 2 writes it: with arithmetic between layers, a layer whose name is a
path and a model inside; and what TensorFlow computes of it.

    pip install tensorflow-cpu==2.15.1 safetensors
    python convnet-import/tests/keras2_model.py
"""

import pathlib

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file
from tensorflow import keras
from tensorflow.keras import layers as l

FOLDER = pathlib.Path(__file__).parent / "models"
random = np.random.default_rng(2)


def network():
    image = keras.Input((9, 9, 3), name="image")
    x = l.Conv2D(6, 3, strides=2, padding="same", name="block/conv")(image)
    x = l.BatchNormalization(name="block/bn")(x)
    x = tf.nn.relu6(x)
    x = l.Add()([x, l.DepthwiseConv2D(3, padding="same", name="dw")(x)])
    # hard_swish.
    x = x * l.ReLU(6.0)(x + 3.0) * (1.0 / 6.0)
    inner = keras.Sequential([keras.Input((5, 5, 6)), l.Conv2D(4, 1, activation="swish", name="inside"), l.LeakyReLU(0.2)], name="inner")
    x = l.Concatenate()([x, inner(x, training=False)])
    x = l.SeparableConv2D(5, 3, name="sep")(x)
    x = l.GlobalAveragePooling2D()(x)
    return keras.Model(image, l.Dense(4, activation="softmax", name="scores")(x))


if __name__ == "__main__":
    model = network()
    model.set_weights([random.uniform(0.5, 1.5, it.shape) if it.ndim == 1 else random.normal(0, 0.4, it.shape) for it in model.get_weights()])
    images = random.standard_normal((2, 9, 9, 3)).astype(np.float32)
    model.save(FOLDER / "keras2.h5")
    save_file({"images": images, "scores": model(images, training=False).numpy()}, FOLDER / "keras2.expected.safetensors")
