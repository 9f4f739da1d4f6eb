import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "./browser.mjs";

test("a declaration is read as it is typed: the table, or rustc's message at its token", async (t) => {
  const page = await open(t);
  const section = page.locator("#declaration");
  const text = section.getByLabel("Declaration", { exact: true });
  await text.scrollIntoViewIfNeeded();
  await section.getByText("Cifar compiles.").waitFor();
  assert.match(await section.locator(".table").textContent(), /conv1\s+conv 12 of 5x5, pad 2\s+32x32x12/);
  assert.ok((await section.locator(".drawn svg").count()) >= 2, "the graph and the volumes are drawn");

  await text.fill("pub struct AlexNet {\n    input(224x224x3),\n    conv1: conv(96, 11x11, stride = 4),\n    fc(10),\n}");
  const mistake = section.locator(".mistake");
  await mistake.filter({ hasText: "(224 − 11 + 2·0)/4 + 1 = 54.25 is not an integer" }).waitFor();
  assert.match(await mistake.textContent(), /an input of 223 or 227, or a filter of 8 or 12, or a stride of 1 or 3, or pad = \(1, 2\), would fit/);
  assert.equal(await section.locator("mark").textContent(), "11x11");
  assert.equal(await text.getAttribute("aria-invalid"), "true");
  await mistake.getByRole("button", { name: "line 3:21" }).click();
  assert.equal(await text.evaluate((it) => it.value.slice(it.selectionStart, it.selectionEnd)), "11x11");

  await text.fill((await text.inputValue()).replace("stride = 4", "stride = 3"));
  await section.getByText("AlexNet compiles.").waitFor();
  assert.equal(await section.locator("mark").count(), 0);
});

test("every example is what its name says", async (t) => {
  const page = await open(t);
  const section = page.locator("#declaration");
  const examples = section.getByLabel("Example");
  for (const name of await examples.locator("option").allTextContents()) {
    await examples.selectOption(name);
    const wrong = /does not fit|another library/.test(name);
    await section.locator(wrong ? ".mistake" : ".right").first().waitFor();
    assert.equal(await section.locator(".mistake").count() > 0, wrong, name);
  }
});
