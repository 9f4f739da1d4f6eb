// The page, as it was built, in Debian's Chromium.
import { chromium } from "playwright-core";
import { preview } from "vite";

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
/** A moving picture in its place, and nobody is asked. */
const CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** Opens it. What goes wrong in it unseen, an exception or a message of the console, fails the test. */
export async function open(t, { width = 1280, height = 900, colorScheme = "light", path = "", camera = false } = {}) {
  const server = await preview({ preview: { port: 0, open: false }, logLevel: "error" });
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: [...QUIET, ...(camera ? CAMERA : [])] });
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

/** Scrolls through the page until all that it loads late is there. */
export async function readAll(page) {
  await page.locator("#neuron .term").first().waitFor();
  await page.getByRole("heading", { name: "Spatial arrangement" }).scrollIntoViewIfNeeded();
  await page.getByText("= 4.5 is not an integer").waitFor();
  await page.getByRole("button", { name: "Train" }).scrollIntoViewIfNeeded();
  await page.getByLabel("Declaration", { exact: true }).scrollIntoViewIfNeeded();
  await page.getByText("Cifar compiles.").waitFor();
}

/** How long the page's own thread computed without a pause while `run` went on, and how many tasks it had: milliseconds
 * of the processor, which do not count what else this machine did meanwhile. */
export async function longestTask(page, run) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
  await run();
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const own = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const tasks = traceEvents.filter(({ name, pid, tid }) =>
    name.endsWith("RunTask") && own.some((thread) => thread.pid === pid && thread.tid === tid));
  const longest = tasks.reduce((most, { tdur }) => Math.max(most, (tdur ?? 0) / 1000), 0);
  return { longest, count: tasks.length };
}
