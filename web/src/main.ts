// The page: each section is a module that fills its own <section> with what moves. Its words stand in index.html.
import "./style.css";
import { mount as arrangement } from "./arrangement";
import { mount as declaration } from "./declaration";
import { mount as demo } from "./demo";
import { html } from "./dom";
import { Engine } from "./engine";
import { mount as neuron } from "./neuron";
import { mount as training } from "./training";

type Mount = (section: HTMLElement, engine: Engine) => Promise<void>;

/** By the id of their <section>. */
const SECTIONS: Record<string, Mount> = { demo, neuron, arrangement, training, declaration };

const engine = new Engine();
// One after the other, so that each finds those above it as large as they are.
(async () => {
  for (const [id, mount] of Object.entries(SECTIONS)) {
    const section = document.getElementById(id)!;
    await mount(section, engine).catch((error: Error) => {
      section.append(html("p", { role: "alert", class: "error" }, error.message));
    });
  }
})();

engine.call("vectors").then((vectors) => {
  document.getElementById("vectors")!.textContent = vectors ? `with vectors, ${vectors}` : "without vectors";
});
