// Measures the library in Chromium beside ConvNetJS and TensorFlow.js' wasm backend, and prints the table of
// docs/performance.md:
//
//     cd web && npm ci && cd bench && npm ci && npm run bench [-- ROUNDS, 20 [MILLISECONDS a measurement, 60]]
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { createRequire } from "node:module";

const require = createRequire(new URL("../package.json", import.meta.url)); // Vite and Playwright are the page's
const { build, preview } = await import(require.resolve("vite"));
const { chromium } = require("playwright-core");
const [rounds = 20, least = 60] = process.argv.slice(2).map(Number);

const wasm = new URL("../wasm", import.meta.url).pathname;
const target = "wasm32-unknown-unknown";
const cargo = (args, env = {}) => execFileSync("cargo", [...args, "--quiet", "--release", "--target-dir", "target"], { cwd: wasm, stdio: ["ignore", 2, 2], env: { ...process.env, ...env } });
cargo(["build", "-p", "convnet-bench", "--target", target], { RUSTFLAGS: "-C target-feature=+simd128,+relaxed-simd" });
execFileSync("cargo", ["run", "--quiet", "--release", "-p", "bind", "--target-dir", "target", "--", `target/${target}/release/convnet_bench.wasm`, "../bench/bind"], { cwd: wasm, stdio: ["ignore", 2, 2] });

const root = new URL(".", import.meta.url).pathname;
const config = { root, configFile: false, logLevel: "error", build: { target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 4000 } };
await build(config);
const server = await preview({ ...config, preview: { port: 0, open: false } });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage();
page.on("pageerror", (error) => console.error(error));
await page.goto(`http://localhost:${server.httpServer.address().port}/`);
await page.waitForFunction("window.measure");
const found = await page.evaluate(([rounds, least]) => window.measure(rounds, least), [rounds, least]);

const version = (name) => JSON.parse(readFileSync(`${root}node_modules/${name}/package.json`, "utf8")).version;
console.log(`Chromium ${browser.version()}, ${cpus()[0].model}, ${cpus().length} processors, one of them used; the fastest of ${rounds}\n`);
console.log(`| ms | convnet | ConvNetJS ${version("convnetjs")} | tfjs-backend-wasm ${version("@tensorflow/tfjs-backend-wasm")} | times ConvNetJS | times tfjs |\n|---|---|---|---|---|---|`);
for (const [what, name, others = what] of [["forward", "tiny VGG, one image"], ["prepared", "the same, prepared", "forward"], ["step", "LeNet-5, a training step on 32"]]) {
  const { convnet } = found[what];
  const { convnetjs, tfjs } = found[others];
  const ms = ({ fastest }) => fastest.toPrecision(3);
  const times = (other) => (other.fastest / convnet.fastest).toFixed(1);
  console.log(`| ${name} | ${ms(convnet)} | ${ms(convnetjs)} | ${ms(tfjs)} | ${times(convnetjs)} | ${times(tfjs)} |`);
}
console.error(JSON.stringify(found.step));
await browser.close();
server.httpServer.close();
