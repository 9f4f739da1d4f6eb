import type { Setting } from "../wasm/simd128/convnet_web";
import type { Wasm } from "./wasm";

export const arrange = (wasm: Wasm) => ({
  arrange: (setting: Setting) => wasm.arrange(setting),
});
