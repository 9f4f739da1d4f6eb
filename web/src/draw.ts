// Values as colours: above zero orange, below zero blue, zero is the paper. A colour's opacity grows with the value's size,
// so that a picture suits a light page and a dark one without being painted again.

const POSITIVE = [240, 106, 16] as const;
const NEGATIVE = [28, 120, 224] as const;

/** The largest size among values: what is painted with full strength. */
export function limit(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}

/** From 0 to 1. A little more than in proportion, for small values are to be seen, too. */
const strength = (value: number, most: number) => (most > 0 ? Math.min(1, Math.abs(value) / most) ** 0.75 : 0);

/** A depth slice of a volume (height, width, depth; depth innermost). */
export function slice(volume: ArrayLike<number>, [height, width, depth]: Shape, d: number): Float32Array {
  return Float32Array.from({ length: height * width }, (_, i) => volume[i * depth + d]!);
}

export type Shape = [height: number, width: number, depth: number];

/** What `width` by `height` pixels are drawn with, on a canvas of that size. */
function sized(canvas: HTMLCanvasElement, height: number, width: number) {
  // Even the size that it has would make it anew.
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d")!;
  return { context, image: context.createImageData(width, height) };
}

/** Paints `height` by `width` values, one a pixel; CSS enlarges them. */
export function paint(canvas: HTMLCanvasElement, values: ArrayLike<number>, [height, width]: [number, number], most: number) {
  const { context, image: { data }, image } = sized(canvas, height, width);
  for (let i = 0; i < height * width; i++) {
    const value = values[i]!;
    const [r, g, b] = value < 0 ? NEGATIVE : POSITIVE;
    data[4 * i] = r;
    data[4 * i + 1] = g;
    data[4 * i + 2] = b;
    data[4 * i + 3] = 255 * strength(value, most);
  }
  context.putImageData(image, 0, 0);
}

/** Paints bytes of red, green and blue. */
export function paintPhoto(canvas: HTMLCanvasElement, rgb: ArrayLike<number>, [height, width]: [number, number]) {
  const { context, image } = sized(canvas, height, width);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = rgb[3 * i + c]!;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
