// Compiles the library three times, with vectors whose multiply-adds are fused where the processor can (relaxed), with
// vectors (simd128) and without (plain), and once what plans and reads declarations (declare); the JavaScript that calls
// them is written into src/wasm, a folder each.
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";

const target = "wasm32-unknown-unknown";
const run = (command, args, env = {}) =>
  execFileSync(command, args, { cwd: "wasm", stdio: "inherit", env: { ...process.env, ...env } });

const modules = [
  ["relaxed", "convnet-web", "-C target-feature=+simd128,+relaxed-simd", "release", "-O2"],
  ["simd128", "convnet-web", "-C target-feature=+simd128", "release", "-O2"],
  ["plain", "convnet-web", "", "release", "-O2"],
  ["declare", "convnet-web-declare", "", "small", "-Os"],
];
for (const [name, crate, flags, profile, level] of modules) {
  const file = crate.replaceAll("-", "_");
  const folder = `../src/wasm/${name}`;
  run("cargo", ["build", "--profile", profile, "-p", crate, "--lib", "--target", target, "--target-dir", "target"], { RUSTFLAGS: flags });
  rmSync(`wasm/${folder}`, { recursive: true, force: true });
  const module = `target/${target}/${profile}/${file}.wasm`;
  run("cargo", ["run", "--quiet", "--release", "-p", "bind", "--target-dir", "target", "--", module, folder]);
  const wasm = `src/wasm/${name}/${file}_bg.wasm`;
  const features = { relaxed: ["--enable-simd", "--enable-relaxed-simd"], simd128: ["--enable-simd"] }[name] ?? [];
  const common = ["--enable-bulk-memory", "--enable-nontrapping-float-to-int", "--enable-sign-ext",
    "--enable-mutable-globals", "--enable-reference-types", "--enable-multivalue"];
  execFileSync("npx", ["wasm-opt", level, ...common, ...features, wasm, "-o", `${wasm}.small`], { stdio: "inherit" });
  renameSync(`${wasm}.small`, wasm);
  const bytes = readFileSync(wasm);
  console.log(`${wasm}: ${kilobytes(bytes)}, gzipped ${kilobytes(gzipSync(bytes, { level: 9 }))}`);
}

function kilobytes(bytes) {
  return `${(bytes.length / 1000).toFixed(1)} KB`;
}
