import { identitiesOfUser } from '../identity/identities.js';
import { decodeWamid } from '../identity/wamid.js';
import { readJson, type JsonValue } from '../model/json.js';
import { nodesOf } from './identity-evidence.js';

/** Whether a name is one of some people's. */
interface Names {
  has: (name: string) => boolean;
}

/** The fields of items for sender and recipient, of Meta and of WhatsApp Web. */
const PERSON_KEY =
  /^(?:from|to|id|wa_id|jid|author|phone|phone_number|phoneNumber|pn|lid|user|destination|_serialized|\w*(?:user_id|[jJ]id|[pP]articipant|recipient|sender)\w*)$/;

/** An address of one person, in whatever field: members of groups and calls, and who has read a message, stand in many. */
const ADDRESS = /^[\w.:+-]{5,80}@(?:s\.whatsapp\.net|c\.us|lid|hosted(?:\.lid)?)(?:_[\w.:@-]{0,120})?$/;

/** What people write: whom they quote, mention, or send the card of is not whom an item is from. */
const WRITTEN_KEY =
  /^(?:context|contextInfo|quoted\w*|replyTo|\w*[mM]ention\w*|phones|v[cC]ards?|conversation|caption|text|body)$/;

/** What a person is called, beside one of their names. */
const CALLED_KEY =
  /^(?:name|notify|username|(?:push|full|first|last|short|display|formatted)_?name|verified\w*name)$/i;

/** What stands where a person was named. */
export const ERASED = '[erased]';

/** As deep as people are looked for in a body. */
export const DEEPEST = 60;

/** Whether an item without its own fact names one of these people: in its person fields, not in its text. */
export function itemNames(item: JsonValue | undefined, names: Names, depth = 6): boolean {
  if (typeof item !== 'object' || item === null || depth === 0) return false;
  return Object.entries(item).some(([key, value]) => {
    if (isWritten(key, value)) return false;
    if (isAddressOf(key, names)) return true;
    return typeof value === 'string' ? isNamed(key, value, names) : itemNames(value, names, depth - 1);
  });
}

/**
 * A value without these people, where a program names them: in its fields, in lists, as keys. What people write stays. `drop`: the
 * elements of lists that name them go as a whole; else a word takes the place of each name. The value itself if it names none of them.
 */
export function withoutNames(value: JsonValue, names: Names, how: 'drop' | 'replace', depth = 0): JsonValue {
  if (typeof value === 'string') return value.length > 1 ? textWithout(value, names, how, depth) : value;
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return value;
  if (Array.isArray(value)) {
    const kept = how === 'drop' ? value.filter((element) => !isAddressed(element, names)) : value;
    const left = kept.map((element) =>
      typeof element === 'string' && isAddressOf(element, names)
        ? ERASED
        : withoutNames(element, names, how, depth + 1),
    );
    return left.length === value.length && left.every((element, at) => element === value[at]) ? value : left;
  }
  const isTheirs = isAddressed(value, names);
  let isChanged = false;
  const left: { [key: string]: JsonValue } = {};
  for (const [key, member] of Object.entries(value)) {
    const to = memberWithout(key, member, isTheirs);
    const as = isAddressOf(key, names) ? ERASED : key;
    if (to !== member || as !== key) isChanged = true;
    left[as] = to;
  }
  return isChanged ? left : value;

  function memberWithout(key: string, member: JsonValue, theirs: boolean): JsonValue {
    if (isWritten(key, member)) return member;
    if (typeof member !== 'string') return withoutNames(member, names, how, depth + 1);
    if (isNamed(key, member, names) || (theirs && CALLED_KEY.test(key))) return ERASED;
    return withoutNames(member, names, how, depth + 1);
  }
}

/** A text of a wrapper may be JSON itself. */
function textWithout(text: string, names: Names, how: 'drop' | 'replace', depth: number): JsonValue {
  if (depth > DEEPEST || !/^\s*[[{"]/.test(text)) return text;
  try {
    const inner = readJson(text);
    const left = withoutNames(inner, names, how, depth + 1);
    return left === inner ? text : JSON.stringify(left);
  } catch {
    return text;
  }
}

/** Whether a value is one of their names, or says that it is about one of them. */
function isAddressed(value: JsonValue, names: Names): boolean {
  if (typeof value === 'string') return isAddressOf(value, names);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).some(
    ([key, member]) =>
      (typeof member === 'string' && !isWritten(key, member) && isNamed(key, member, names)) ||
      (key === 'key' && isAddressed(member, names)),
  );
}

/** A wrapper calls the body that it holds `body` or `text` as well; that one is JSON. */
function isWritten(key: string, value: JsonValue | undefined): boolean {
  if (!WRITTEN_KEY.test(key)) return false;
  return key !== 'body' && key !== 'text' ? true : typeof value === 'string' && !/^\s*[[{"]/.test(value);
}

function isNamed(key: string, value: string, names: Names): boolean {
  return PERSON_KEY.test(key) ? isNameOf(value, names) : isAddressOf(value, names);
}

function isAddressOf(value: string, names: Names): boolean {
  return value.length > 6 && ADDRESS.test(value.replace(/^(?:true|false)_/, '')) && isNameOf(value, names);
}

/** A name, an id of WhatsApp's clients (`true_NAME_ID_NAME`), or the id of a message in the person's chat. */
function isNameOf(value: string, names: Names): boolean {
  const phone = value.startsWith('wamid.') ? decodeWamid(value)?.phone : undefined;
  if (phone !== undefined) return names.has(phone);
  return value
    .split('_')
    .some((part) => nodesOf(identitiesOfUser(part)).some((node) => names.has(node.value)));
}
