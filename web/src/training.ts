// A network that learns while one looks: the page asks the worker for the steps of the next moment, draws what came
// of them, and asks again.
import "./training.css";
import { curve } from "./curve";
import { html, number } from "./dom";
import { limit, paint } from "./draw";
import { Engine } from "./engine";
import { Pad } from "./pad";
import { Slices } from "./slices";

/** How long the worker may be away at a time, in milliseconds. */
const MOMENT = 30;
const BATCHES = [1, 8, 16, 32, 64, 128];
const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

export async function mount(section: HTMLElement) {
  const engine = new Engine(); // others do not wait while it learns
  let seed = 231;
  const { layers, optimizers, images, tensors } = await engine.call("beginLearning", seed);
  let running = false;
  let steps = 0;
  let turn = 0;
  const losses: number[] = [];
  const right: number[] = [];
  const tested: { step: number; right: number }[] = [];

  const train = html("button", { class: "first", onclick: () => (running ? pause() : start()) }, "Train");
  const step = html("button", { onclick: () => learn(0, 1) }, "One step");
  const reset = html("button", { onclick: begin }, "Begin anew");
  const optimizer = html("select", { id: "train-optimizer", onchange: choose }, ...optimizers.map(({ name }) => html("option", {}, name)));
  const rate = html("input", { type: "range", id: "train-rate", min: -4, max: 0, step: 0.05, oninput: say });
  const rateSaid = html("output", { for: "train-rate" });
  const batch = html("select", { id: "train-batch" }, ...BATCHES.map((size) => html("option", { value: size, selected: size === 32 }, size)));
  const save = html("button", { onclick: download }, "Save weights");
  const file = html("input", { type: "file", accept: ".safetensors", class: "spoken", id: "train-file", onchange: upload });
  const load = html("label", { for: "train-file", class: "button" }, "Load weights");
  const note = html("p", { class: "hint", role: "status" });

  const accuracy = html("b", { id: "train-accuracy" }, "–");
  const figures = html("dl", { class: "figures" });
  const plots = { loss: html("div"), right: html("div") };
  const shown = { conv1: filters("conv1", 16, 1, 8), conv2: filters("conv2", 32, 16, 32) };

  const pad = new Pad(() => see());
  const bars = DIGITS.map((digit) => {
    const bar = html("span", { class: "bar" });
    const share = html("span", { class: "share" });
    return { bar, share, row: html("li", {}, html("span", {}, digit), html("span", { class: "track" }, bar), share) };
  });
  const verdict = html("p", { class: "verdict", role: "status" });
  const truth = html("select", { id: "train-truth" }, ...DIGITS.map((digit) => html("option", {}, digit)));
  const volumes = new Slices(layers);
  let test = 0;

  section.append(
    html("div", { class: "train" },
      html("div", { class: "panel controls" },
        html("div", { class: "row" }, train, step, reset),
        html("div", { class: "field" }, html("label", { for: "train-optimizer" }, "Optimizer"), optimizer),
        html("div", { class: "field" }, html("label", { for: "train-rate" }, "Learning rate"), html("span", { class: "row" }, rate, rateSaid)),
        html("div", { class: "field" }, html("label", { for: "train-batch" }, "Batch"), batch),
        html("div", { class: "row" }, save, load, file),
        note),
      html("div", { class: "curves" },
        html("p", { class: "headline" }, "Test images read right: ", accuracy), figures, plots.loss, plots.right)),
    html("div", { class: "filters" }, shown.conv1.element, shown.conv2.element),
    html("h3", {}, "Draw a digit"),
    html("div", { class: "draw" },
      html("div", {}, pad.element,
        html("div", { class: "row" },
          html("button", { onclick: () => pad.clear() }, "Clear"),
          html("button", { onclick: another }, "A test digit")),
        html("div", { class: "row teach" },
          html("label", { for: "train-truth" }, "It is a"), truth,
          html("button", { onclick: teach }, "Teach it"))),
      html("div", { class: "reads" }, verdict, html("ul", { class: "bars" }, ...bars.map(({ row }) => row))),
      html("div", { class: "inside" }, volumes.element)),
  );

  function settings() {
    return { batch: Number(batch.value), rate: 10 ** rate.valueAsNumber };
  }

  function say() {
    rateSaid.textContent = (10 ** rate.valueAsNumber).toPrecision(2).replace(/e-0*/, "e−");
    rate.setAttribute("aria-valuetext", rateSaid.textContent);
  }

  function start() {
    running = true;
    train.textContent = "Pause";
    run().catch(failed);
  }

  function pause() {
    running = false;
    train.textContent = "Train";
  }

  async function run() {
    while (running) {
      await learn(MOMENT, Infinity);
      await new Promise(requestAnimationFrame);
    }
  }

  async function learn(milliseconds: number, most: number) {
    const before = performance.now();
    const past = steps;
    const answer = await engine.call("learn", settings(), milliseconds, most);
    losses.push(...answer.losses);
    right.push(...answer.right);
    tested.push(...answer.tested);
    steps = answer.steps;
    const speed = ((steps - past) * 1000) / (performance.now() - before);
    const pictures = [() => show(answer.epochs, speed), () => paintFilters(answer.tensors), see];
    // While it runs one of them a moment: each alone is drawn in an instant, all together might be felt.
    for (const picture of running ? [pictures[turn++ % pictures.length]!] : pictures) await picture();
    if (!Number.isFinite(losses.at(-1)!)) {
      pause();
      note.textContent = "The loss is no number any more: the learning rate is too high. Begin anew with a lower one.";
    }
  }

  async function begin() {
    pause();
    const answer = await engine.call("beginLearning", ++seed);
    await engine.call("chooseOptimizer", optimizer.selectedIndex);
    for (const list of [losses, right, tested]) list.length = 0;
    steps = 0;
    accuracy.textContent = "–";
    note.textContent = "A new network, with other random filters.";
    show(0, 0);
    paintFilters(answer.tensors);
    await see();
  }

  async function choose() {
    rate.valueAsNumber = Math.log10(optimizers[optimizer.selectedIndex]!.rate);
    say();
    await engine.call("chooseOptimizer", optimizer.selectedIndex);
  }

  function show(epochs: number, speed: number) {
    const last = tested.at(-1);
    if (last) accuracy.textContent = `${number(100 * last.right, 1)} %`;
    const pairs: [string, string][] = [
      ["steps", steps.toLocaleString("en")], ["epochs", number(epochs, 1)], ["steps a second", speed > 0 ? number(speed, 0) : "–"],
      ["images", `${images[0]} to learn from, ${images[1]} for the test`],
    ];
    figures.replaceChildren(...pairs.map(([name, value]) => html("div", {}, html("dt", {}, name), html("dd", {}, value))));
    plots.loss.replaceChildren(curve("loss", "Loss of each batch", losses, { log: true }));
    plots.right.replaceChildren(curve("right", "Read right: of each batch, and of the test images after each epoch", right, { most: 1, points: tested.map(({ step, right }) => [step, right]) }));
  }

  function paintFilters(all: typeof tensors) {
    shown.conv1.show(...all.conv1);
    shown.conv2.show(...all.conv2);
  }

  async function see() {
    const pixels = pad.pixels();
    const blank = pixels.every((pixel) => pixel === 0);
    const { scores, volumes: seen } = await engine.call("seeDigit", pixels);
    const most = Math.max(...scores);
    const shares = Array.from(scores, (score) => Math.exp(score - most));
    const sum = shares.reduce((a, b) => a + b);
    const best = scores.indexOf(most);
    bars.forEach(({ bar, share, row }, digit) => {
      const part = shares[digit]! / sum;
      bar.style.width = `${100 * part}%`;
      share.textContent = `${number(100 * part, 1)} %`;
      row.classList.toggle("best", digit === best && !blank);
    });
    const said = blank ? "Nothing is drawn yet." : steps === 0 ? `It guesses ${best}: it has not learned yet.` : `It reads ${best}.`;
    if (verdict.textContent !== said) verdict.textContent = said;
    volumes.show(seen);
  }

  async function another() {
    const { pixels, label } = await engine.call("testImage", test++);
    pad.show(pixels);
    truth.selectedIndex = label;
    await see();
  }

  async function teach() {
    const [learned, kept] = await engine.call("teach", pad.pixels(), truth.selectedIndex);
    [images[0], images[1]] = [learned!, kept!];
    note.textContent = `Your ${truth.value} is image ${learned} of those to learn from.`;
  }

  async function download() {
    const bytes = await engine.call("saveWeights");
    const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    html("a", { href: url, download: "digits.safetensors" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  async function upload() {
    const chosen = file.files?.[0];
    file.value = "";
    if (!chosen) return;
    try {
      paintFilters(await engine.call("loadWeights", new Uint8Array(await chosen.arrayBuffer())));
      const found = await engine.call("testAccuracy");
      accuracy.textContent = `${number(100 * found, 1)} %`;
      note.textContent = `The weights of ${chosen.name}.`;
      await see();
    } catch (error) {
      failed(error);
    }
  }

  function failed(error: unknown) {
    pause();
    note.textContent = error instanceof Error ? error.message : String(error);
  }

  await choose();
  show(0, 0);
  paintFilters(tensors);
  await another();
}

/** All filters of a layer on one canvas, and beside it the gradients on them; row by row of the depth. */
function filters(name: string, count: number, depth: number, across: number) {
  const rows = (count / across) * depth;
  const [height, width] = [4 * rows - 1, 4 * across - 1];
  const canvases = ["filters", "gradients"].map((what) => {
    const canvas = html("canvas", { role: "img", "aria-label": `${what} of ${name}` });
    return { canvas, figure: html("figure", { style: `--across: ${width}` }, canvas, html("figcaption", {}, `${name}, ${what}`)) };
  });
  return {
    element: html("div", { class: "pair" }, ...canvases.map(({ figure }) => figure)),
    show(...tensors: Float32Array[] | readonly [Float32Array, Float32Array]) {
      tensors.forEach((values, which) => {
        const picture = new Float32Array(height * width);
        for (let k = 0; k < count; k++) {
          for (let d = 0; d < depth; d++) {
            const [top, left] = [4 * (Math.floor(k / across) * depth + d), 4 * (k % across)];
            for (let tap = 0; tap < 9; tap++) {
              picture[(top + Math.floor(tap / 3)) * width + left + (tap % 3)] = values[(tap * depth + d) * count + k]!;
            }
          }
        }
        paint(canvases[which]!.canvas, picture, [height, width], limit(values));
      });
    },
  };
}
