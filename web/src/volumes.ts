// Every activation volume as a column of its depth slices. Hovering over a cell, or moving to it by the arrow keys, tells
// which it is; a click or Enter picks it.
import "./volumes.css";
import { html } from "./dom";
import { limit, paint, slice } from "./draw";
import type { Cell } from "./state";
import type { Layer, Rectangle } from "./worker/demo";

type Slice = { canvas: HTMLCanvasElement; button: HTMLButtonElement; frame: HTMLElement };

const TURN = 10; // milliseconds

export class Volumes {
  readonly element: HTMLElement;
  /** A cell is pointed at, or none any more. */
  onpoint: (cell: Cell | null) => void = () => {};
  /** One is picked, by a pointer or `byKey`. */
  onpick: (cell: Cell, byKey: boolean) => void = () => {};
  private readonly slices: Slice[][];
  /** What is being painted. */
  private shown: Float32Array[] | null = null;
  private current: Cell = { volume: 1, y: 0, x: 0, d: 0 };

  /** `classes` are the names of what the last layer scores. */
  constructor(private readonly layers: Layer[], private readonly classes: string[], label: string) {
    this.slices = layers.map((layer, at) =>
      Array.from({ length: layer.volume[2] }, (_, d) => this.slice(at + 1, d)),
    );
    const columns = layers.map((layer, at) => {
      const [height, width, depth] = layer.volume;
      const shape = `${width}×${height}×${depth}`;
      return html(
        "div",
        { class: "column", role: "group", "aria-label": `${layer.name}, ${shape}`, style: `--size: ${18 + 6.4 * Math.log2(height)}px` },
        html("div", { class: "name", title: `${layer.name}: ${layer.text}, writes ${shape}`, "aria-hidden": "true" },
          layer.word.replace("max_", ""), html("small", {}, height === 1 ? depth : `${width}×${height}`)),
        html("div", { class: "stack" }, ...this.slices[at]!.map(({ button }) => button)),
      );
    });
    this.element = html("div", { class: "volumes", role: "group", "aria-label": label, onkeydown: this.key }, ...columns);
    this.focusable(this.current);
  }

  /** Paints the volumes of the layers; while it does, whatever else there is to do has its turn. */
  async show(volumes: Float32Array[]) {
    const before = this.shown;
    this.shown = volumes;
    // Whoever paints already goes on with these.
    if (before) return;
    let painted: Float32Array[];
    do {
      painted = this.shown;
      for (let at = 0, start = performance.now(); at < this.layers.length; at++) {
        this.paint(at, this.shown[at]!);
        if (performance.now() - start < TURN) continue;
        await new Promise((resume) => setTimeout(resume));
        start = performance.now();
      }
    } while (painted !== this.shown);
    this.shown = null;
  }

  private paint(at: number, values: Float32Array) {
    const { volume } = this.layers[at]!;
    const most = limit(values);
    this.slices[at]!.forEach(({ canvas }, d) => paint(canvas, slice(values, volume, d), [volume[0], volume[1]], most));
  }

  /** What a cell is called. */
  name({ volume, y, x, d }: Cell): string {
    const { name, volume: [height] } = this.layers[volume - 1]!;
    const slice = (volume === this.layers.length && this.classes[d]) || d + 1;
    return height === 1 ? `${name}, ${slice}` : `${name}, slice ${d + 1}, row ${y + 1}, column ${x + 1}`;
  }

  /** Frames a rectangle of a volume: of one slice, or of all. */
  frame(volume: number, { top, left, height, width }: Rectangle, only?: number) {
    const layer = this.layers[volume - 1];
    if (!layer) return;
    const [rows, columns] = layer.volume;
    this.slices[volume - 1]!.forEach(({ frame }, d) => {
      if (only !== undefined && d !== only) return;
      frame.hidden = false;
      place(frame, { top, left, height, width }, [rows, columns]);
    });
  }

  /** Takes all frames away. */
  unframe() {
    for (const { frame } of this.slices.flat()) frame.hidden = true;
  }

  private slice(volume: number, d: number): Slice {
    const canvas = html("canvas");
    const frame = html("i", { class: "frame", hidden: true });
    const cell = (event: MouseEvent): Cell => {
      // A click by the keyboard has no place.
      if (event.detail === 0 && event.type === "click") return this.current;
      const [height, width] = this.layers[volume - 1]!.volume;
      const box = canvas.getBoundingClientRect();
      const at = (offset: number, size: number, cells: number) =>
        Math.max(0, Math.min(cells - 1, Math.floor((offset / size) * cells)));
      return { volume, d, y: at(event.clientY - box.top, box.height, height), x: at(event.clientX - box.left, box.width, width) };
    };
    const button = html(
      "button",
      {
        class: "slice", type: "button", tabindex: -1, "aria-label": this.name({ volume, d, y: 0, x: 0 }).split(", row")[0]!,
        onpointermove: (event: PointerEvent) => this.point(cell(event)),
        onpointerleave: () => this.onpoint(null),
        onclick: (event: MouseEvent) => { this.point(cell(event)); this.onpick(this.current, event.detail === 0); },
        onfocus: () => { if (button.matches(":focus-visible")) this.point({ ...this.current, volume, d }); },
        onblur: () => this.onpoint(null),
      },
      canvas, frame,
    );
    return { canvas, button, frame };
  }

  private point(cell: Cell) {
    this.current = cell;
    this.onpoint(cell);
  }

  private focusable({ volume, d }: Cell) {
    for (const { button } of this.slices.flat()) button.tabIndex = -1;
    this.slices[volume - 1]![d]!.button.tabIndex = 0;
  }

  /** Arrows go from slice to slice and, with shift, from cell to cell. */
  private key = (event: KeyboardEvent) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [across, down] = step as [number, number];
    const within = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
    let { volume, y, x, d } = this.current;
    if (event.shiftKey) {
      const [height, width] = this.layers[volume - 1]!.volume;
      [y, x] = [within(y + down, height), within(x + across, width)];
    } else {
      // Where columns are rows, on a narrow page, the arrows follow.
      const rows = getComputedStyle(this.element).flexDirection === "column";
      volume = within(volume - 1 + (rows ? down : across), this.layers.length) + 1;
      const [height, width, depth] = this.layers[volume - 1]!.volume;
      [d, y, x] = [within(d + (rows ? across : down), depth), within(y, height), within(x, width)];
    }
    this.current = { volume, y, x, d };
    this.focusable(this.current);
    this.slices[volume - 1]![d]!.button.focus();
    this.onpoint(this.current);
  };
}

/** Lays a frame over a picture of so many rows and columns; what lies outside is cut off. */
export function place(frame: HTMLElement, { top, left, height, width }: Rectangle, [rows, columns]: [number, number]) {
  const [t, l] = [Math.max(0, top), Math.max(0, left)];
  const [b, r] = [Math.min(rows, top + height), Math.min(columns, left + width)];
  Object.assign(frame.style, {
    top: `${(100 * t) / rows}%`, height: `${(100 * (b - t)) / rows}%`,
    left: `${(100 * l) / columns}%`, width: `${(100 * (r - l)) / columns}%`,
  });
}
