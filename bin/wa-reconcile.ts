#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { main } from '../src/cli/main.js';
import { processIo } from '../src/cli/process-io.js';

// The V8 of Node 20 optimizes WebAssembly so early that it optimizes what the start of the embedded database runs once: a third of
// a short command's time. This is the default from Node 22 on; a long replay takes as long as before.
if (process.versions.node.startsWith('20.')) setFlagsFromString('--wasm-tiering-budget=13000000');
process.exitCode = await main(process.argv.slice(2), processIo());
// All output has left. A database that failed to start may have left a timer behind, which would keep us here for ever.
setTimeout(() => process.exit(), 500).unref();
