// The demo: an image, every volume that the network makes of it, and the five best classes.
import "./demo.css";
import { html, number } from "./dom";
import { paintPhoto } from "./draw";
import type { Engine } from "./engine";
import { square } from "./photo";
import { cell, look } from "./state";
import type { Cell, Look } from "./state";
import { Volumes, place } from "./volumes";
import type { Class, Neuron } from "./worker/demo";

const SIZE = 32;
const FIRST = "ship";
const photos = import.meta.glob<string>("../images/*.png", { eager: true, query: "?url", import: "default" });

export async function mount(section: HTMLElement, engine: Engine) {
  const layers = await engine.call("layers");
  const volumes = new Volumes(layers, await engine.call("classNames"), "Activation volumes, a column of slices for each layer. Arrows go from slice to slice, with shift from cell to cell; Enter looks inside.");
  const photo = html("canvas", { role: "img", "aria-label": "the image" });
  const field = html("i", { class: "frame", hidden: true });
  const caption = html("figcaption");
  const readout = html("output", { class: "readout", "aria-live": "polite" });
  const best = html("ol", { class: "best", "aria-label": "The five best classes" });
  const time = html("p", { class: "hint" });
  const alert = html("p", { role: "alert", class: "error" });
  const rest = `${layers.length} layers, ${number(layers.reduce((sum, { parameters }) => sum + parameters, 0))} parameters. Point at a cell to see what it sees; click to look inside.`;

  async function see(rgb: Uint8Array, name: string) {
    const seen = await engine.call("see", rgb);
    look.set({ ...seen, rgb, name });
  }

  look.watch((seen: Look | null) => {
    if (!seen) return;
    paintPhoto(photo, seen.rgb, [SIZE, SIZE]);
    photo.setAttribute("aria-label", `the image: ${seen.name}`);
    caption.textContent = seen.name;
    volumes.show(seen.volumes.slice(1));
    best.replaceChildren(...seen.classes.slice(0, 5).map(bar));
    time.textContent = `Computed in ${number(seen.milliseconds, 1)} ms.`;
  });

  // Of the cells that are pointed at, the last one is looked up.
  let asked: Cell | null = null;
  let busy = false;
  volumes.onpoint = async (pointed) => {
    asked = pointed;
    if (busy) return;
    busy = true;
    while (asked && look.get()) {
      const at: Cell = asked;
      const neuron = await engine.call("neuron", at.volume, at.y, at.x, at.d);
      if (asked !== at) continue;
      frame(at, neuron);
      break;
    }
    busy = false;
    if (!asked) {
      volumes.unframe();
      field.hidden = true;
      readout.textContent = rest;
    }
  };
  function frame(at: Cell, neuron: Neuron) {
    volumes.unframe();
    volumes.frame(at.volume, { top: at.y, left: at.x, height: 1, width: 1 }, at.d);
    for (const { slice } of neuron.terms) volumes.frame(neuron.reads, neuron.window, slice);
    field.hidden = false;
    place(field, neuron.field, [SIZE, SIZE]);
    const [height, width] = layers[at.volume - 1]!.field;
    readout.textContent = `${volumes.name(at)}: ${number(neuron.activation, 3)}. It sees ${width}×${height} pixels of the image.`;
  }
  volumes.onpick = (picked, byKey) => {
    cell.set(picked);
    const neuron = document.getElementById("neuron")!;
    neuron.scrollIntoView();
    if (byKey) neuron.querySelector<HTMLElement>(".map")?.focus({ preventScroll: true });
  };
  readout.textContent = rest;

  const samples = Object.entries(photos).map(([path, url]) => {
    const name = path.replace(/.*\/|\.png/g, "");
    const choose = async () => {
      stop();
      press(button);
      const blob = await (await fetch(url)).blob();
      await see(square(await createImageBitmap(blob, { colorSpaceConversion: "none" }), SIZE), name);
    };
    const button = html("button", { class: "sample", type: "button", "aria-pressed": "false", onclick: guard(choose) },
      html("img", { src: url, alt: name, width: SIZE, height: SIZE }));
    return button;
  });
  const press = (pressed: HTMLElement | null) => {
    alert.textContent = "";
    for (const button of samples) button.setAttribute("aria-pressed", String(button === pressed));
  };

  const file = html("input", {
    type: "file", accept: "image/*", class: "spoken",
    onchange: guard(async () => {
      const [chosen] = file.files ?? [];
      if (!chosen) return;
      stop();
      press(null);
      const bitmap = await createImageBitmap(chosen).catch(() => {
        throw new Error(`${chosen.name} is no image that this browser reads`);
      });
      await see(square(bitmap, SIZE), chosen.name);
    }),
  });

  let stream: MediaStream | null = null;
  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    camera.textContent = "Camera";
    camera.setAttribute("aria-pressed", "false");
  };
  const camera: HTMLButtonElement = html("button", {
    type: "button", "aria-pressed": "false",
    onclick: guard(async () => {
      if (stream) return stop();
      press(null);
      if (!navigator.mediaDevices) throw new Error("this browser gives no camera to a page without https");
      const mine = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).catch((error: Error) => {
        throw new Error(`there is no camera to look through: ${error.message}`);
      });
      stream = mine;
      camera.textContent = "Stop";
      camera.setAttribute("aria-pressed", "true");
      const video = html("video", { muted: true, playsinline: true });
      video.srcObject = mine;
      await video.play();
      while (stream === mine) {
        await see(square(video, SIZE), "the camera");
        await new Promise(requestAnimationFrame);
      }
    }),
  }, "Camera");

  function guard(run: () => Promise<void>) {
    return () => run().catch((error: Error) => void (alert.textContent = error.message));
  }

  section.append(
    html("div", { class: "row choice" },
      html("div", { class: "samples", role: "group", "aria-label": "Images of CIFAR-10's test set" }, ...samples),
      html("label", { class: "button" }, file, "Your image…"), camera),
    alert,
    html("div", { class: "figure" },
      html("figure", {}, html("div", { class: "photo" }, photo, field), caption),
      volumes.element,
      html("div", { class: "answer" }, html("h2", { class: "small" }, "It sees"), best, time)),
    readout,
    html("p", { class: "hint" },
      html("span", { class: "legend", "aria-hidden": "true" }),
      " Blue is below zero, orange above, each volume by its own largest number. The images are the first of each class in CIFAR-10's test set (Krizhevsky 2009), which the network never learned from: it reads 72 % of that set right."),
  );
  samples.find((it) => it.querySelector("img")!.alt === FIRST)?.click();
}

function bar({ name, score, probability }: Class) {
  const percent = `${number(100 * probability, 1)} %`;
  return html("li", { "data-class": name, "data-score": score, "data-probability": probability },
    html("span", { class: "class" }, name),
    html("span", { class: "percent" }, percent),
    html("span", { class: "bar", "aria-hidden": "true" }, html("span", { style: `width: ${100 * probability}%` })),
    html("small", { title: "the score, before softmax" }, `score ${number(score)}`));
}
