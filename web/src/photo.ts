// Pictures of any size as bytes.

/** The largest square in the middle of a picture, brought to `size` by `size` pixels: red, green, blue, row by row. */
export function square(picture: ImageBitmap | HTMLVideoElement, size: number): Uint8Array {
  const [width, height] = "videoWidth" in picture ? [picture.videoWidth, picture.videoHeight] : [picture.width, picture.height];
  let side = Math.min(width, height);
  let canvas = draw(picture, (width - side) / 2, (height - side) / 2, side, side <= 2 * size ? size : Math.max(size, side >> 1));
  // By halves, so that every pixel counts.
  while (canvas.width > size) {
    side = canvas.width;
    canvas = draw(canvas, 0, 0, side, side <= 2 * size ? size : side >> 1);
  }
  const rgba = canvas.getContext("2d")!.getImageData(0, 0, size, size).data;
  return Uint8Array.from({ length: 3 * size * size }, (_, i) => rgba[4 * Math.floor(i / 3) + (i % 3)]!);
}

function draw(source: CanvasImageSource, x: number, y: number, side: number, to: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(to, to);
  const context = canvas.getContext("2d")!;
  context.imageSmoothingQuality = "high";
  context.drawImage(source, x, y, side, side, 0, 0, to, to);
  return canvas;
}
