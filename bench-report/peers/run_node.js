// Runs `kernel(n)` of a WebAssembly module with V8, and prints the result in hexadecimal.
const [, , file, n] = process.argv;
const compiled = new WebAssembly.Module(require("fs").readFileSync(file));
const { kernel } = new WebAssembly.Instance(compiled, {}).exports;
console.log((kernel(Number(n)) >>> 0).toString(16).padStart(8, "0"));
