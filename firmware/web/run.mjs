// node run.mjs PROGRAM.wasm FOLDER: whether each result is the one that is expected there, to the bit.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [file, folder] = process.argv.slice(2);
const program = readFileSync(file);
const { instance } = await WebAssembly.instantiate(program, {});
const { run, result } = instance.exports;

["digits", "digits8", "net0_8"].forEach((name, which) => {
  const lines = readFileSync(join(folder, `${name}.out`)).toString().trim().split("\n");
  const same = (line, i) => Object.is(Math.fround(Number(line)), result(i));
  const right = run(which) === lines.length && lines.every(same);
  const verdict = right ? "as expected" : "NOT as expected";
  console.log(`${name.padEnd(8)} wasm       in node, all in ${program.length} bytes, ${verdict}`);
  if (!right) process.exitCode = 1;
});
