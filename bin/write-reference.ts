#!/usr/bin/env node
import { readFileSync, writeFileSync } from 'node:fs';
import { updateReference } from '../src/cli/reference.js';

writeFileSync('README.md', updateReference(readFileSync('README.md', 'utf8')));
