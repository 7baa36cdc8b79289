import type { Unrecognized } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { isTelegramExport } from '../exports/decode-export.js';
import { pathOfKey } from '../item-at.js';
import { asObject, cleanText, cutText, excerptOf } from '../read.js';
import { recognizeBody, type Found, type ReadBody, type Scope } from './bodies.js';
import { isIdle, NO_WEBHOOK } from './idle-wrappers.js';
import { isChatter, objectOfPairs, pointerIn, reasonOfAbsence, wrapperName } from './known-wrappers.js';
import type { Allowance } from './allowance.js';
import { openText, type OpenedValue } from './open-text.js';
import { hasMark } from './outer-values.js';
import { receivedAtOf, timeOfTuple, withRowTime } from './row-time.js';
import { dropCopies } from './same-body.js';
import { Signatures } from './signatures.js';
import { SignedTexts } from './signed-texts.js';
import { FILTERED, isOfRails, withoutFiltered } from './rails-filter.js';
import { joinParts } from './split-entries.js';
import { stepsOf, type Trail } from './trail.js';
import { reveal } from './values.js';
import {
  childrenOf,
  fieldNamedBy,
  isMessageLike,
  isPersonsText,
  isWayToText,
  isPrintedLine,
  mayHold,
} from './wrappers.js';

/** A webhook's body in an entry, and what the wrappers around it say. */
export interface FoundBody {
  value: JsonObject;
  path: string;
  read: ReadBody;
  scope: Scope;
  /** The time of the innermost wrapper that has one. */
  rowTime: number | undefined;
  trail: Trail | undefined;
}

/** Where the search is. */
interface Place {
  scope: Scope;
  rowTime: number | undefined;
  trail: Trail | undefined;
  depth: number;
  /** Whether all keys on the way usually hold bodies: then anything else there is worth reporting. */
  isExpected: boolean;
  /** Whether it is in a message of an unknown form; there, `text` and `content` are a person's. */
  isInMessage: boolean;
  /** Whether it is a person's text in that kind of message: its texts are never opened. */
  isPersons: boolean;
  /** Why it can only be shown. */
  unread?: OpenedValue['unread'];
}

/** A value that is no webhook, with the reason. Reported only if nothing around it is one. */
export interface Miss {
  path: string;
  reason: string;
  value: JsonValue;
}

/** Keys come from anyone, and a path is kept with the entry. */
const LONGEST_PATH = 1000;

/** An execution of n8n has 13 levels above its body, and can be a text in a row in a line of a log. */
const DEEPEST_WRAPPER = 40;

/**
 * Finds the webhooks in the values of an entry's text, in any wrapping, and keeps them until they are read (rule E1).
 */
export class Search {
  readonly bodies: FoundBody[] = [];
  /** What is no webhook among webhooks, and what a log system took out of one. */
  readonly strange: Unrecognized[] = [];
  /** Whether the entry has the word that Rails writes in place of a parameter. */
  #mayBeFiltered = false;
  /** Parts of a flattened value can occur many times; each is looked through once. */
  #seen: Map<object, Miss | undefined> | undefined;

  constructor(private readonly allowance: Allowance) {}

  /** Returns undefined when there was at least one, else why there was none. */
  start(text: string, opened: OpenedValue[], scope: Scope): Miss | undefined {
    this.#mayBeFiltered = text.includes(FILTERED);
    const place: Place = {
      scope,
      rowTime: undefined,
      trail: undefined,
      depth: 0,
      isExpected: true,
      isInMessage: false,
      isPersons: false,
    };
    const miss = this.#visitOpened(text, opened, '$', place);
    if (miss?.reason !== 'unknown_shape' || miss.path !== '$') return miss;
    const object = asObject(miss.value);
    const name = object === undefined ? undefined : wrapperName(object);
    return name === undefined ? miss : { ...miss, reason: `unknown_shape:${name}` };
  }

  /** Decodes the bodies that were found. */
  read(found: Found): void {
    const signatures = new SignedTexts(this.bodies, new Signatures(this.bodies, this.allowance));
    for (const body of this.bodies) {
      if (signatures.isCopy(body)) continue;
      const { path, read, scope, rowTime, trail } = body;
      const before = found.sections.length;
      read(scope, found);
      const via = stepsOf(trail);
      const signature = signatures.of(body);
      const signedAt = signature === undefined ? undefined : cutText(cleanText(path), LONGEST_PATH);
      if (via.length > 0 || signedAt !== undefined) {
        for (let i = before; i < found.sections.length; i++) {
          const section = found.sections[i];
          if (section === undefined) continue;
          if (via.length > 0) section.via = via;
          if (signedAt !== undefined) section.signedAt = signedAt;
        }
      }
      found.receivedAt ??= rowTime;
      if (this.bodies.length > 1 && (rowTime === undefined || rowTime !== found.receivedAt))
        found.hasOtherTimes = true;
      if (signature === undefined || signedAt === undefined) found.unsigned++;
      else found.signatures.push({ path: signedAt, ...signature });
    }
    for (const part of this.strange) found.unrecognized.push(part);
  }

