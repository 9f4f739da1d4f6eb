import plainUrl from "../wasm/plain/convnet_web_bg.wasm?url";
import relaxedUrl from "../wasm/relaxed/convnet_web_bg.wasm?url";
import simdUrl from "../wasm/simd128/convnet_web_bg.wasm?url";

export type Wasm = typeof import("../wasm/simd128/convnet_web");

/** The best first. One runs where the last of its instructions is known: f32x4.relaxed_madd, i8x16.popcnt. */
const MODULES: { name: string; runs: () => boolean; url: string; code: () => Promise<Wasm> }[] = [
  { name: "relaxed", runs: () => knows(3, 253, 133, 2), url: relaxedUrl, code: () => import("../wasm/relaxed/convnet_web") },
  { name: "simd128", runs: () => knows(1, 253, 98), url: simdUrl, code: () => import("../wasm/simd128/convnet_web") },
  { name: "plain", runs: () => true, url: plainUrl, code: () => import("../wasm/plain/convnet_web") },
];

/** The best module that runs here, from one of that name on if there is one. */
export async function load(first: string): Promise<Wasm> {
  const from = MODULES.findIndex(({ name }) => name === first);
  const { url, code } = MODULES.slice(Math.max(from, 0)).find(({ runs }) => runs())!;
  const wasm = await code();
  await wasm.default({ module_or_path: url });
  return wasm;
}

/** Whether this browser accepts a module with one function, which makes a vector of so many by an instruction. */
function knows(vectors: number, ...instruction: number[]): boolean {
  const body = [0, ...Array(vectors).fill([65, 0, 253, 15]).flat(), ...instruction, 11];
  const head = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, body.length + 2, 1, body.length];
  return WebAssembly.validate(Uint8Array.of(...head, ...body));
}
