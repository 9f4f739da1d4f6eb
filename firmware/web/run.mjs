// node run.mjs PROGRAM.wasm EXPECTED.out: whether each result is the expected one, to the bit.
import { readFileSync } from "node:fs";

const [program, expected] = process.argv.slice(2).map((path) => readFileSync(path));
const { instance } = await WebAssembly.instantiate(program, {});
const { run, result } = instance.exports;

const lines = expected.toString().trim().split("\n");
const same = (line, i) => Object.is(Math.fround(Number(line)), result(i));
const right = run() === lines.length && lines.every(same);
const verdict = right ? "as expected" : "NOT as expected";
console.log(`digits   wasm       in node, ${program.length} bytes, ${verdict}`);
process.exitCode = right ? 0 : 1;
