import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, textOf } from '../read.js';
import { linesOf, lineText, paramsOf, timeText, titleOf } from './wording.js';

/** Deeper answers are not a form filled in by a person. */
const MAX_DEPTH = 4;

/** Values that WhatsApp and the business's program need to find the flow again, not for people. */
const TECHNICAL = /^(?:flow_token|wa_flow_|flow_id$|flow_name$|extension_message_response$)/;

/** Names of the fields that Meta's flow builder makes: `screen_0_Full_name_1`, and the values of its choices: `2_Sim`. */
const BUILT_NAME = /^screen_\d+_(.*?)(?:_\d+)?$/s;
const BUILT_CHOICE = /^\d+_(?=.)/s;

/**
 * The answers of a form (WhatsApp Flows, an address) as lines `Name: Ana`; undefined when there is none. Cloud API and
 * WhatsApp Web send the same JSON text, so both copies of a message have the same body.
 */
export function answersText(params: JsonObject | undefined): string | undefined {
  return params === undefined ? undefined : linesOf(answerLines(params, MAX_DEPTH));
}

function answerLines(answers: JsonObject, depth: number): string[] {
  const lines: string[] = [];
  for (const [key, value] of Object.entries(answers)) {
    if (TECHNICAL.test(key)) continue;
    const built = BUILT_NAME.exec(key);
    const name = titleOf(textOf(built?.[1] ?? '') ?? textOf(key) ?? '');
    const inner = asObject(value);
    if (inner !== undefined && fileName(inner) === undefined) {
      // `{"values": {"city": …}}`: the container of the answers is not a question.
      if (depth > 0) lines.push(...answerLines(inner, depth - 1));
      continue;
    }
    const answer = answerText(value, built !== null, name, depth);
    if (answer !== undefined) lines.push(name === '' ? answer : `${name}: ${answer}`);
  }
  return lines;
}

function answerText(value: JsonValue, isBuilt: boolean, name: string, depth: number): string | undefined {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const list = asArray(value);
  if (list !== undefined) {
    if (depth === 0) return undefined;
    const parts = list.slice(0, 50).map((element) => answerText(element, isBuilt, name, depth - 1));
    const present = parts.filter((part) => part !== undefined);
    return present.length === 0 ? undefined : present.join(', ');
  }
  const file = asObject(value);
  if (file !== undefined) return fileName(file);
  const text = lineText(value);
  if (text === undefined) return undefined;
  // A date picker answers with milliseconds.
  if (/\bdate\b|\bdata\b|picker/i.test(name) && /^\d{13}$/.test(text)) return timeText(text)?.slice(0, 10);
  return isBuilt ? text.replace(BUILT_CHOICE, '') : text;
}

/** Photos and documents uploaded in a form. */
function fileName(answer: JsonObject): string | undefined {
  return lineText(answer.file_name) ?? lineText(answer.filename);
}

/**
 * A person's answer to an interactive message without its own text, by form name. Undefined if the parameters say
 * nothing.
 */
export function replyText(name: string | undefined, reply: JsonObject | undefined): string | undefined {
  // In some programs, `single_select` has the chosen row in another JSON text.
  const params = paramsOf(reply?.response_json) ?? reply;
  if (params === undefined) return undefined;
  if (name !== undefined && name.startsWith('call_permission')) return permissionText(params);
  if (name === 'payment_method') return paymentMethodText(params);
  return answersText(params);
}

/** Whether a reply's answers are worth more than its text, which is always the same (`Sent`). */
export function isForm(name: string | undefined, params: JsonObject | undefined): boolean {
  if (params === undefined) return false;
  if (name !== undefined && (FORMS.has(name) || name.startsWith('call_permission'))) return true;
  return params.flow_token !== undefined || params.wa_flow_response_params !== undefined;
}

const FORMS: ReadonlySet<string> = new Set(['flow', 'galaxy_message', 'address_message', 'payment_method']);

/** `call_permission_reply`: whether the business may call, and until when. */
export function permissionText(reply: JsonObject): string | undefined {
  const response = lineText(reply.response)?.toLowerCase();
  if (response === undefined) return undefined;
  const automatic = reply.response_source === 'automatic' ? ' (given by calling the business)' : '';
  if (response.startsWith('reject')) return 'Call permission rejected';
  if (!response.startsWith('accept')) return `Call permission: ${response}`;
  if (reply.is_permanent === true) return `Call permission accepted permanently${automatic}`;
  const until = timeText(reply.expiration_timestamp);
  return `Call permission accepted${until === undefined ? '' : ` until ${until}`}${automatic}`;
}

/** `payment_method`: how a person chose to pay for an order. */
export function paymentMethodText(chosen: JsonObject): string | undefined {
  const method = lineText(chosen.payment_method);
  const digits = lineText(chosen.last_four_digits);
  const words = method === 'offsite_card_pay' ? 'card' : method;
  const card = digits === undefined ? '' : ` ending in ${digits}`;
  return linesOf([
    words === undefined && card === '' ? undefined : `Payment method: ${words ?? 'card'}${card}`,
    prefixed('Reference', lineText(chosen.reference_id)),
    prefixed('Time', timeText(chosen.payment_timestamp)),
  ]);
}

function prefixed(name: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${name}: ${value}`;
}
