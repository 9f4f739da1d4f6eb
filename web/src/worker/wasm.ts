import plainUrl from "../wasm/plain/convnet_web_bg.wasm?url";
import simdUrl from "../wasm/simd128/convnet_web_bg.wasm?url";

export type Wasm = typeof import("../wasm/simd128/convnet_web");

/** A module with one function that makes a vector: what has no simd128 does not accept it. */
const VECTORS = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
);

export async function load(vectors: boolean): Promise<Wasm> {
  const simd = vectors && WebAssembly.validate(VECTORS);
  const wasm: Wasm = simd
    ? await import("../wasm/simd128/convnet_web")
    : await import("../wasm/plain/convnet_web");
  await wasm.default({ module_or_path: simd ? simdUrl : plainUrl });
  return wasm;
}
