// The page, as it was built, in Debian's Chromium.
import { chromium } from "playwright-core";
import { preview } from "vite";

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

/** Opens it. What goes wrong in it unseen, an exception or a message of the console, fails the test. */
export async function open(t, { width = 1280, height = 900, colorScheme = "light", path = "" } = {}) {
  const server = await preview({ preview: { port: 0, open: false }, logLevel: "error" });
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: QUIET });
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  t.after(async () => {
    await browser.close();
    await new Promise((closed) => server.httpServer.close(closed));
    if (wrong.length > 0) throw new Error(`the page said: ${wrong.join("; ")}`);
  });
  const { port } = server.httpServer.address();
  await page.goto(`http://localhost:${port}/${path}`);
  return page;
}