  #visit(value: JsonValue, path: string, place: Place): Miss | undefined {
    if (place.unread !== undefined) return { path, reason: place.unread, value };
    if (place.depth > DEEPEST_WRAPPER) return { path, reason: 'nested_too_deep', value };
    if (typeof value === 'string') return this.#visitText(value, path, place);
    if (typeof value !== 'object' || value === null) return { path, reason: 'not_an_object', value };
    if (this.#seen === undefined) return this.#visitContainer(value, path, place);
    if (this.#seen.has(value)) return this.#seen.get(value);
    const miss = this.#visitContainer(value, path, place);
    this.#seen.set(value, miss);
    return miss;
  }

  #visitContainer(value: JsonObject | JsonValue[], path: string, place: Place): Miss | undefined {
    if (!Array.isArray(value)) {
      const graphApi = graphApiShape(value);
      if (graphApi !== undefined) return { path, reason: graphApi, value };
      const pointer = pointerIn(value);
      if (pointer !== undefined) return { path, reason: 'in_s3', value: pointer };
      if (this.#addBody(value, path, place)) return undefined;
    }
    const parts = joinParts(Array.isArray(value) ? value : [value]);
    if (parts?.kind === 'missing') return { path, reason: `missing_part:${parts.parts}`, value };
    const hidden = reveal(value, this.allowance);
    if (hidden !== undefined) {
      if (hidden.step === 'flatted') this.#seen ??= new Map();
      const trail: Trail = { kind: 'notation', step: hidden.step, outer: place.trail };
      return this.#visit(hidden.value, path, { ...place, trail, depth: place.depth + 1 });
    }
    return Array.isArray(value)
      ? this.#visitArray(value, path, place)
      : this.#visitObject(value, path, place);
  }

  /** Keeps `object` if it is a body. */
  #addBody(object: JsonObject, path: string, { scope, rowTime, trail }: Place): boolean {
    const filtered = this.#mayBeFiltered && isOfRails(trail) ? withoutFiltered(object, path) : undefined;
    const value = filtered?.value ?? object;
    const read = recognizeBody(value, path);
    if (read === undefined) return false;
    this.bodies.push({ value, path, read, scope, rowTime, trail });
    const [first] = filtered?.paths ?? [];
    if (first !== undefined) this.strange.push({ path: first, reason: 'filtered', excerpt: '' });
    return true;
  }

