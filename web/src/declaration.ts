// A declaration that somebody types, read by the code of the macro. A textarea lies above its own text, which is
// painted behind it with the wrong tokens underlined.
import "./declaration.css";
import { html, near } from "./dom";
import type { Engine } from "./engine";
import type { Declaration, Mistake } from "./wasm/declare/convnet_web_declare";

const EXAMPLES: [string, string][] = [
  ["CS231n's network for CIFAR-10", `convnet! {
    /// CS231n's example network for CIFAR-10.
    pub struct Cifar {
        input(32x32x3),
        conv1: conv(12, 5x5, pad = 2),
        relu,
        max_pool(2x2, stride = 2),
        scores: fc(10),
    }
}`],
  ["AlexNet's first layer, as printed: does not fit", `convnet! {
    pub struct AlexNet {
        input(224x224x3),
        conv1: conv(96, 11x11, stride = 4),
        relu,
        max_pool(3x3, stride = 2),
        scores: fc(1000),
    }
}`],
  ["A residual network", `convnet! {
    pub struct ResNet {
        input(32x32x3),
        stem: [conv(16, 3x3, pad = 1), relu],
        stage1: [residual {
            conv(16, 3x3, pad = 1), batch_norm, relu,
            conv(16, 3x3, pad = 1), batch_norm,
        }, relu] * 2,
        stage2: residual {
            conv(32, 2x2, stride = 2), relu, conv(32, 3x3, pad = 1),
            shortcut { conv(32, 2x2, stride = 2) },
        },
        global_avg_pool,
        scores: fc(10),
    }
}`],
  ["SqueezeNet's fire", `convnet! {
    pub struct Fire {
        input(32x32x3),
        conv(16, 3x3, pad = 1),
        relu,
        fire: [
            conv(8, 1x1),
            relu,
            concat {
                [conv(16, 1x1), relu],
                [conv(16, 3x3, pad = 1), relu],
            },
        ] * 2,
        global_avg_pool,
        scores: fc(10),
    }
}`],
  ["Words of another library", `convnet! {
    pub struct Mine {
        input(3x32x32),
        Conv2D(12, kernel_size = 5, padding = 2),
        relu,
        dense(10),
    }
}`],
];

export async function mount(section: HTMLElement, engine: Engine) {
  const behind = html("pre", { class: "behind", "aria-hidden": "true" });
  const text = html("textarea", {
    id: "declaration-text", spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off", rows: 16,
    "aria-describedby": "declaration-said", oninput: read, onscroll: follow,
  });
  text.value = EXAMPLES[0]![1];
  const example = html("select", {
    id: "declaration-example",
    onchange: () => {
      text.value = EXAMPLES[example.selectedIndex]![1];
      read();
    },
  }, ...EXAMPLES.map(([name]) => html("option", {}, name)));
  const said = html("div", { class: "said", id: "declaration-said", role: "status" });
  const drawn = html("div", { class: "drawn" });

  section.append(
    html("div", { class: "row" }, html("label", { for: "declaration-example" }, "Example"), example),
    html("div", { class: "declare" },
      html("div", {},
        html("label", { for: "declaration-text", class: "spoken" }, "Declaration"),
        html("div", { class: "editor" }, behind, text),
        said),
      drawn),
  );

  function follow() {
    behind.scrollTo(text.scrollLeft, text.scrollTop);
  }

  let asked = 0;
  async function read() {
    const mine = ++asked;
    underline([]);
    const answer = await engine.call("declare", text.value);
    if (mine !== asked) return;
    underline(answer.mistakes);
    text.setAttribute("aria-invalid", String(answer.mistakes.length > 0));
    said.replaceChildren(...(answer.mistakes.length > 0 ? answer.mistakes.map(told) : [right(answer)]));
    drawn.classList.toggle("old", answer.mistakes.length > 0); // what was right last stays, grey
    if (answer.table !== "") draw(answer);
  }

  function right({ name, table }: Declaration): HTMLElement {
    const rest = table === "" ? " Its table is the compiler's: only that knows the constants and types it names." : "";
    return html("p", { class: "right" }, html("b", { class: "fits" }, `${name} compiles.`), rest);
  }

  /** As rustc prints it; a click leads to the tokens. */
  function told(mistake: Mistake): HTMLElement {
    const [from, to] = mistake.range as [number, number];
    const line = text.value.split("\n")[mistake.line - 1] ?? "";
    const gutter = String(mistake.line).replace(/./g, " ");
    const indent = line.slice(0, mistake.column - 1).replace(/[^\t]/g, " ");
    const carets = "^".repeat(Math.max(1, Math.min(to - from, line.length - mistake.column + 1)));
    const [first, ...more] = mistake.message.split("\n");
    const select = () => {
      text.focus();
      text.setSelectionRange(from, to);
    };
    return html("div", { class: "mistake" },
      html("p", { class: "text" }, html("b", { class: "misfit" }, "error"), html("b", {}, `: ${first}`), ...more.map((it) => html("span", {}, it))),
      html("pre", {},
        ` ${gutter}--> `, html("button", { class: "place", onclick: select }, `line ${mistake.line}:${mistake.column}`),
        `\n ${gutter} |\n ${mistake.line} | ${line}\n ${gutter} | ${indent}`, html("b", { class: "misfit" }, carets)));
  }

  function underline(mistakes: Mistake[]) {
    const parts: (string | Node)[] = [];
    let last = 0;
    for (const { range } of [...mistakes].sort((a, b) => a.range[0]! - b.range[0]!)) {
      const [from, to] = [Math.max(last, range[0]!), Math.max(last, range[1]!, range[0]! + 1)];
      parts.push(text.value.slice(last, from), html("mark", {}, text.value.slice(from, to)));
      last = to;
    }
    // A last line that is empty has no height without a character.
    behind.replaceChildren(...parts, `${text.value.slice(last)}\n`);
    follow();
  }

  function draw({ name, table, graph, solids }: Declaration) {
    const scroll = (it: Node) => html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Table of ${name}` }, it);
    const drawing = (title: string, inner: string) => {
      const at = html("div");
      at.innerHTML = inner; // the library's own SVG, in which it has escaped every name
      return [html("h3", {}, title), at];
    };
    drawn.replaceChildren(
      html("h3", {}, "The table"), scroll(html("pre", { class: "table" }, table)),
      ...drawing("Its volumes", solids), ...drawing("Its graph", graph));
  }

  await near(section);
  if (asked === 0) await read();
}
