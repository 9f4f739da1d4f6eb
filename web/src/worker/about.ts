import type { Wasm } from "./wasm";

export const about = (wasm: Wasm) => ({
  vectors: () => wasm.vectors(),
});
