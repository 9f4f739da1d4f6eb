import weights from "/tiny_vgg.safetensors?url";
import type { Class as Numbered } from "../wasm/simd128/convnet_web";
import type { Wasm } from "./wasm";

export type { Layer, Neuron, Rectangle, Term } from "../wasm/simd128/convnet_web";

/** A class by its name, and what speaks for it. */
export type Class = Numbered & { name: string };

/** What the network makes of an image: all classes, the best first, and every volume, the image's first. */
export type Seen = { classes: Class[]; volumes: Float32Array[]; milliseconds: number };

export const demo = (wasm: Wasm) => {
  let loading: ReturnType<typeof load> | undefined;
  const load = async () => {
    const answer = await fetch(weights);
    if (!answer.ok) throw new Error(`the weights could not be loaded: ${answer.status} ${answer.statusText}`);
    const file = new Uint8Array(await answer.arrayBuffer());
    const { mean, deviation, class_names } = noted(file);
    return { net: new wasm.Demo(file, Float64Array.from(mean), Float64Array.from(deviation)), names: class_names };
  };
  const network = () => (loading ??= load());
  return {
    layers: async () => (await network()).net.layers(),

    /** In the order of the scores. */
    classNames: async () => (await network()).names,

    /** Bytes of red, green and blue, row by row. */
    see: async (rgb: Uint8Array): Promise<Seen> => {
      const { net, names } = await network();
      const start = performance.now();
      const classes = net.see(rgb).map((it) => ({ ...it, name: names[it.number]! }));
      const milliseconds = performance.now() - start;
      const volumes = Array.from({ length: net.layers().length + 1 }, (_, index) => net.volume(index));
      return { classes, volumes, milliseconds };
    },

    neuron: async (volume: number, y: number, x: number, d: number) => (await network()).net.neuron(volume, y, x, d),
  };
};

/** What a `Classifier` wrote into the header of its weights, JSON in JSON, behind the header's length. */
function noted(file: Uint8Array<ArrayBuffer>): { class_names: string[]; mean: number[]; deviation: number[] } {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  return JSON.parse(header.__metadata__["convnet.classifier"]);
}
