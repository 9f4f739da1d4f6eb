// What a screen reader and eyes that see less need, as axe-core judges it: names, roles, order, contrast.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { open, readAll } from "./browser.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

for (const colorScheme of ["light", "dark"]) {
  for (const width of [1280, 360]) {
    test(`axe finds nothing, ${colorScheme}, at ${width} pixels`, async (t) => {
      const page = await open(t, { width, colorScheme });
      await readAll(page);
      // With something wrong, too: a message has colours of its own.
      await page.getByLabel("Declaration", { exact: true }).fill("struct A { input(224x224x3), conv(96, 11x11, stride = 4) }");
      await page.locator(".mistake").waitFor();
      await page.evaluate(axe);
      const { violations, passes } = await page.evaluate(() => window.axe.run(document));
      assert.ok(passes.some(({ id }) => id === "color-contrast"), "contrast was measured");
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`).join("\n  ")}`), []);
    });
  }
}
