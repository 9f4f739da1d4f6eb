// A curve of many numbers: a faint line for each, a strong one for their running mean.
import { html, svg } from "./dom";

type Options = { log?: boolean; most?: number; points?: [step: number, value: number][] };

const [WIDTH, HEIGHT] = [560, 150];
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 8, 8, 20];
/** So many columns of the drawing: of the numbers in one, their mean is drawn. */
const COLUMNS = 256;

export function curve(kind: string, title: string, values: number[], { log = false, most, points = [] }: Options = {}): HTMLElement {
  const finite = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  const scale = log ? Math.log10 : (value: number) => value;
  const low = log ? Math.min(-1, Math.floor(scale(Math.max(1e-4, finite.reduce((a, b) => Math.min(a, b), 1))))) : 0;
  const high = most ?? (log ? Math.ceil(scale(Math.max(1, finite.reduce((a, b) => Math.max(a, b), 1)))) : 1);
  const x = (step: number) => LEFT + ((WIDTH - LEFT - RIGHT) * step) / Math.max(1, values.length);
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (Math.max(low, Math.min(high, scale(value))) - low) / (high - low));
  const parts: SVGElement[] = [];
  const ticks = log ? Array.from({ length: high - low + 1 }, (_, i) => low + i) : [0, 0.5, 1];
  for (const tick of ticks) {
    const at = y(log ? 10 ** tick : tick);
    parts.push(
      svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at, class: "grid" }),
      svg("text", { x: LEFT - 6, y: at + 4, class: "left" }, log ? String(10 ** tick) : `${100 * tick} %`));
  }
  if (values.length > 0) parts.push(svg("text", { x: WIDTH - RIGHT, y: HEIGHT - 4, class: "left" }, `${values.length.toLocaleString("en")} steps`));
  const means = columns(values);
  const path = (all: [number, number][]) => all.map(([step, value], i) => `${i === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  if (means.length > 0) parts.push(svg("path", { d: path(means), class: "raw" }), svg("path", { d: path(running(means)), class: "mean" }));
  for (const [step, value] of points.slice(-200)) parts.push(svg("circle", { cx: x(step), cy: y(value), r: 3, class: "tested" }));
  const last = values.at(-1);
  const label = `${title}${last === undefined ? "" : `; the last of ${values.length}: ${last.toPrecision(3)}`}`;
  return html("figure", { class: `curve ${kind}` },
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label }, ...parts),
    html("figcaption", {}, title));
}

/** Step and mean of what falls into a column. */
function columns(values: number[]): [number, number][] {
  const wide = Math.max(1, values.length / COLUMNS);
  const means: [number, number][] = [];
  for (let from = 0; from < values.length; from += wide) {
    const part = values.slice(Math.floor(from), Math.floor(from + wide)).filter(Number.isFinite);
    if (part.length > 0) means.push([Math.min(from + wide, values.length), part.reduce((a, b) => a + b) / part.length]);
  }
  return means;
}

/** What is before counts for less and less. */
function running(means: [number, number][]): [number, number][] {
  let mean = means[0]?.[1] ?? 0;
  return means.map(([step, value]) => [step, (mean += 0.15 * (value - mean))]);
}
