// Spatial arrangement: W, F, S and P as sliders. Sizes, messages and repairs are the library's; this draws them.
import "./arrangement.css";
import { html, near, svg } from "./dom";
import type { Engine } from "./engine";
import type { Arrangement, Setting } from "./wasm/declare/convnet_web_declare";

/** CS231n's own line: five numbers, a filter of 3, a stride of 2 or 1. */
const NUMBERS = [0, 1, 2, -1, 1, -3, 0];
const LINE: Setting = { rows: false, input: [1, 5], filter: 3, stride: 2, padding: [1, 1], crop: false };
const SQUARE: Setting = { rows: true, input: [7, 7], filter: 3, stride: 2, padding: [0, 0], crop: false };
const EXAMPLES: [string, Setting][] = [
  ["10, 3, 2, 0: does not fit", { ...LINE, input: [1, 10], padding: [0, 0] }],
  ["5, 3, 2, 1", LINE],
  ["5, 3, 1, 1: keeps the size", { ...LINE, stride: 1 }],
];

/** What a slider says, how far it goes, and where it stands in a setting. */
type Slider = { letter: string; words: string; least: number; most: number; get(s: Setting): number; set(s: Setting, value: number): void };
const SLIDERS: Slider[] = [
  { letter: "W", words: "input size", least: 1, most: 16, get: (s) => s.input[1], set: (s, v) => (s.input[1] = v) },
  { letter: "H", words: "input height", least: 1, most: 16, get: (s) => s.input[0], set: (s, v) => (s.input[0] = v) },
  { letter: "F", words: "receptive field", least: 1, most: 11, get: (s) => s.filter, set: (s, v) => (s.filter = v) },
  { letter: "S", words: "stride", least: 1, most: 8, get: (s) => s.stride, set: (s, v) => (s.stride = v) },
  { letter: "P", words: "zero-padding", least: 0, most: 5, get: (s) => s.padding[0], set: (s, v) => (s.padding = [v, v]) },
];

const CELL = 30;

