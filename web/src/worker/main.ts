// The worker: loads the best wasm that this browser runs, and answers calls.
import type { Answer, Request } from "../engine";
import { about } from "./about";
import { declare } from "./declaration";
import { demo } from "./demo";
import { train } from "./training";
import { load } from "./wasm";

const started = load(self.name).then((wasm) => ({
  ...about(wasm),
  ...declare(),
  ...demo(wasm),
  ...train(wasm),
}));

export type Handlers = Awaited<typeof started>;

self.onmessage = async ({ data: { id, name, args } }: MessageEvent<Request>) => {
  let answer: Answer;
  try {
    const handlers = (await started) as Record<string, (...args: unknown[]) => unknown>;
    const handler = handlers[name];
    if (!handler) throw new Error(`there is no handler ${name}`);
    answer = { id, value: await handler(...args) };
  } catch (error) {
    answer = { id, error: error instanceof Error ? error.message : String(error) };
  }
  self.postMessage(answer);
};
