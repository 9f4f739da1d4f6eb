// What sections share.
import type { Seen } from "./worker/demo";

/** A value that is watched. */
export class Store<T> {
  private readonly watchers: ((value: T) => void)[] = [];
  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  set(value: T) {
    this.value = value;
    for (const watch of this.watchers) watch(value);
  }

  /** Calls `watch` now and after each change. */
  watch(watch: (value: T) => void) {
    this.watchers.push(watch);
    watch(this.value);
  }
}

/** A cell of a volume: 0 is the image, i + 1 is what layer i writes. */
export type Cell = { volume: number; y: number; x: number; d: number };

/** An image that the demo's network has seen, as bytes of red, green and blue. */
export type Look = Seen & { rgb: Uint8Array; name: string };

export const look = new Store<Look | null>(null);
export const cell = new Store<Cell>({ volume: 1, y: 12, x: 14, d: 0 });
