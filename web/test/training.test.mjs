import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { longestTask, open } from "./browser.mjs";

const share = async (section) => parseFloat((await section.locator("#train-accuracy").textContent()).replace("–", "0"));

test("digits are learned in the page to 95 %, and the page is never away for long", async (t) => {
  const page = await open(t);
  const section = page.locator("#training");
  await section.getByRole("button", { name: "Train" }).waitFor();
  const begin = Date.now();
  const { longest, count } = await longestTask(page, async () => {
    await section.getByRole("button", { name: "Train" }).click();
    await page.waitForFunction(() => parseFloat(document.querySelector("#train-accuracy").textContent) >= 95, null, { timeout: 120_000 });
    await section.getByRole("button", { name: "Pause" }).click();
  });
  t.diagnostic(`95 % after ${(Date.now() - begin) / 1000} s; the longest of ${count} tasks: ${longest} ms`);
  assert.ok(count > 100, `${count} tasks`);
  assert.ok(longest <= 50, `the page was away for ${longest} ms`);

  // What it has learned reads a digit of the test, is saved, and is loaded into a new network.
  const [download] = await Promise.all([page.waitForEvent("download"), section.getByRole("button", { name: "Save weights" }).click()]);
  const file = readFileSync(await download.path());
  assert.equal(JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE())).toString())["conv1.filters"].dtype, "F32");
  await section.getByRole("button", { name: "Begin anew" }).click();
  await section.getByText("other random filters").waitFor();
  await section.getByLabel("Load weights").setInputFiles(await download.path());
  await section.getByText("The weights of").waitFor();
  assert.ok((await share(section)) >= 95);
  await section.getByLabel("Load weights").setInputFiles({ name: "wrong.safetensors", mimeType: "application/octet-stream", buffer: Buffer.from("wrong") });
  await section.locator(".controls .hint").filter({ hasNotText: "The weights of" }).waitFor();
});

test("one step changes the filters, by the optimizer that was chosen", async (t) => {
  const page = await open(t);
  const section = page.locator("#training");
  await section.getByLabel("Optimizer").selectOption("Adam");
  assert.equal(await section.locator('output[for="train-rate"]').textContent(), "0.0032");
  const picture = () => section.getByRole("img", { name: "filters of conv1" }).evaluate((canvas) => canvas.toDataURL());
  const before = await picture();
  await section.getByRole("button", { name: "One step" }).click();
  await section.getByText("steps1", { exact: false }).first().waitFor();
  assert.notEqual(await picture(), before);
});

test("a digit is drawn, and its volumes with it", async (t) => {
  const page = await open(t);
  const section = page.locator("#training");
  await section.getByRole("button", { name: "Clear" }).click();
  await section.getByText("Nothing is drawn yet.").waitFor();
  const sheet = section.getByRole("img", { name: /Draw a digit/ });
  await sheet.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await sheet.boundingBox();
  await page.mouse.move(x + width / 2, y + 0.15 * height);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y + 0.85 * height, { steps: 8 });
  await page.mouse.up();
  await section.getByText(/It guesses \d/).waitFor();
  const sum = await section.locator(".bars .share").evaluateAll((all) => all.reduce((sum, it) => sum + parseFloat(it.textContent), 0));
  assert.ok(Math.abs(sum - 100) < 1, `the shares are ${sum} %`);
  const ink = await section.getByRole("img", { name: /What the network sees/ }).evaluate((canvas) =>
    canvas.getContext("2d").getImageData(0, 0, 8, 8).data.filter((_, i) => i % 4 === 3).reduce((sum, it) => sum + (it > 0), 0));
  assert.ok(ink >= 8 && ink <= 24, `a line has ${ink} pixels`);
  await section.getByRole("button", { name: "Teach it" }).click();
  await section.getByText(/is image 1439 of those/).waitFor();
});
