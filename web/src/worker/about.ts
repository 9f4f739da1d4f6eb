import type { Wasm } from "./wasm";

export const about = (wasm: Wasm) => ({
  hasVectors: () => wasm.hasVectors(),
});
