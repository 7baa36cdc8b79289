import type { JsonObject, JsonValue } from '../../model/json.js';
import { isForm, replyText } from '../contents/answers.js';
import {
  cardLines,
  isListFlow,
  nativeFlowsLines,
  offerWording,
  plainButtonLines,
  sectionLines,
  templateButtonLines,
} from '../contents/offers.js';
import { lineText, paramsOf, textInside, titleOf } from '../contents/wording.js';
import { asArray, asObject, textOf } from '../read.js';
import type { Reading } from './content-types.js';
import { shortText, smallFieldsOf, withoutAbsent } from './proto-values.js';

/** More buttons or cards than WhatsApp allows; raw_body has them all. */
const MOST_PARTS = 20;

/** `listMessage`: the text and the rows, as the Cloud API's `interactive` of type `list` has them. */
export function readList(o: JsonObject): Reading {
  const products = asArray(asObject(o.productListInfo)?.productSections) ?? [];
  const offer = {
    header: lineText(o.title),
    text: textOf(o.description),
    footer: lineText(o.footerText),
    lines: sectionLines([...(asArray(o.sections) ?? []), ...products]),
    isList: true,
  };
  const meta = {
    title: shortText(o.title),
    button: shortText(o.buttonText),
    footer: shortText(o.footerText),
    rows: rowsOf(o.sections),
  };
  return readOffer('interactive', offer, 'List', meta);
}

/** `buttonsMessage`: reply buttons under a text. */
export function readButtons(o: JsonObject): Reading {
  const offer = {
    // WhatsApp Web has a header that is a text under the name of its kind.
    header: lineText(o.contentText) === undefined ? undefined : lineText(o.text),
    text: textOf(o.contentText) ?? textOf(o.text),
    footer: lineText(o.footerText),
    lines: plainButtonLines(o.buttons),
  };
  const buttons = partsOf(o.buttons, (button) => ({
    id: shortText(button.buttonId),
    title: shortText(asObject(button.buttonText)?.displayText),
  }));
  return readOffer('interactive', offer, 'Buttons', { footer: shortText(o.footerText), buttons });
}

/** `interactiveMessage`: native flows (buttons, lists, payments, Pix), a carousel, a shop. */
export function readInteractive(o: JsonObject): Reading {
  return readOffer('interactive', ...interactiveParts(o));
}

type OfferParts = [offer: Parameters<typeof offerWording>[0], label: string, meta: Fields];
type Fields = Record<string, JsonValue | undefined>;

function interactiveParts(o: JsonObject): OfferParts {
  const flow = asObject(o.nativeFlowMessage);
  const title = asObject(o.header)?.title;
  const footer = asObject(o.footer)?.text;
  const lines = nativeFlowsLines(flow);
  for (const element of (asArray(asObject(o.carouselMessage)?.cards) ?? []).slice(0, MOST_PARTS)) {
    const card = asObject(element);
    lines.push(...cardLines(asObject(card?.body)?.text, nativeFlowsLines(asObject(card?.nativeFlowMessage))));
  }
  const offer = {
    header: lineText(title),
    text: textOf(asObject(o.body)?.text),
    footer: lineText(footer),
    lines,
    isList: isListFlow(flow),
  };
  const buttons = partsOf(flow?.buttons, (button) => ({
    name: shortText(button.name),
    params: shortText(button.buttonParamsJson),
  }));
  const label = o.shopStorefrontMessage !== undefined ? 'Shop' : 'Interactive message';
  return [offer, label, { title: shortText(title), footer: shortText(footer), buttons }];
}

/** `templateMessage`, hydrated or not, and the newer one that is an interactive message. */
export function readTemplate(o: JsonObject): Reading {
  const hydrated = asObject(o.hydratedTemplate) ?? asObject(o.hydratedFourRowTemplate);
  const interactive = asObject(o.interactiveMessageTemplate);
  if (hydrated === undefined && interactive !== undefined) {
    const [offer, , meta] = interactiveParts(interactive);
    return readOffer('template', offer, 'Template', meta);
  }
  if (hydrated === undefined) {
    return readNamedTemplate(asObject(asObject(o.fourRowTemplate)?.content) ?? {});
  }
  const offer = {
    header: lineText(hydrated.hydratedTitleText),
    text: textOf(hydrated.hydratedContentText),
    footer: lineText(hydrated.hydratedFooterText),
    lines: templateButtonLines(hydrated.hydratedButtons),
  };
  const buttons = partsOf(hydrated.hydratedButtons, (button) => {
    const one =
      asObject(button.quickReplyButton) ?? asObject(button.urlButton) ?? asObject(button.callButton);
    return one === undefined ? {} : smallFieldsOf(one);
  });
  const meta = {
    title: shortText(hydrated.hydratedTitleText),
    footer: shortText(hydrated.hydratedFooterText),
    buttons,
  };
  return readOffer('template', offer, 'Template', meta);
}

