import digitsUrl from "../../../examples/data/digits.csv.gz?url";
import type { Learner, Progress } from "../wasm/simd128/convnet_web";
import type { Wasm } from "./wasm";

/** How the next steps are made. */
export type Settings = { batch: number; rate: number };

export const train = (wasm: Wasm) => {
  let learner: Learner;
  const tensors = () => ({
    conv1: [learner.filters("conv1"), learner.gradients("conv1")] as const,
    conv2: [learner.filters("conv2"), learner.gradients("conv2")] as const,
  });
  return {
    /** A new network; the images are read once. */
    beginLearning: async (seed: number) => {
      const { pixels, labels } = await (images ??= read());
      learner?.free();
      learner = new wasm.Learner(pixels, labels, seed);
      return {
        layers: wasm.Learner.layers(), optimizers: wasm.Learner.optimizers(), images: learner.images(), tensors: tensors(),
      };
    },
    chooseOptimizer: (optimizer: number) => learner.choose(optimizer),
    /** Steps for so many milliseconds, at least one and at most `most`: other calls wait no longer. */
    learn: ({ batch, rate }: Settings, milliseconds: number, most: number) => {
      const until = performance.now() + milliseconds;
      const all = { losses: [] as number[], right: [] as number[], tested: [] as { step: number; right: number }[] };
      let last: Progress;
      do {
        last = learner.step(batch, rate);
        all.losses.push(...last.losses);
        all.right.push(...last.right);
        if (last.tested !== undefined) all.tested.push({ step: last.steps, right: last.tested });
      } while (all.losses.length < most && performance.now() < until);
      return { ...all, steps: last.steps, epochs: last.epochs, tensors: tensors() };
    },
    testImage: (number: number) => {
      const image = learner.image(number);
      return { pixels: image.slice(0, 64), label: image[64]! };
    },
    seeDigit: (pixels: Uint8Array) => {
      const scores = learner.see(pixels);
      const volumes = wasm.Learner.layers().map((_, layer) => learner.volume(layer + 1));
      return { scores, volumes };
    },
    teach: (pixels: Uint8Array, label: number) => {
      learner.add(pixels, label);
      return learner.images();
    },
    testAccuracy: () => learner.accuracy(),
    saveWeights: () => learner.save(),
    loadWeights: (file: Uint8Array) => {
      learner.load(file);
      return tensors();
    },
  };
};

let images: Promise<{ pixels: Uint8Array; labels: Uint8Array }> | undefined;

/** A line an image: 64 pixels from 0 to 16, then the digit. */
async function read() {
  const answer = await fetch(digitsUrl);
  if (!answer.ok) throw new Error(`the digits could not be read: ${answer.status} ${answer.statusText}`);
  let file = await answer.blob();
  // Some servers say of a .gz that it is a page sent gzipped: then the browser has read it already.
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (first === 0x1f && second === 0x8b) file = await new Response(file.stream().pipeThrough(new DecompressionStream("gzip"))).blob();
  const rows = (await file.text()).trim().split("\n").map((line) => line.split(",").map(Number));
  return { pixels: Uint8Array.from(rows.flatMap((row) => row.slice(0, 64))), labels: Uint8Array.from(rows, (row) => row[64]!) };
}
