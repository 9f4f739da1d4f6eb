// Inside a neuron: what it sees, its filter, the products, their sum.
import "./neuron.css";
import { html, number } from "./dom";
import { limit, paint, paintPhoto, slice } from "./draw";
import type { Shape } from "./draw";
import type { Engine } from "./engine";
import { cell, look } from "./state";
import type { Cell, Look } from "./state";
import { place } from "./volumes";
import type { Neuron, Rectangle } from "./worker/demo";

const IMAGE: Shape = [32, 32, 3];
const COLOURS = ["red", "green", "blue"];
const PAUSE = 250; // milliseconds from step to step

export async function mount(section: HTMLElement, engine: Engine) {
  const layers = await engine.call("layers");
  const classes = await engine.call("classNames");
  const shape = (volume: number) => layers[volume - 1]?.volume ?? IMAGE;

  const layer = html("select", { onchange: () => move({ volume: Number(layer.value) }) },
    ...layers.map(({ name, text }, at) => html("option", { value: at + 1 }, name === text ? name : `${name}: ${text}`)));
  const d = field("Slice", "d");
  const y = field("Row", "y");
  const x = field("Column", "x");
  const play = html("button", { type: "button", class: "first", onclick: () => (timer ? pause() : start()) }, "Play");
  const step = html("button", { type: "button", onclick: () => { pause(); slide(); } }, "Step");

  const photo = picture("the image, with the receptive field");
  const written = picture("the slice that the neuron belongs to");
  const map = html("div", {
    class: "map", tabindex: 0, role: "group", "aria-label": "The neurons of this slice. Arrows go from one to the next.",
    onkeydown: arrows, onclick: pointed,
  }, written.element);
  const seesTitle = html("h3");
  const writesTitle = html("h3");
  const terms = new Terms();
  const sum = html("p", { class: "sum figures" });
  const verdict = html("output", { class: "wrote", "aria-live": "polite" });

  section.append(
    html("div", { class: "row controls" }, html("label", {}, "Layer ", layer), d.label, y.label, x.label, play, step),
    html("div", { class: "inside" },
      html("div", { class: "ends" },
        html("div", {}, html("h3", {}, "The image"), photo.element),
        html("div", {}, writesTitle, map)),
      html("div", { class: "work panel" }, seesTitle, terms.element, sum, verdict)),
  );

  function field(name: string, of: "d" | "y" | "x") {
    const input = html("input", { type: "number", min: 1, onchange: () => move({ [of]: Number(input.value) - 1 }) });
    return { input, label: html("label", {}, `${name} `, input) };
  }

  /** Another cell, brought into its volume. */
  function move(to: Partial<Cell>) {
    const next = { ...cell.get(), ...to };
    const [height, width, depth] = shape(next.volume);
    const within = (value: number, size: number) => Math.max(0, Math.min(size - 1, Math.floor(value) || 0));
    cell.set({ ...next, y: within(next.y, height), x: within(next.x, width), d: within(next.d, depth) });
  }

  // The sliding: column by column, row by row, and from the end to the beginning.
  let timer: ReturnType<typeof setInterval> | null = null;
  function slide() {
    const { volume, y, x, d } = cell.get();
    const [height, width, depth] = shape(volume);
    if (x + 1 < width) move({ x: x + 1 });
    else if (y + 1 < height) move({ y: y + 1, x: 0 });
    else move({ y: 0, x: 0, d: height * width === 1 ? (d + 1) % depth : d });
  }
  function start() {
    timer = setInterval(slide, PAUSE);
    play.textContent = "Pause";
  }
  function pause() {
    if (!timer) return;
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
    update();
  }

  function arrows(event: KeyboardEvent) {
    const to = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!to) return;
    event.preventDefault();
    pause();
    const { y, x } = cell.get();
    move({ y: y + to[0]!, x: x + to[1]! });
  }
  function pointed(event: MouseEvent) {
    pause();
    const [height, width] = shape(cell.get().volume);
    const box = written.canvas.getBoundingClientRect();
    move({
      y: ((event.clientY - box.top) / box.height) * height,
      x: ((event.clientX - box.left) / box.width) * width,
    });
  }

  // One question at a time; the last one asked is answered last.
  let busy = false;
  let again = false;
  async function update() {
    if (busy) return void (again = true);
    busy = true;
    do {
      again = false;
      const [seen, at] = [look.get(), cell.get()];
      if (!seen) break;
      const neuron = await engine.call("neuron", at.volume, at.y, at.x, at.d);
      // An image that came meanwhile is drawn with its own numbers.
      if (look.get() === seen) draw(seen, at, neuron);
      else again = true;
    } while (again);
    busy = false;
  }
  // The fields say at once what was asked for: written with the answer, they would overwrite what is being typed.
  function fill(at: Cell) {
    const [height, width, depth] = shape(at.volume);
    layer.value = String(at.volume);
    for (const [{ input }, value, most] of [[d, at.d, depth], [y, at.y, height], [x, at.x, width]] as const) {
      input.max = String(most);
      input.value = String(value + 1);
    }
  }
  look.watch(update);
  cell.watch(fill);
  cell.watch(update);

  function draw(seen: Look, at: Cell, neuron: Neuron) {
    const [height, width, depth] = shape(at.volume);
    const { name } = layers[at.volume - 1]!;
    paintPhoto(photo.canvas, seen.rgb, [IMAGE[0], IMAGE[1]]);
    photo.frame(neuron.field, [IMAGE[0], IMAGE[1]]);
    const volume = seen.volumes[at.volume]!;
    const values = slice(volume, [height, width, depth], at.d);
    if (timer) values.fill(0, at.y * width + at.x + 1); // not yet written
    paint(written.canvas, values, [height, width], limit(volume));
    written.frame({ top: at.y, left: at.x, height: 1, width: 1 }, [height, width]);
    writesTitle.textContent = at.volume === layers.length ? `${name}, ${classes[at.d]}` : `${name}, slice ${at.d + 1}`;
    const before = neuron.reads === 0 ? "the image" : layers[neuron.reads - 1]!.name;
    seesTitle.textContent = `It sees ${neuron.window.width}×${neuron.window.height} of ${slices(neuron)} of ${before}`;
    terms.show(seen, neuron, shape(neuron.reads));
    sum.replaceChildren(...equation(neuron));
    verdict.textContent = `${sentence(neuron)} ${number(neuron.result, 4)}. The network wrote ${number(neuron.activation, 4)}.`;
    verdict.dataset.result = String(neuron.result);
    verdict.dataset.activation = String(neuron.activation);
  }
}

