// A sheet to draw a digit on, and the 8x8 pixels from 0 to 16 that the network sees: as the data set was made, the
// drawing's frame is scaled to 32x32, and a pixel counts the ink in 4x4 of these.
import { html } from "./dom";

const SIZE = 224;
const PEN = 18;

export class Pad {
  readonly element: HTMLElement;
  private readonly sheet: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly seen = html("canvas", { width: 8, height: 8, class: "eight", role: "img", "aria-label": "What the network sees: 8 by 8 pixels" });
  private digit: Uint8Array = new Uint8Array(64);
  private last: [number, number] | null = null;

  constructor(private readonly changed: () => void) {
    this.sheet = html("canvas", {
      width: SIZE, height: SIZE, class: "sheet", role: "img", "aria-label": "Draw a digit here by mouse, pen or finger",
      onpointerdown: (event: PointerEvent) => {
        this.sheet.setPointerCapture(event.pointerId);
        if (this.fromOutside) this.clear();
        this.stroke(event);
      },
      onpointermove: (event: PointerEvent) => this.last && this.stroke(event),
      onpointerup: () => (this.last = null),
      onpointercancel: () => (this.last = null),
    });
    this.context = this.sheet.getContext("2d", { willReadFrequently: true })!;
    this.element = html("div", { class: "pad" }, this.sheet, html("figure", {}, this.seen, html("figcaption", {}, "8×8")));
  }

  /** What is drawn, row by row. */
  pixels(): Uint8Array {
    return this.digit;
  }

  clear() {
    this.context.clearRect(0, 0, SIZE, SIZE);
    this.fromOutside = false;
    this.set(new Uint8Array(64));
    this.changed();
  }

  /** Shows a digit that is 8x8 already. */
  show(pixels: Uint8Array) {
    this.set(pixels);
    this.fromOutside = true;
    this.context.clearRect(0, 0, SIZE, SIZE);
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(this.seen, 0, 0, SIZE, SIZE);
  }

  private fromOutside = false;

  private stroke(event: PointerEvent) {
    const frame = this.sheet.getBoundingClientRect();
    const at: [number, number] = [((event.clientX - frame.left) * SIZE) / frame.width, ((event.clientY - frame.top) * SIZE) / frame.height];
    const { context } = this;
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = getComputedStyle(this.sheet).color;
    context.beginPath();
    context.moveTo(...(this.last ?? at));
    context.lineTo(...at);
    context.stroke();
    this.last = at;
    this.set(this.reduced());
    this.changed();
  }

  private set(pixels: Uint8Array) {
    this.digit = pixels;
    const context = this.seen.getContext("2d")!;
    const image = context.createImageData(8, 8);
    const ink = /\d+/g;
    const [r, g, b] = (getComputedStyle(this.sheet).color.match(ink) ?? ["0", "0", "0"]).map(Number);
    pixels.forEach((pixel, i) => image.data.set([r!, g!, b!, (255 * pixel) / 16], 4 * i));
    context.putImageData(image, 0, 0);
  }

  /** Of the ink the frame, as high as 32 pixels and in their middle; then counted. */
  private reduced(): Uint8Array {
    const { data } = this.context.getImageData(0, 0, SIZE, SIZE);
    const inked = (x: number, y: number) => data[4 * (y * SIZE + x) + 3]! > 127;
    let [left, right, top, bottom] = [SIZE, -1, SIZE, -1];
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) {
        if (!inked(x, y)) continue;
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
    }
    const counts = new Uint8Array(64);
    if (right < 0) return counts;
    const side = Math.max(bottom - top + 1, right - left + 1);
    const [middleX, middleY] = [(left + right + 1) / 2, (top + bottom + 1) / 2];
    for (let y = 0; y < 32; y++) {
      for (let x = 0; x < 32; x++) {
        const from = (middle: number, i: number) => Math.floor(middle + ((i + 0.5) / 32 - 0.5) * side);
        const [sx, sy] = [from(middleX, x), from(middleY, y)];
        if (sx >= 0 && sy >= 0 && sx < SIZE && sy < SIZE && inked(sx, sy)) counts[8 * (y >> 2) + (x >> 2)]!++;
      }
    }
    return counts;
  }
}
