// The volumes of a small network: a row for each layer, in it all depth slices on one canvas, each as large as any other.
import { html } from "./dom";
import { limit, paint } from "./draw";
import type { Layer } from "./wasm/simd128/convnet_web";

/** A slice's side on the canvas, and how many stand side by side. */
const SIDE = 8;
const ACROSS = 16;

export class Slices {
  readonly element: HTMLElement;
  private readonly canvases: HTMLCanvasElement[];

  constructor(private readonly layers: Layer[]) {
    this.canvases = layers.map(({ name, volume: [height, width, depth] }) =>
      html("canvas", { role: "img", "aria-label": `${name}: ${depth} slices of ${width}×${height}` }));
    const rows = layers.map(({ name, volume: [height, width, depth] }, at) =>
      html("figure", { class: "slices" },
        html("figcaption", {}, name, html("small", {}, ` ${width}×${height}×${depth}`)),
        this.canvases[at]!));
    this.element = html("div", {}, ...rows);
  }

  /** What the layers have written, each painted by its own largest number. */
  show(volumes: Float32Array[]) {
    this.layers.forEach(({ volume }, at) => {
      const [height, width, depth] = volume as [number, number, number];
      const values = volumes[at]!;
      const [wide, high] = [ACROSS * (SIDE + 1) - 1, Math.ceil(depth / ACROSS) * (SIDE + 1) - 1];
      const picture = new Float32Array(high * wide);
      for (let d = 0; d < depth; d++) {
        const [top, left] = [Math.floor(d / ACROSS) * (SIDE + 1), (d % ACROSS) * (SIDE + 1)];
        for (let y = 0; y < SIDE; y++) {
          for (let x = 0; x < SIDE; x++) {
            const cell = Math.floor((y * height) / SIDE) * width + Math.floor((x * width) / SIDE);
            picture[(top + y) * wide + left + x] = values[cell * depth + d]!;
          }
        }
      }
      paint(this.canvases[at]!, picture, [high, wide], limit(values));
    });
  }
}
