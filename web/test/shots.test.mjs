// Pictures of the page at two widths, light and dark, in test/shots: to look at.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { test } from "node:test";
import { open, readAll } from "./browser.mjs";

test("screenshots", async (t) => {
  mkdirSync("test/shots", { recursive: true });
  for (const [width, height] of [[1280, 900], [360, 780]]) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(t, { width, height, colorScheme });
      await page.getByRole("img", { name: "the image: ship" }).waitFor();
      await readAll(page);
      await page.evaluate(() => scrollTo(0, 0));
      for (const [name, fullPage] of [["top", false], ["page", true]]) {
        const picture = await page.screenshot({ path: `test/shots/${name}-${width}-${colorScheme}.png`, fullPage });
        assert.ok(picture.length > 10_000);
      }
    }
  }
});