  #visitText(text: string, path: string, place: Place): Miss | undefined {
    if (place.isPersons) return { path, reason: hasMark(text) ? 'inside_text' : 'no_json', value: text };
    const opened = openText(text, this.allowance);
    if (!Array.isArray(opened)) return { path, reason: opened.reason, value: text };
    return this.#visitOpened(text, opened, path, { ...place, depth: place.depth + 1 });
  }

  #visitOpened(text: string, opened: OpenedValue[], path: string, place: Place): Miss | undefined {
    const placeOf = (each: OpenedValue): Place => {
      const trail: Trail = { kind: 'text', text, opened: each, outer: place.trail };
      // The clock of the line's writer is better than a time quoted in the line.
      const { depth, isExpected, isInMessage, isPersons } = place;
      const isTimed = place.rowTime !== undefined || each.at === undefined;
      const scope = isTimed ? place.scope : withRowTime(place.scope, each.at);
      // Member by member: for each row of a log, a spread takes as long as the rest of the search.
      return {
        scope,
        rowTime: isTimed ? place.rowTime : each.at,
        trail,
        depth,
        isExpected,
        isInMessage,
        isPersons,
        unread: each.unread,
      };
    };
    const [only, ...more] = opened;
    if (only === undefined) return { path, reason: 'no_json', value: text };
    if (more.length === 0) return this.#visit(only.value, path, placeOf(only));
    return this.#visitList(
      opened.map(({ value }) => value),
      path,
      opened.map((each) => ({ ...placeOf(each), depth: place.depth + 1, isExpected: false })),
      opened.some((each) => each.place !== undefined) ? opened.map((each) => each.place) : undefined,
    );
  }

  #visitArray(list: JsonValue[], path: string, place: Place): Miss | undefined {
    if (list.length === 0) return { path, reason: 'empty', value: list };
    const pairs = objectOfPairs(list);
    const time = pairs === undefined ? timeOfTuple(list) : receivedAtOf(pairs, place.rowTime !== undefined);
    const inside: Place = {
      ...place,
      scope: withRowTime(place.scope, time),
      rowTime: time ?? place.rowTime,
      trail: { kind: 'array', list, outer: place.trail },
      depth: place.depth + 1,
    };
    const miss = this.#visitList(list, path, [inside]);
    const absence = miss === undefined || pairs === undefined ? undefined : reasonOfAbsence(pairs);
    return absence !== undefined && miss !== undefined && (isVague(miss) || isNoWebhook(miss))
      ? { path, reason: absence, value: list }
      : miss;
  }

  /**
   * Every element counts, but a list without a single webhook is one miss, not one per element; what a program prints between
   * its webhooks (CloudWatch's `START RequestId`) is no miss. `places`: of each element, or one of all. `parts`: of one line, which
   * can hold a body twice: those of one part are not compared.
   */
  #visitList(
    list: JsonValue[],
    path: string,
    places: Place[],
    parts?: readonly (string | undefined)[],
  ): Miss | undefined {
    const misses: Miss[] = [];
    const first = this.bodies.length;
    const groups = new Map<string | undefined, FoundBody[]>();
    for (const [i, element] of list.entries()) {
      const place = places[i] ?? places[0];
      if (place === undefined) break;
      const before = this.bodies.length;
      const isProse = typeof element === 'string' && place.unread === undefined && !mayHold(element);
      const miss = isProse
        ? { path: `${path}[${i}]`, reason: 'no_json', value: element }
        : this.#visit(element, `${path}[${i}]`, place);
      if (miss !== undefined) misses.push(miss);
      if (parts === undefined) continue;
      const group = groups.get(parts[i]) ?? [];
      for (const body of this.bodies.slice(before)) group.push(body);
      groups.set(parts[i], group);
    }
    if (groups.size > 1) this.#keep(first, dropCopies([...groups.values()]));
    if (misses.length === list.length) {
      const loud = misses.filter((miss) => !isQuiet(miss, false));
      return loud.find((miss) => !isVague(miss)) ?? loud[0] ?? misses.find(isNoWebhook) ?? misses[0];
    }
    // A list that has plain words beside a webhook is a row, not a list of entries.
    const isRow = misses.some((miss) => typeof miss.value === 'string' && miss.reason === 'no_json');
    const isExpected = places.every((place) => place.isExpected);
    for (const miss of misses) {
      const isWorthAWord = isExpected
        ? !isQuiet(miss, isRow)
        : isTelling(miss) || mentionsWebhook(miss.value);
      if (isWorthAWord) this.strange.push(unrecognizedOf(miss));
    }
    return undefined;
  }

  /** Looks through a row, a request or a queue's record, under whatever key it has its body. */
  #visitObject(wrapper: JsonObject, path: string, place: Place): Miss | undefined {
    const time = receivedAtOf(wrapper, place.rowTime !== undefined);
    const { options, timeIsGiven } = withRowTime(place.scope, time);
    const scope: Scope = { options, timeIsGiven, field: fieldNamedBy(wrapper) ?? place.scope.field };
    /** Where the bodies of each child begin. */
    const starts: number[] = [];
    let best: Miss | undefined;
    let isFound = false;
    const children = childrenOf(wrapper);
    const name = place.isInMessage ? wrapperName(wrapper) : undefined;
    const isInMessage = (place.isInMessage && name === undefined) || isMessageLike(wrapper);
    const vendor = children.every((child) => child.isUsual) ? undefined : vendorShape(wrapper);
    for (const { key, value, isUsual } of children) {
      // In a vendor's own form any other text is what a person wrote.
      if (vendor !== undefined && !isUsual) continue;
      const before = this.bodies.length;
      const miss = this.#visit(value, path + pathOfKey(key), {
        scope,
        rowTime: time ?? place.rowTime,
        trail: { kind: 'object', object: wrapper, key, outer: place.trail },
        depth: place.depth + 1,
        isExpected: place.isExpected && isUsual,
        isInMessage,
        isPersons: place.isPersons || isWayToText(key) || (isInMessage && isPersonsText(key, wrapper)),
      });
      if (this.bodies.length > before) starts.push(before);
      if (miss === undefined) isFound = true;
      if (miss === undefined) continue;
      const isWrapped = (): boolean => children.length === 1 || wrapperName(wrapper) !== undefined;
      if (!isUsual && !isTelling(miss) && !(isNoWebhook(miss) && isWrapped())) continue;
      const isWorse = best !== undefined && (isVague(best) || isNoWebhook(best));
      if (best === undefined || (isWorse && !isVague(miss) && !isNoWebhook(miss))) best = miss;
      else if (isVague(best) && isNoWebhook(miss)) best = miss;
    }
    if (starts.length > 1) this.#dropCopies(starts);
    if (isFound) return undefined;
    const rewritten = vendor ?? vendorShape(wrapper);
    if (rewritten !== undefined) return { path, reason: rewritten, value: wrapper };
    if (best !== undefined && !isVague(best) && !isNoWebhook(best)) return best;
    const absence = reasonOfAbsence(wrapper);
    if (absence !== undefined) return { path, reason: absence, value: wrapper };
    if (isIdle(wrapper)) return { path, reason: NO_WEBHOOK, value: wrapper };
    if (best !== undefined && isNoWebhook(best)) return best;
    const isLine = isPrintedLine(wrapper) && !children.some((child) => child.isUsual);
    return { path, reason: isLine ? 'no_json' : 'unknown_shape', value: wrapper };
  }

  /** Of the bodies of one wrapper, which begin at `starts` for each of its keys, the second copies go. */
  #dropCopies(starts: readonly number[]): void {
    const groups = starts.map((start, i) => this.bodies.slice(start, starts[i + 1]));
    this.#keep(starts[0] ?? 0, dropCopies(groups));
  }

  /** Of the bodies from `first` on, only `kept`. */
  #keep(first: number, kept: readonly FoundBody[]): void {
    const isKept = new Set(kept);
    const all = this.bodies.splice(first);
    for (const body of all) if (isKept.has(body)) this.bodies.push(body);
  }
}