export async function mount(section: HTMLElement, engine: Engine) {
  let setting: Setting = structuredClone(EXAMPLES[0]![1]);
  let found: Arrangement | undefined; // by the first answer
  let chosen = [0, 0]; // the neuron, row and column
  let sliding: ReturnType<typeof setInterval> | undefined;

  const dimension = (rows: boolean, words: string, start: Setting) =>
    html("button", { "aria-pressed": String(setting.rows === rows), onclick: () => begin(structuredClone(start)) }, words);
  const dimensions = [dimension(false, "One dimension", LINE), dimension(true, "Two dimensions", SQUARE)];
  const examples = EXAMPLES.map(([words, it]) => html("button", { class: "quiet", onclick: () => begin(structuredClone(it)) }, words));

  const sliders = SLIDERS.map((slider) => {
    const id = `arrange-${slider.letter}`;
    const value = html("output", { for: id });
    const input = html("input", {
      type: "range", id, min: slider.least, max: slider.most, step: 1,
      oninput: () => {
        slider.set(setting, input.valueAsNumber);
        show();
      },
    });
    const label = html("label", { for: id }, html("b", {}, slider.letter), html("span", { class: "words" }, ` ${slider.words}`));
    return { slider, input, value, row: html("div", { class: "slider" }, label, input, value) };
  });
  const crop = html("input", { type: "checkbox", onchange: () => { setting.crop = crop.checked; show(); } });

  const declaration = html("code", { class: "declaration" });
  const formula = html("p", { class: "formula", role: "status" });
  const message = html("pre", { class: "message" });
  const repairs = html("div", { class: "row repairs" });
  const picture = html("div", {
    class: "picture", tabindex: 0, role: "group", "aria-describedby": "arrange-neuron",
    "aria-label": "Neurons over the input. Arrow keys choose a neuron.",
    onkeydown: (event: KeyboardEvent) => {
      const [y, x] = ({ ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] } as Record<string, [number, number]>)[event.key] ?? [0, 0];
      if (x === 0 && y === 0) return;
      event.preventDefault();
      choose([chosen[0]! + y, chosen[1]! + x]);
    },
  });
  const neuron = html("p", { class: "hint", id: "arrange-neuron", role: "status" });
  const slide = html("button", { "aria-pressed": "false", onclick: () => (sliding === undefined ? play() : stop()) }, "Slide");

  section.append(
    html("div", { class: "row" }, ...dimensions, html("span", { class: "hint" }, "or"), ...examples),
    html("div", { class: "arrange" },
      html("div", { class: "panel controls" },
        ...sliders.map((it) => it.row),
        html("label", { class: "check" }, crop, " ", html("code", {}, "fit = crop"), ": drop what is left over"),
        declaration),
      html("div", { class: "result" },
        formula, message, repairs, picture,
        html("div", { class: "row" }, slide, neuron))),
  );

  function begin(start: Setting) {
    stop();
    setting = start;
    chosen = [0, 0];
    return show();
  }

  function play() {
    slide.textContent = "Stop";
    slide.setAttribute("aria-pressed", "true");
    sliding = setInterval(() => {
      if (!found) return;
      const [rows, columns] = found.positions.map((it) => it.length) as [number, number];
      const next = (chosen[0]! * columns + chosen[1]! + 1) % Math.max(1, rows * columns);
      choose([Math.floor(next / columns), next % columns]);
    }, 600);
  }

  function stop() {
    clearInterval(sliding);
    sliding = undefined;
    slide.textContent = "Slide";
    slide.setAttribute("aria-pressed", "false");
  }

  function choose(to: number[]) {
    if (!found) return;
    const { positions } = found;
    chosen = to.map((at, axis) => Math.max(0, Math.min(at, positions[axis]!.length - 1)));
    draw(found);
  }

  /** Asks the library; of answers that were overtaken by another question nothing is shown. */
  let asked = 0;
  async function show() {
    const mine = ++asked;
    for (const { slider, input, value, row } of sliders) {
      input.valueAsNumber = slider.get(setting);
      const [before, after] = setting.padding;
      value.textContent = slider.letter === "P" && before !== after ? `${before}, ${after}` : String(slider.get(setting));
      row.hidden = slider.letter === "H" && !setting.rows;
    }
    crop.checked = setting.crop;
    dimensions.forEach((it, rows) => it.setAttribute("aria-pressed", String(setting.rows === (rows === 1))));
    const answer = await engine.call("arrange", setting);
    if (mine !== asked) return;
    found = answer;
    declaration.textContent = found.declaration;
    const fits = found.message === undefined;
    formula.replaceChildren(html("b", { class: fits ? "fits" : "misfit" }, fits ? "Fits. " : "Does not fit. "), found.formula);
    message.textContent = found.message === undefined ? "" : `error: ${found.message}`;
    message.hidden = repairs.hidden = fits;
    repairs.replaceChildren(
      html("span", {}, "Repairs:"),
      ...found.repairs.map((repair) => html("button", { class: "repair", onclick: () => begin(repair.setting) }, repair.text)),
    );
    choose(chosen);
  }

  function draw(found: Arrangement) {
    const [rows, columns] = found.positions;
    const seen = rows.length > 0 && columns.length > 0;
    picture.replaceChildren(setting.rows ? plane(setting, found, chosen) : line(setting, found, chosen, choose));
    slide.disabled = !seen;
    const from = (axis: number) => found.positions[axis]![chosen[axis]!]!;
    const span = (axis: number) => `${from(axis)} to ${from(axis) + setting.filter - 1}`;
    neuron.textContent = !seen
      ? "The filter is larger than the input with its zeros."
      : setting.rows
        ? `Neuron in row ${chosen[0]}, column ${chosen[1]} sees rows ${span(0)}, columns ${span(1)}; below 0 are zeros.`
        : `Neuron ${chosen[1]} sees ${span(1)}; below 0 are zeros.`;
  }

  void near(section).then(show);
}

const at = (i: number) => NUMBERS[((i % NUMBERS.length) + NUMBERS.length) % NUMBERS.length]!;
/** 1, 0, −1, with more zeros between. */
const weight = (tap: number, filter: number) => (tap === 0 ? 1 : tap === filter - 1 ? -1 : 0);
const signed = (value: number) => String(value).replace("-", "−");

