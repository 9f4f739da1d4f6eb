// Calls into the worker, where everything is computed: the page itself only draws.
import type { Handlers } from "./worker/main";

export type Request = { id: number; name: string; args: unknown[] };
export type Answer = { id: number; value: unknown } | { id: number; error: string };

type Name = keyof Handlers;
type Answered<K extends Name> = Awaited<ReturnType<Handlers[K]>>;

export class Engine {
  private readonly worker = new Worker(new URL("./worker/main.ts", import.meta.url), {
    type: "module",
    name: new URLSearchParams(location.search).get("wasm") ?? "best", // "plain" is without vectors
  });
  private readonly waiting = new Map<number, [(value: unknown) => void, (error: Error) => void]>();
  private asked = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const [resolve, reject] = this.waiting.get(data.id) ?? [];
      this.waiting.delete(data.id);
      "error" in data ? reject?.(new Error(data.error)) : resolve?.(data.value);
    };
    this.worker.onerror = (event) => this.fail(event.message || "the worker could not be started");
  }

  /** Runs a handler of `src/worker` by its name, with its own types. Calls are answered in their order. */
  call<K extends Name>(name: K, ...args: Parameters<Handlers[K]>): Promise<Answered<K>> {
    const id = ++this.asked;
    return new Promise<Answered<K>>((resolve, reject) => {
      this.waiting.set(id, [resolve as (value: unknown) => void, reject]);
      this.worker.postMessage({ id, name, args } satisfies Request);
    });
  }

  private fail(message: string) {
    for (const [, reject] of this.waiting.values()) reject(new Error(message));
    this.waiting.clear();
  }
}
