// The volumes of a small network: a row for each layer, a picture for each depth slice.
import { html } from "./dom";
import { limit, paint, slice } from "./draw";
import type { Layer } from "./wasm/simd128/convnet_web";

export class Slices {
  readonly element: HTMLElement;
  private readonly canvases: HTMLCanvasElement[][];

  constructor(private readonly layers: Layer[]) {
    this.canvases = layers.map(({ volume }) => Array.from({ length: volume[2]! }, () => html("canvas")));
    const rows = layers.map(({ name, volume: [height, width, depth] }, at) =>
      html("figure", { class: "slices", role: "img", "aria-label": `${name}: ${depth} slices of ${width}×${height}` },
        html("figcaption", {}, name, html("small", {}, ` ${width}×${height}×${depth}`)),
        html("div", {}, ...this.canvases[at]!)));
    this.element = html("div", {}, ...rows);
  }

  /** What the layers have written, each painted by its own largest number. */
  show(volumes: Float32Array[]) {
    this.layers.forEach(({ volume }, at) => {
      const [height, width] = volume as [number, number, number];
      const most = limit(volumes[at]!);
      this.canvases[at]!.forEach((canvas, d) => paint(canvas, slice(volumes[at]!, volume as [number, number, number], d), [height, width], most));
    });
  }
}