/** CS231n's picture: a row of neurons above a row of numbers, a line for each that a neuron sees. */
function line(setting: Setting, found: Arrangement, chosen: number[], choose: (to: number[]) => void): SVGElement {
  const { filter, stride, padding: [before, after], input: [, width] } = setting;
  const positions = found.positions[1];
  const cells = before + width + after;
  const left = (position: number) => (position + before) * CELL;
  const [top, bottom] = [34, 134];
  const value = (i: number) => (i < 0 || i >= width ? 0 : at(i));
  const parts: SVGElement[] = [];
  const next = positions.length > 0 ? positions[positions.length - 1]! + stride : -before;
  // What is left over, and the neuron that finds too little.
  const over = found.message !== undefined || found.left[1] > 0 ? next : undefined;
  const room = Math.max(cells, over === undefined ? 0 : over + before + filter);
  for (let i = 0; i < cells; i++) {
    const position = i - before;
    const zero = position < 0 || position >= width;
    const lost = i >= cells - found.left[1] && positions.length > 0;
    const inside = positions.length > 0 && position >= positions[chosen[1]!]! && position < positions[chosen[1]!]! + filter;
    parts.push(
      svg("rect", { x: i * CELL + 1.5, y: bottom, width: CELL - 3, height: CELL - 3, rx: 4, class: `cell${zero ? " zero" : ""}${lost ? " lost" : ""}${inside ? " seen" : ""}` }),
      svg("text", { x: (i + 0.5) * CELL, y: bottom + 18, class: zero ? "number zero" : "number" }, signed(value(position))),
      svg("text", { x: (i + 0.5) * CELL, y: bottom + 44, class: "index" }, signed(position)),
    );
  }
  const neuron = (position: number, kind: string, text: string, index: number) => {
    const x = left(position) + (filter * CELL) / 2;
    const group = svg("g", { class: `neuron ${kind}`, onclick: () => index >= 0 && choose([0, index]) });
    for (let tap = 0; tap < filter; tap++) {
      group.append(svg("line", { x1: x, y1: top, x2: left(position) + (tap + 0.5) * CELL, y2: bottom }));
    }
    group.append(svg("circle", { cx: x, cy: top, r: 14 }), svg("text", { x, y: top + 5, class: "number" }, text));
    return group;
  };
  if (over !== undefined) parts.push(neuron(over, "over", "?", -1));
  positions.forEach((position, index) => {
    let sum = 0;
    for (let tap = 0; tap < filter; tap++) sum += value(position + tap) * weight(tap, filter);
    const group = neuron(position, index === chosen[1] ? "chosen" : "", signed(sum), index);
    // The chosen one lies above the others.
    if (index === chosen[1]) parts.push(group);
    else parts.unshift(group);
  });
  const wide = room * CELL;
  return svg("svg", { viewBox: `-4 0 ${wide + 8} 186`, width: wide + 8, height: 186, "aria-hidden": "true" }, ...parts);
}

/** The input with its zeros and the window on it; beside it the output. */
function plane(setting: Setting, found: Arrangement, chosen: number[]): HTMLElement {
  const { filter, padding: [before, after], input } = setting;
  const unit = 22;
  const [rows, columns] = found.positions;
  const [high, wide] = input.map((size) => size + before + after) as [number, number];
  const grid = svg("svg", { viewBox: `-2 -2 ${wide * unit + 4} ${high * unit + 4}`, width: wide * unit + 4, height: high * unit + 4, "aria-hidden": "true" });
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const zero = y < before || x < before || y >= before + input[0] || x >= before + input[1];
      const lost = rows.length > 0 && columns.length > 0 && (y >= high - found.left[0] || x >= wide - found.left[1]);
      grid.append(svg("rect", { x: x * unit + 1, y: y * unit + 1, width: unit - 2, height: unit - 2, rx: 3, class: `cell${zero ? " zero" : ""}${lost ? " lost" : ""}` }));
    }
  }
  if (rows.length > 0 && columns.length > 0) {
    const [y, x] = [rows[chosen[0]!]! + before, columns[chosen[1]!]! + before];
    grid.append(svg("rect", { x: x * unit, y: y * unit, width: filter * unit, height: filter * unit, rx: 4, class: "window" }));
  }
  const output = svg("svg", { viewBox: `-2 -2 ${columns.length * unit + 4} ${rows.length * unit + 4}`, width: columns.length * unit + 4, height: rows.length * unit + 4, "aria-hidden": "true" });
  rows.forEach((_, y) => columns.forEach((_, x) => {
    const here = y === chosen[0] && x === chosen[1];
    output.append(svg("circle", { cx: (x + 0.5) * unit, cy: (y + 0.5) * unit, r: unit / 2 - 2, class: here ? "output chosen" : "output" }));
  }));
  const figure = (drawn: SVGElement, caption: string) => html("figure", {}, drawn, html("figcaption", {}, caption));
  return html("div", { class: "planes" },
    figure(grid, `input ${input[1]}×${input[0]}${before + after > 0 ? ", with its zeros" : ""}`),
    figure(output, `output ${columns.length}×${rows.length}`));
}