/** Whether a value is understood and holds no webhook. */
export function isNoWebhook({ reason }: Miss): boolean {
  return reason === NO_WEBHOOK;
}

/** Whether a reason is less specific than a vendor's name or invalid JSON. */
function isVague({ reason }: Miss): boolean {
  return VAGUE.has(reason);
}

const VAGUE: ReadonlySet<string> = new Set(['unknown_shape', 'not_an_object', 'empty', 'no_json']);

/** Whether a miss under a key of any name says something about a webhook: there, texts with brackets are all sorts of things. */
function isTelling(miss: Miss): boolean {
  if (isVague(miss) || isNoWebhook(miss)) return false;
  return miss.reason !== 'invalid_json' || (typeof miss.value === 'string' && hasMark(miss.value));
}

/** Whether a miss in a list of entries is no loss. */
function isQuiet({ reason, value }: Miss, isRow: boolean): boolean {
  if (reason === 'no_json' || reason === NO_WEBHOOK) return true;
  if (reason !== 'unknown_shape' && reason !== 'not_an_object') return false;
  const object = asObject(value);
  return object === undefined ? isRow : isChatter(object);
}

/** Whether a value has anything of a webhook in it; looks at no more than some hundred parts. */
function mentionsWebhook(value: JsonValue, budget = { left: 500 }): boolean {
  if (budget.left-- <= 0) return false;
  if (typeof value === 'string') return hasMark(value.slice(0, 4000));
  if (typeof value !== 'object' || value === null) return false;
  for (const [key, each] of Object.entries(value)) {
    if (hasMark(key) || mentionsWebhook(each, budget)) return true;
    if (budget.left <= 0) return false;
  }
  return false;
}

export function unrecognizedOf(miss: Miss): Unrecognized {
  return { path: miss.path, reason: miss.reason, excerpt: excerptOf(miss.value) };
}

/**
 * The vendor whose own shape an unreadable entry has, for vendors that rewrite Meta's body instead of forwarding it.
 * These entries are stored and reported, never guessed: they lack ids, times or directions required by the rules.
 * Checked last, because a row with Meta's own body may have any column beside it.
 */
function vendorShape(value: JsonObject): string | undefined {
  if (isTelegramExport(value)) return 'telegram_json_without_ids';
  if (typeof value.type === 'string' && value.type.startsWith('whatsapp.')) return 'ycloud';
  if (typeof value.SmsMessageSid === 'string' || typeof value.MessageSid === 'string') return 'twilio';
  if (typeof value.whatsappMessageId === 'string' || typeof value.waId === 'string') return 'wati';
  if (typeof value.message_uuid === 'string') return 'vonage';
  const data = asObject(value.data);
  if (typeof data?.event_type === 'string' && typeof data.record_type === 'string') return 'telnyx';
  if (value.service === 'channels' && typeof value.event === 'string') return 'bird';
  return undefined;
}

/**
 * A request to Meta or its response: some logs have both beside the webhooks, and they look like a value with messages.
 * Checked first, because the `messages` of a response were never received.
 */
function graphApiShape(value: JsonObject): string | undefined {
  if (value.messaging_product !== 'whatsapp' || value.metadata !== undefined) return undefined;
  if (typeof value.to === 'string' || typeof value.recipient === 'string') return 'graph_api_request';
  const contact = Array.isArray(value.contacts) ? asObject(value.contacts[0]) : undefined;
  return contact?.input === undefined ? undefined : 'graph_api_response';
}
