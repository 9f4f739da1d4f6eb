import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { open } from "./browser.mjs";

test("the page loads, with vectors and without", async (t) => {
  for (const [path, text] of [["", "with vectors, simd128"], ["?wasm=plain", "without vectors"]]) {
    const page = await open(t, { path });
    await page.getByText(text).waitFor();
    assert.equal(await page.locator("main > section").count(), 5);
  }
});

test("what reads declarations is loaded when its section is near", async (t) => {
  const page = await open(t);
  const modules = new Set();
  page.on("response", (response) => response.url().endsWith(".wasm") && modules.add(response.url()));
  await page.reload();
  await page.getByRole("heading", { name: "conv1, slice 1" }).waitFor();
  assert.equal(modules.size, 1, [...modules].join());
  await page.getByLabel("Declaration", { exact: true }).scrollIntoViewIfNeeded();
  await page.getByText("Cifar compiles.").waitFor();
  assert.equal(modules.size, 2, [...modules].join());
});

test("each module is at most 400 KB, gzipped", () => {
  const modules = readdirSync("dist/assets").filter((file) => file.endsWith(".wasm"));
  assert.equal(modules.length, 3);
  for (const file of modules) {
    const bytes = gzipSync(readFileSync(`dist/assets/${file}`), { level: 9 }).length;
    assert.ok(bytes <= 400_000, `${file} has ${bytes}`);
  }
});

test("at 360 pixels nothing sticks out", async (t) => {
  const page = await open(t, { width: 360 });
  await page.getByText("with vectors").waitFor();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
});
