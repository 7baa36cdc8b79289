/** A log to try things on: `node dist-bench/test/bench/write-log.js FILE [messages] [seed]`. */
import { writeLog } from './generate-log.js';

const [file, messages = '200000', seed = '1'] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: write-log.js FILE [messages] [seed]');
await writeLog(file, { messages: Number(messages), seed: Number(seed) });
