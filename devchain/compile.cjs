// Compiles Solidity: the compiler's standard JSON input on stdin, its output on stdout.
"use strict";

const { readFileSync } = require("node:fs");
const solc = require("solc");

process.stdout.write(solc.compile(readFileSync(0, "utf8")));
