import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "./browser.mjs";

test("10, 3, 2, 0 is 4.5, as the compiler says, and each repair of it fits", async (t) => {
  const page = await open(t);
  const section = page.locator("#arrangement");
  for (const [letter, value] of [["W", 10], ["F", 3], ["S", 2], ["P", 0]]) {
    await section.getByLabel(new RegExp(`^${letter} `)).fill(String(value));
  }
  const message = section.locator(".message");
  await message.filter({ hasText: "= 4.5 is not an integer" }).waitFor();
  const told = await message.textContent();
  const repairs = section.locator(".repair");
  const count = await repairs.count();
  assert.ok(count >= 5, told);
  for (let i = 0; i < count; i++) {
    await repairs.nth(i).click();
    await section.getByText("Fits.").waitFor();
    await section.getByRole("button", { name: "10, 3, 2, 0" }).click();
    await message.filter({ hasText: "4.5" }).waitFor();
  }
});

test("sliders and neurons answer to the keyboard, in one dimension and two", async (t) => {
  const page = await open(t);
  const section = page.locator("#arrangement");
  await section.getByRole("button", { name: "5, 3, 2, 1" }).click();
  await section.getByText("(5 − 3 + 2·1)/2 + 1 = 3").waitFor();
  await section.getByLabel(/^S /).press("ArrowLeft");
  await section.getByText("(5 − 3 + 2·1)/1 + 1 = 5").waitFor();
  const picture = section.getByRole("group", { name: /Arrow keys/ });
  assert.equal(await picture.locator(".neuron").count(), 5);
  await picture.press("ArrowRight");
  await section.getByText("Neuron 1 sees 0 to 2").waitFor();
  // The second neuron sees 0, 1, 2 by 1, 0, −1.
  assert.equal(await picture.locator(".neuron.chosen .number").textContent(), "−2");

  await section.getByRole("button", { name: "Two dimensions" }).click();
  await section.getByText("output 3×3").waitFor();
  await picture.press("ArrowDown");
  await section.getByText("Neuron in row 1, column 0 sees rows 2 to 4, columns 0 to 2").waitFor();
  await section.getByLabel(/^W /).fill("8");
  await section.locator(".message").filter({ hasText: "(8 − 3 + 2·0)/2 + 1 = 3.5" }).waitFor();
  assert.ok((await picture.locator(".lost").count()) > 0, "what is left over is marked");
});
