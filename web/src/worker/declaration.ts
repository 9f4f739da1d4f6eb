import url from "../wasm/declare/convnet_web_declare_bg.wasm?url";

/** The reader of declarations is a module of its own: the rest of the page does not wait for it. */
export const declare = () => {
  const load = async () => {
    const reader = await import("../wasm/declare/convnet_web_declare");
    await reader.default({ module_or_path: url });
    return reader;
  };
  let loading: ReturnType<typeof load> | undefined;
  return {
    declare: async (text: string) => (await (loading ??= load())).declare(text),
  };
};
