// The same two networks in three libraries: a forward pass on one image, a training step on a batch.
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import simdUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threadedUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
import plainUrl from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import convnetjs from "convnetjs";
import start, { Forward, Training } from "./bind/convnet_bench.js";
import ourUrl from "./bind/convnet_bench_bg.wasm?url";

const BATCH = 32;
const RATE = 0.01;

/** Numbers that are the same in each run. */
function numbers(count) {
  let state = 231;
  return Float32Array.from({ length: count }, () => ((state = (state * 1103515245 + 12345) % 2147483648) / 1073741824) - 1);
}
const image = numbers(32 * 32 * 3);
const images = numbers(BATCH * 28 * 28);
const labels = Uint8Array.from({ length: BATCH }, (_, i) => i % 10);

function ours() {
  const [net, training] = [new Forward(), new Training()];
  return { forward: () => net.run(image), prepared: () => net.prepared(image), step: () => training.step(images, labels, RATE) };
}

function convNetJs() {
  const conv = (filters, size, pad) => ({ type: "conv", sx: size, filters, stride: 1, pad, activation: "relu" });
  const pool = { type: "pool", sx: 2, stride: 2 };
  const build = (layers) => {
    const net = new convnetjs.Net();
    net.makeLayers(layers);
    return net;
  };
  const stage = [conv(10, 3, 1), conv(10, 3, 1), pool];
  const vgg = build([{ type: "input", out_sx: 32, out_sy: 32, out_depth: 3 }, ...stage, ...stage, ...stage, { type: "softmax", num_classes: 10 }]);
  const lenet = build([
    { type: "input", out_sx: 28, out_sy: 28, out_depth: 1 }, conv(6, 5, 2), pool, conv(16, 5, 0), pool,
    { type: "fc", num_neurons: 120, activation: "relu" }, { type: "fc", num_neurons: 84, activation: "relu" },
    { type: "softmax", num_classes: 10 },
  ]);
  const volume = (values, side, depth) => {
    const volume = new convnetjs.Vol(side, side, depth, 0);
    volume.w.set ? volume.w.set(values) : values.forEach((value, i) => (volume.w[i] = value));
    return volume;
  };
  const one = volume(image, 32, 3);
  const batch = Array.from(labels, (_, i) => volume(images.subarray(i * 784, (i + 1) * 784), 28, 1));
  const trainer = new convnetjs.Trainer(lenet, { method: "sgd", batch_size: BATCH, learning_rate: RATE, momentum: 0, l2_decay: 0 });
  return {
    forward: () => vgg.forward(one).w,
    step: () => batch.reduce((sum, volume, i) => sum + trainer.train(volume, labels[i]).cost_loss, 0) / BATCH,
  };
}

async function tensorFlow() {
  // One thread: the page of no other library has more.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  setWasmPaths({ "tfjs-backend-wasm.wasm": plainUrl, "tfjs-backend-wasm-simd.wasm": simdUrl, "tfjs-backend-wasm-threaded-simd.wasm": threadedUrl });
  if (!(await tf.setBackend("wasm"))) throw new Error("TensorFlow.js has no wasm backend here");
  filterGradient();
  const weight = (...shape) => tf.variable(tf.randomNormal(shape, 0, Math.sqrt(2 / shape.slice(0, -1).reduce((a, b) => a * b)), "float32", 231));
  const bias = (filters) => tf.variable(tf.zeros([filters]));
  const layer = (...shape) => ({ filter: weight(...shape), bias: bias(shape.at(-1)) });
  const vgg = [3, 10, 10, 10, 10, 10].map((depth) => layer(3, 3, depth, 10));
  const scores = layer(160, 10);
  const one = tf.tensor4d(image, [1, 32, 32, 3]);
  const forward = () =>
    tf.tidy(() => {
      const x = vgg.reduce((x, { filter, bias }, at) => {
        const y = tf.fused.conv2d({ x, filter, bias, strides: 1, pad: "same", activation: "relu" });
        return at % 2 === 0 ? y : tf.maxPool(y, 2, 2, "valid");
      }, one);
      return tf.fused.matMul({ a: tf.reshape(x, [1, 160]), b: scores.filter, bias: scores.bias }).dataSync();
    });

  const [conv1, conv2, fc1, fc2, fc3] = [layer(5, 5, 1, 6), layer(5, 5, 6, 16), layer(400, 120), layer(120, 84), layer(84, 10)];
  const batch = tf.tensor4d(images, [BATCH, 28, 28, 1]);
  const right = tf.cast(tf.oneHot(tf.tensor1d(labels, "int32"), 10), "float32");
  const lenet = () => {
    const conv = (x, { filter, bias }, pad) => tf.maxPool(tf.relu(tf.add(tf.conv2d(x, filter, 1, pad), bias)), 2, 2, "valid");
    const fc = (x, { filter, bias }) => tf.add(tf.matMul(x, filter), bias);
    const flat = tf.reshape(conv(conv(batch, conv1, "same"), conv2, "valid"), [BATCH, 400]);
    const logits = fc(tf.relu(fc(tf.relu(fc(flat, fc1)), fc2)), fc3);
    return tf.neg(tf.mean(tf.sum(tf.mul(right, tf.logSoftmax(logits)), 1)));
  };
  const sgd = tf.train.sgd(RATE);
  const step = () => tf.tidy(() => sgd.minimize(lenet, true).dataSync()[0]);
  return { forward, step };
}

/** The wasm backend has no gradient on the filters of a 2D convolution, but that of a 3D one: here with a depth of 1. */
function filterGradient() {
  tf.registerKernel({
    kernelName: "Conv2DBackpropFilter",
    backendName: "wasm",
    kernelFunc: ({ inputs: { x, dy }, backend, attrs: { strides, pad, filterShape } }) => {
      const gradient = tf.getKernel("Conv3DBackpropFilterV2", "wasm").kernelFunc;
      const deep = (tensor) => ({ ...tensor, shape: [tensor.shape[0], 1, ...tensor.shape.slice(1)] });
      const [height, width, depth, filters] = filterShape;
      const [down, across] = [strides].flat().length === 2 ? strides : [strides, strides];
      const found = gradient({
        inputs: { x: deep(x), dy: deep(dy) }, backend,
        attrs: { strides: [1, down, across], pad, filterShape: [1, height, width, depth, filters] },
      });
      return { ...found, shape: filterShape };
    },
  });
}

/** Milliseconds of one call, the mean over at least `least` milliseconds. */
function time(run, least) {
  const begin = performance.now();
  let count = 0;
  let now;
  do {
    run();
    count++;
    now = performance.now();
  } while (now - begin < least);
  return (now - begin) / count;
}

/** The fastest of many rounds, in which the libraries take turns. */
window.measure = async (rounds, least) => {
  await start({ module_or_path: ourUrl });
  const libraries = { convnet: ours(), convnetjs: convNetJs(), tfjs: await tensorFlow() };
  const found = {};
  const rows = Object.entries(libraries).flatMap(([name, runs]) => Object.entries(runs).map(([what, run]) => [name, what, run]));
  for (const [name, what, run] of rows) {
    (found[what] ??= {})[name] = { fastest: Infinity, first: Array.from([run()].flat()).flat().slice(0, 1) };
    time(run, 3 * least); // compiled by now
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, what, run] of rows) {
      const it = found[what][name];
      it.fastest = Math.min(it.fastest, time(run, least));
      await new Promise(requestAnimationFrame);
    }
  }
  for (const [name, , run] of rows.filter(([, what]) => what === "step")) found.step[name].last = run();
  return found;
};