const slices = ({ terms }: Neuron) => (terms.length === 1 ? `slice ${terms[0]!.slice + 1}` : `all ${terms.length} slices`);

/** What a layer without filters does with what it sees. */
const DOES: Record<string, string> = {
  relu: "What is below zero becomes zero:",
  max_pool: "The largest of what it sees:",
  global_max_pool: "The largest of what it sees:",
  avg_pool: "The mean of what it sees, of the zeros around the volume none:",
  global_avg_pool: "The mean of what it sees:",
  dropout: "Nothing is dropped but in training:",
  flatten: "What it sees, in a row:",
  softmax: "Its share of the depth column:",
  log_softmax: "The logarithm of its share of the depth column:",
};

const sentence = ({ word, bias }: Neuron) =>
  DOES[word] ?? (bias == null ? `The ${word} of what it sees:` : "The sum of all products and the bias:");

/** What makes the activation, in one line. */
function equation({ word, terms, bias, result }: Neuron): (HTMLElement | string)[] {
  const term = (value: number, first: boolean) =>
    `${first ? "" : value < 0 ? " − " : " + "}${number(first ? value : Math.abs(value))}`;
  const total = html("strong", {}, number(result, 4));
  if (bias == null) {
    const [first, ...more] = terms.flatMap(({ inputs }) => inputs);
    const shown = number(first!, 4);
    const names: Record<string, string> = { relu: `max(0, ${shown})`, dropout: shown, flatten: shown };
    const name = names[word] ?? (more.length > 0 ? word.replace(/.*max_pool/, "max").replace(/.*avg_pool/, "mean") : `${word}(${shown})`);
    return [`${name} = `, total];
  }
  const sums = terms.map(({ sum }, at) => term(sum, at === 0)).join("");
  return [sums, html("span", { class: "bias", title: "the bias" }, term(bias, false)), " = ", total];
}

/** Slice by slice: where the window lies, what it covers, the filter, the products, their sum. */
class Terms {
  readonly element = html("div", { class: "terms" });
  private rows: Row[] = [];
  private like = "";

