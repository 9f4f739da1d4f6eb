import type { Setting } from "../wasm/declare/convnet_web_declare";
import url from "../wasm/declare/convnet_web_declare_bg.wasm?url";

/** What plans, and reads declarations, is a module of its own: the sections above do not wait for it. */
export const declare = () => {
  const load = async () => {
    const planner = await import("../wasm/declare/convnet_web_declare");
    await planner.default({ module_or_path: url });
    return planner;
  };
  let loading: ReturnType<typeof load> | undefined;
  const planner = () => (loading ??= load());
  return {
    arrange: async (setting: Setting) => (await planner()).arrange(setting),
    declare: async (text: string) => (await planner()).declare(text),
  };
};
