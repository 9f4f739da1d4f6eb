import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { open } from "./browser.mjs";

test("the page loads, with each kind of vectors and without", async (t) => {
  for (const [path, text] of [["", "with vectors, relaxed-simd"], ["?wasm=simd128", "with vectors, simd128"], ["?wasm=plain", "without vectors"]]) {
    const page = await open(t, { path });
    await page.getByText(text).waitFor();
    assert.equal(await page.locator("main > section").count(), 5);
  }
});

test("what plans is loaded when a section that needs it is near", async (t) => {
  const page = await open(t);
  const modules = new Set();
  page.on("response", (response) => response.url().endsWith(".wasm") && modules.add(response.url()));
  await page.reload();
  await page.getByRole("heading", { name: "conv1, slice 1" }).waitFor();
  assert.equal(modules.size, 1, [...modules].join());
  await page.getByRole("heading", { name: "Spatial arrangement" }).scrollIntoViewIfNeeded();
  await page.getByText("= 4.5 is not an integer").waitFor();
  assert.equal(modules.size, 2, [...modules].join());
});

test("whoever sees the whole page has loaded at most 400 KB of WebAssembly, gzipped", (t) => {
  const modules = readdirSync("dist/assets").filter((file) => file.endsWith(".wasm"));
  assert.equal(modules.length, 4);
  const bytes = (file) => gzipSync(readFileSync(`dist/assets/${file}`), { level: 9 }).length;
  const [declare, ...computing] = modules.sort((a, b) => b.includes("declare") - a.includes("declare"));
  // A browser loads one of those that compute.
  for (const file of computing) {
    const sum = bytes(file) + bytes(declare);
    t.diagnostic(`${file} and ${declare}: ${sum} bytes`);
    assert.ok(sum <= 400_000, `${file} and ${declare} have ${sum}`);
  }
});

test("at 360 pixels nothing sticks out", async (t) => {
  const page = await open(t, { width: 360 });
  await page.getByText("with vectors").waitFor();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
});
