import weights from "/tiny_vgg.safetensors?url";
import type { Class, Demo } from "../wasm/simd128/convnet_web";
import type { Wasm } from "./wasm";

export type { Class, Layer, Neuron, Rectangle, Term } from "../wasm/simd128/convnet_web";

/** What the network makes of an image: all classes, the most probable first, and every volume, the image's first. */
export type Seen = { classes: Class[]; volumes: Float32Array[]; milliseconds: number };

export const demo = (wasm: Wasm) => {
  let loading: Promise<Demo> | undefined;
  const load = async () => {
    const answer = await fetch(weights);
    if (!answer.ok) throw new Error(`the weights could not be loaded: ${answer.status} ${answer.statusText}`);
    return new wasm.Demo(new Uint8Array(await answer.arrayBuffer()));
  };
  const network = () => (loading ??= load());
  return {
    layers: async () => (await network()).layers(),

    /** In the order of the scores. */
    classNames: async () => (await network()).classNames(),

    /** Bytes of red, green and blue, row by row. */
    see: async (rgb: Uint8Array): Promise<Seen> => {
      const net = await network();
      const start = performance.now();
      const classes = net.see(rgb);
      const milliseconds = performance.now() - start;
      const volumes = Array.from({ length: net.layers().length + 1 }, (_, index) => net.volume(index));
      return { classes, volumes, milliseconds };
    },

    neuron: async (volume: number, y: number, x: number, d: number) => (await network()).neuron(volume, y, x, d),
  };
};
