import type { JsonObject, JsonValue } from '../../model/json.js';
import type { OpenedValue } from './open-text.js';
import { wrapperName } from './known-wrappers.js';

/** The steps that led to a value, innermost first. */
export type Trail = Layer & { outer: Trail | undefined };

type Layer =
  | { kind: 'object'; object: JsonObject; key: string }
  | { kind: 'array'; list: JsonValue[] }
  | { kind: 'text'; text: string; opened: OpenedValue }
  | { kind: 'notation'; step: string };

/** What stands around a value, outermost first, for people: `docker`, `json_string`, `base64`. */
export function stepsOf(trail: Trail | undefined): string[] {
  const steps: string[] = [];
  addSteps(trail, steps);
  return steps;
}

function addSteps(layer: Trail | undefined, steps: string[]): void {
  if (layer === undefined) return;
  addSteps(layer.outer, steps);
  switch (layer.kind) {
    case 'object':
      add(steps, wrapperName(layer.object) ?? UNNAMED);
      break;
    case 'array':
      break;
    case 'text':
      for (const step of layer.opened.steps) add(steps, step);
      if (layer.opened.steps.length === 0 && isText(layer.outer)) add(steps, 'json_string');
      break;
    case 'notation':
      for (const step of layer.step.split('.')) add(steps, step);
      break;
  }
}

/** Whether a text is inside a value, and is not an entry itself or bytes. */
function isText(outer: Trail | undefined): boolean {
  return outer !== undefined && outer.kind !== 'notation';
}

/** A wrapper inside itself (CloudWatch's events in their list), and objects without a name, count once. */
function add(steps: string[], step: string): void {
  if (steps.at(-1) !== step) steps.push(step);
}

/** An object or row without a name of its own. */
const UNNAMED = 'object';
