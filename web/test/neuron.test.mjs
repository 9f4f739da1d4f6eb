import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "./browser.mjs";

/** What the numbers in the page add up to, and what it says of them. */
async function read(page) {
  const section = page.getByRole("region", { name: "Inside a neuron" });
  const { result, activation } = await section.getByRole("status").evaluate(({ dataset }) => dataset);
  return { section, result: Number(result), activation: Number(activation) };
}

const listed = (label) => label.replace(/^[^:]*: /, "").replaceAll("−", "-").split(", ").map(Number);

test("a neuron that is clicked is the sum of its products", async (t) => {
  const page = await open(t);
  await page.getByRole("img", { name: "the image: ship" }).waitFor();
  for (const [slice, position, terms] of [["conv1, slice 5", { x: 20, y: 30 }, 3], ["conv4, slice 10", { x: 3, y: 3 }, 10], ["scores, ship", { x: 5, y: 5 }, 10]]) {
    await page.getByRole("button", { name: slice, exact: true }).click({ position });
    await page.getByRole("heading", { name: slice }).waitFor();
    const { section, result, activation } = await read(page);
    assert.ok(Math.abs(result - activation) <= 1e-4, `${slice}: ${result} and ${activation}`);
    assert.ok(await section.getByText(`The network wrote ${activation.toFixed(4).replace("-", "−")}.`).isVisible());

    // Added up again from what is to be read in the page, with two digits a number.
    const products = await section.getByRole("img", { name: /^the products/ }).evaluateAll((all) => all.map((it) => it.ariaLabel));
    assert.equal(products.length, terms);
    const bias = listed((await section.getByTitle("the bias").textContent()).replaceAll(" ", ""))[0];
    const sum = products.flatMap(listed).reduce((a, b) => a + b, bias);
    assert.ok(Math.abs(sum - activation) <= 0.005 * (1 + products.flatMap(listed).length), `${slice}: ${sum} and ${activation}`);
  }
});

test("each kind of layer tells how it computes", async (t) => {
  const page = await open(t);
  await page.getByRole("heading", { name: "conv1, slice 1" }).waitFor();
  for (const [layer, words] of [["2", "What is below zero becomes zero"], ["5", "The largest of what it sees"], ["16", "The sum of all products and the bias"]]) {
    await page.getByRole("combobox", { name: "Layer" }).selectOption(layer);
    await page.getByText(words).waitFor();
    const { result, activation } = await read(page);
    assert.ok(Math.abs(result - activation) <= 1e-4, `${layer}: ${result} and ${activation}`);
  }
});

test("the filter slides by a step, by itself and by arrows", async (t) => {
  const page = await open(t);
  await page.getByRole("heading", { name: "conv1, slice 1" }).waitFor();
  const section = page.getByRole("region", { name: "Inside a neuron" });
  const column = section.getByRole("spinbutton", { name: "Column" });
  await column.fill("32");
  await column.press("Tab");
  await section.getByRole("button", { name: "Step" }).click();
  // The fields name the neuron, and the frame on its slice of 32 by 32 has followed.
  const at = (row, column) => page.waitForFunction(([row, column]) => {
    const value = (name) => Number([...document.querySelectorAll("#neuron label")].find((it) => it.textContent.startsWith(name)).querySelector("input").value);
    const frame = document.querySelector("#neuron .map .frame").style;
    const framed = (side) => Math.round((parseFloat(frame[side]) * 32) / 100) + 1;
    return value("Row") === row && value("Column") >= column && framed("top") === row && framed("left") >= column;
  }, [row, column]);
  await at(14, 1);
  await section.getByRole("button", { name: "Play" }).click();
  await at(14, 3);
  await section.getByRole("button", { name: "Pause" }).click();
  await section.getByRole("spinbutton", { name: "Row" }).fill("1");
  await section.getByRole("spinbutton", { name: "Row" }).press("Tab");
  await column.fill("5");
  await column.press("Tab");
  const map = section.getByRole("group", { name: /^The neurons of this slice/ });
  await map.press("ArrowDown");
  await map.press("ArrowLeft");
  await at(2, 4);
});
