"""Runs `kernel(n)` of a WebAssembly module with wasmtime, and prints the result in hexadecimal."""
import sys
from wasmtime import Instance, Module, Store

store = Store()
kernel = Instance(store, Module.from_file(store.engine, sys.argv[1]), []).exports(store)["kernel"]
print("%08x" % (kernel(store, int(sys.argv[2])) & 0xFFFFFFFF))