  show(seen: Look, neuron: Neuron, shape: Shape) {
    const { terms, window, reads } = neuron;
    const volume = seen.volumes[reads]!;
    const most = {
      inputs: limit(volume),
      filter: limit(terms.flatMap(({ filter }) => filter)),
      products: limit(terms.flatMap(({ products }) => products)),
    };
    // A neighbour has as many numbers: they take the places of these, as new ones take a browser long.
    const like = [terms.length, terms[0]!.filter.length > 0, window.width > 3].join();
    if (like !== this.like) {
      this.like = like;
      this.rows = terms.map((term) => new Row(term.filter.length > 0, window.width > 3));
      this.element.replaceChildren(...this.rows.map(({ element }) => element));
    }
    terms.forEach((term, at) => {
      const { element, of, name, inputs, filter, products, sum } = this.rows[at]!;
      paint(of.canvas, slice(volume, shape, term.slice), [shape[0], shape[1]], most.inputs);
      of.frame(window, [shape[0], shape[1]]);
      name.textContent = reads === 0 ? COLOURS[term.slice]! : `slice ${term.slice + 1}`;
      element.setAttribute("aria-label", name.textContent);
      inputs.show(term.inputs, window, most.inputs, neuron.word.endsWith("max_pool"));
      if (term.filter.length === 0) return;
      filter.show(term.filter, window, most.filter);
      products.show(term.products, window, most.products);
      sum.textContent = number(term.sum);
    });
  }
}

class Row {
  readonly element: HTMLElement;
  readonly of = picture("");
  readonly name = html("small");
  readonly inputs = new Numbers("what it sees");
  readonly filter = new Numbers("the filter");
  readonly products = new Numbers("the products");
  readonly sum = html("b");

  constructor(filtered: boolean, small: boolean) {
    const filter = ["×", this.filter.element, "=", this.products.element,
      html("span", { class: "partial figures", title: "the sum of these products" }, "Σ ", this.sum)];
    this.element = html("div", { class: `term ${small ? "small" : ""}`, role: "group" },
      html("div", { class: "of", "aria-hidden": "true" }, this.of.element, this.name),
      this.inputs.element, ...(filtered ? filter : []));
  }
}

/** Numbers in the rows and columns of a window: one text on one picture, for a browser takes long to lay out a box each. */
class Numbers {
  private readonly picture = picture("");
  private readonly text = html("span");
  readonly element: HTMLElement;

  constructor(private readonly name: string) {
    this.element = html("div", { class: "numbers figures", role: "img", title: name }, this.picture.element, this.text);
  }

  /** Each on a colour by its size, up to `most`; the largest framed, if it is `marked`. */
  show(values: number[], { width, height }: Rectangle, most: number, marked = false) {
    const spoken = values.map((value) => number(value));
    const texts = spoken.map((text) => text.replace("0.", "."));
    const longest = Math.max(4, ...texts.map(({ length }) => length));
    // Filled up by spaces as wide as a digit, and a narrow one between two.
    const cells = texts.map((text) => ` ${text.padStart(longest, "\u2007")}`);
    const rows = Array.from({ length: height }, (_, y) => cells.slice(y * width, (y + 1) * width).join(""));
    this.text.textContent = rows.join("\n");
    this.element.style.setProperty("--columns", String(width));
    this.element.setAttribute("aria-label", `${this.name}: ${spoken.join(", ")}`);
    paint(this.picture.canvas, values, [height, width], most / 0.6);
    if (!marked) return this.picture.hide();
    const at = values.indexOf(Math.max(...values));
    this.picture.frame({ top: Math.floor(at / width), left: at % width, height: 1, width: 1 }, [height, width]);
  }
}

/** A picture with a frame on it. */
function picture(label: string) {
  const canvas = html("canvas", label ? { role: "img", "aria-label": label } : {});
  const frame = html("i", { class: "frame", hidden: true });
  return {
    canvas,
    element: html("div", { class: "framed" }, canvas, frame),
    frame: (...of: Parameters<typeof place> extends [unknown, ...infer Rest] ? Rest : never) => {
      frame.hidden = false;
      place(frame, ...of);
    },
    hide: () => {
      frame.hidden = true;
    },
  };
}