/** `highlyStructuredMessage`: a template by its name and what was filled in. */
export function readNamedTemplate(o: JsonObject): Reading {
  const hydrated = asObject(o.hydratedHsm);
  if (hydrated !== undefined && hydrated.interactiveMessageTemplate === undefined) {
    const { body, isLabel } = readTemplate({ ...hydrated, fourRowTemplate: null });
    if (body !== undefined && isLabel !== true) return { type: 'template', body };
  }
  const filledIn = (asArray(o.params) ?? []).slice(0, MOST_PARTS).map(lineText);
  const values = filledIn.filter((text) => text !== undefined).join(', ');
  const name = lineText(o.elementName);
  const title = name === undefined ? 'Template' : `Template ${name}`;
  return { type: 'template', body: values === '' ? title : `${title}: ${values}`, isLabel: true };
}

/** Content omitted from the body, under one key; none for a message without choices. */
function readOffer(type: string, ...[offer, label, meta]: OfferParts): Reading {
  const wording = offerWording(offer, label);
  const kept = offer.lines.length === 0 && offer.footer === undefined ? {} : withoutAbsent(meta);
  return { type, ...wording, ...(Object.keys(kept).length === 0 ? {} : { meta: { offer: kept } }) };
}

function rowsOf(sections: JsonValue | undefined): JsonValue | undefined {
  const rows = (asArray(sections) ?? []).slice(0, MOST_PARTS).flatMap((section) => {
    const list = asArray(asObject(section)?.rows) ?? [];
    return list.slice(0, MOST_PARTS).flatMap((element) => {
      const row = asObject(element);
      return row === undefined ? [] : [smallFieldsOf(row)];
    });
  });
  return rows.length === 0 ? undefined : rows;
}

function partsOf(list: JsonValue | undefined, read: (part: JsonObject) => Fields): JsonValue | undefined {
  const parts = (asArray(list) ?? []).slice(0, MOST_PARTS).flatMap((element) => {
    const part = asObject(element);
    return part === undefined ? [] : [withoutAbsent(read(part))];
  });
  return parts.length === 0 ? undefined : parts;
}

/** `about`: the chosen row's subtitle. Without a title, the id given by its program is the most informative. */
export function readReply(
  text: JsonValue | undefined,
  id: JsonValue | undefined,
  about?: JsonValue,
): Reading {
  const reply = withoutAbsent({ id: shortText(id), description: shortText(about) });
  const body = textOf(text);
  return {
    type: 'interactive',
    ...(body === undefined ? { body: lineText(about) ?? lineText(id) ?? 'Reply', isLabel: true } : { body }),
    ...(Object.keys(reply).length === 0 ? {} : { meta: { reply } }),
  };
}

/** `interactiveResponseMessage`: a chosen button or row, the answers of a form, a permission, a way to pay. */
export function readInteractiveResponse(o: JsonObject): Reading {
  const flow = asObject(o.nativeFlowResponseMessage);
  const reply = withoutAbsent({ name: shortText(flow?.name), params: shortText(flow?.paramsJson) });
  const name = textOf(flow?.name);
  const params = paramsOf(flow?.paramsJson);
  const text = textOf(asObject(o.body)?.text);
  const answers = isForm(name, params) ? replyText(name, params) : undefined;
  const body = answers ?? text;
  if (body !== undefined) return { type: 'interactive', body, meta: { reply } };
  const label = lineText(params?.display_text) ?? textInside(params) ?? lineText(params?.id);
  const known = label ?? replyText(name, params) ?? (titleOf(name ?? '') || 'Reply');
  return { type: 'interactive', body: known, isLabel: true, meta: { reply } };
}
