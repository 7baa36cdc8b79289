#!/usr/bin/env node
import { main } from '../src/cli/main.js';
import { processIo } from '../src/cli/process-io.js';

process.exitCode = await main(process.argv.slice(2), processIo());
// All output has left. A database that failed to start may have left a timer behind, which would keep us here for ever.
setTimeout(() => process.exit(), 500).unref();
