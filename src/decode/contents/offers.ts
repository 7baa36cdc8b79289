import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, textOf } from '../read.js';
import { isPaymentFlow, orderLines } from './payments.js';
import { linesOf, lineText, paramsOf, type Wording } from './wording.js';

/** One choice: a row of a list, a button. */
interface Option {
  title: string;
  /** A row's subtitle, or a button's target. */
  detail: string | undefined;
}

/** The text and choices of an interactive message or a template, from either API. */
export interface Offer {
  /** Stands above the text. */
  header: string | undefined;
  text: string | undefined;
  footer: string | undefined;
  /** Further lines: an order's products, the sections of a list and the buttons. */
  lines: string[];
  /** A list's sections stand before the footer. */
  isList?: boolean;
}

/** Most rows of a list that are shown; WhatsApp's own limit is 10, for products 30. */
const MOST_OPTIONS = 100;

/**
 * The header, the text, the footer and one line for each choice, as the person saw them. A message without any of these gets
 * its `label`.
 */
export function offerWording(offer: Offer, label: string | undefined): Wording {
  const { text, footer, lines } = offer;
  const header = offer.header === text ? undefined : offer.header;
  const below = offer.isList === true ? [...lines, footer] : [footer, ...lines];
  const body = linesOf([header, text, ...below]);
  if (body !== undefined || label === undefined) return { body };
  return { body: label, isLabel: true };
}

function optionLine({ title, detail }: Option): string {
  return detail === undefined || detail === title ? `• ${title}` : `• ${title} — ${detail}`;
}

function option(title: JsonValue | undefined, ...details: (JsonValue | undefined)[]): string[] {
  const detail = details.map(lineText).find((text) => text !== undefined);
  const name = lineText(title) ?? detail;
  return name === undefined ? [] : [optionLine({ title: name, detail })];
}

/** `sections: [{title, rows: [{title, description}]}]` of lists, and `product_items` or `products` of a catalog. */
export function sectionLines(sections: JsonValue | undefined): string[] {
  const lines: string[] = [];
  for (const element of (asArray(sections) ?? []).slice(0, MOST_OPTIONS)) {
    const section = asObject(element);
    if (section === undefined) continue;
    const rows = [section.rows, section.product_items, section.products].flatMap(
      (list) => asArray(list) ?? [],
    );
    const title = lineText(section.title);
    if (title !== undefined && rows.length > 0) lines.push(title);
    for (const row of rows.slice(0, MOST_OPTIONS)) lines.push(...rowLine(asObject(row)));
    if (lines.length >= MOST_OPTIONS) break;
  }
  return lines;
}

function rowLine(row: JsonObject | undefined): string[] {
  if (row === undefined) return [];
  const product = row.product_retailer_id ?? row.productId;
  return option(row.title ?? row.header ?? product ?? row.id ?? row.rowId, row.description);
}

/** WhatsApp Web's `buttons: [{buttonId, buttonText: {displayText}}]`. */
export function plainButtonLines(buttons: JsonValue | undefined): string[] {
  return (asArray(buttons) ?? []).slice(0, MOST_OPTIONS).flatMap((element) => {
    const button = asObject(element);
    const flow = asObject(button?.nativeFlowInfo);
    if (flow !== undefined) return nativeFlowLines(flow.name, flow.paramsJson);
    return option(asObject(button?.buttonText)?.displayText ?? button?.buttonId);
  });
}

/** The `buttons` of a template's component on the Cloud API, which say what WhatsApp Web's hydrated ones say. */
export function componentButtonLines(buttons: JsonValue | undefined): string[] {
  return (asArray(buttons) ?? []).slice(0, MOST_OPTIONS).flatMap((element) => {
    const button = asObject(element);
    return option(button?.text, button?.url, button?.phone_number);
  });
}

/** The buttons of a template on WhatsApp Web, hydrated or not. */
export function templateButtonLines(buttons: JsonValue | undefined): string[] {
  return (asArray(buttons) ?? []).slice(0, MOST_OPTIONS).flatMap((element) => {
    const button = asObject(element);
    const reply = asObject(button?.quickReplyButton);
    const link = asObject(button?.urlButton);
    const call = asObject(button?.callButton);
    if (reply !== undefined) return option(reply.displayText ?? reply.id);
    if (link !== undefined) return option(link.displayText, link.url);
    return call === undefined ? [] : option(call.displayText, call.phoneNumber);
  });
}

/**
 * One native flow: a button of a new interactive message on WhatsApp Web (`name`, `buttonParamsJson`), or the action of the
 * Cloud API (`name`, `parameters`). A list and an order are flows, too.
 */
export function nativeFlowLines(name: JsonValue | undefined, params: JsonValue | undefined): string[] {
  const flow = textOf(name);
  const known = paramsOf(params) ?? {};
  if (isPaymentFlow(flow)) return orderLines(flow, known);
  const rows = sectionLines(known.sections);
  if (rows.length > 0) return rows;
  return option(
    known.display_text ?? known.flow_cta ?? known.title ?? known.button_text,
    known.url,
    known.phone_number,
    known.copy_code,
    known.code,
    asObject(known.link)?.url,
  );
}

/** Whether one of the native flows is a list. */
export function isListFlow(flow: JsonObject | undefined): boolean {
  return (asArray(flow?.buttons) ?? []).slice(0, MOST_OPTIONS).some((each) => {
    return asObject(each)?.name === 'single_select';
  });
}

/** The `nativeFlowMessage` of WhatsApp Web. */
export function nativeFlowsLines(flow: JsonObject | undefined): string[] {
  const buttons = asArray(flow?.buttons) ?? [];
  return buttons.slice(0, MOST_OPTIONS).flatMap((element) => {
    const button = asObject(element);
    return nativeFlowLines(button?.name, button?.buttonParamsJson);
  });
}

/** The `action` of the Cloud API's interactive messages: reply buttons, a list, a link, an order, cards. */
export function actionLines(action: JsonObject | undefined): string[] {
  if (action === undefined) return [];
  const lines: string[] = [];
  for (const element of (asArray(action.buttons) ?? []).slice(0, MOST_OPTIONS)) {
    const button = asObject(element);
    const reply = asObject(button?.reply) ?? asObject(button?.quick_reply);
    lines.push(...option(reply?.title ?? reply?.id ?? button?.title));
  }
  lines.push(...sectionLines(action.sections));
  if (action.product_retailer_id !== undefined) lines.push(...option(action.product_retailer_id));
  if (action.parameters !== undefined) lines.push(...nativeFlowLines(action.name, action.parameters));
  for (const element of (asArray(action.cards) ?? []).slice(0, MOST_OPTIONS)) {
    const card = asObject(element);
    const inner = asObject(card?.action);
    // A card has no cards of its own: read its action without them, or hostile nesting would exhaust the stack.
    const flat = inner === undefined ? undefined : { ...inner, cards: null };
    lines.push(...cardLines(asObject(card?.body)?.text, actionLines(flat)));
  }
  return lines;
}

/** One card of a carousel. */
export function cardLines(text: JsonValue | undefined, options: readonly string[]): string[] {
  const shown = lineText(text);
  return shown === undefined ? [...options] : [shown, ...options];
}
