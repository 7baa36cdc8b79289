import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, ownValue } from '../read.js';
import { lineText, moneyText, titleOf } from './wording.js';

/** Native flows about money; the Cloud API names them as the action of `order_details` and `order_status`. */
const PAYMENT_FLOWS: ReadonlySet<string> = new Set([
  'payment_info',
  'payment_request',
  'payment_status',
  'review_and_pay',
  'review_order',
  'order_details',
  'order_status',
  'wa_payment_transaction_details',
]);

export function isPaymentFlow(name: string | undefined): boolean {
  return name !== undefined && PAYMENT_FLOWS.has(name);
}

/** Kinds of Pix keys as people know them. */
const PIX_KEYS: Readonly<Record<string, string>> = { EVP: 'random key', PHONE: 'phone', EMAIL: 'email' };

/**
 * An order or a payment request (`review_and_pay`, `payment_info`, `review_order`) as lines: products, total, how to pay.
 * The Cloud API and WhatsApp Web have the same parameters.
 */
export function orderLines(name: string | undefined, params: JsonObject): string[] {
  const lines: (string | undefined)[] = [];
  const order = asObject(params.order);
  const currency = params.currency;
  for (const element of (asArray(order?.items) ?? []).slice(0, 50)) {
    const item = asObject(element);
    const product = lineText(item?.name) ?? lineText(item?.retailer_id);
    if (product === undefined) continue;
    const price = moneyText(item?.sale_amount, currency) ?? moneyText(item?.amount, currency);
    const line = `${lineText(item?.quantity) ?? '1'} x ${product}`;
    lines.push(price === undefined ? line : `${line} — ${price}`);
  }
  const total = moneyText(params.total_amount, currency);
  if (total !== undefined) lines.push(`Total: ${total}`);
  const status = lineText(order?.status) ?? lineText(params.payment_status) ?? lineText(params.status);
  const isStatus = name === 'review_order' || name === 'order_status' || name === 'payment_status';
  if (isStatus && status !== undefined) lines.push(`Order status: ${status.replaceAll('_', ' ')}`);
  const note = lineText(order?.description);
  if (isStatus && note !== undefined) lines.push(note);
  for (const element of (asArray(params.payment_settings) ?? []).slice(0, 20)) {
    lines.push(...paymentLines(asObject(element)));
  }
  const reference = lineText(params.reference_id);
  if (reference !== undefined) lines.push(`Reference: ${reference}`);
  return lines.filter((line) => line !== undefined);
}

/** One way to pay. The copyable Pix code stays in raw_meta: it is long, and nobody reads it. */
function paymentLines(setting: JsonObject | undefined): (string | undefined)[] {
  const type = lineText(setting?.type);
  if (setting === undefined || type === undefined) return [];
  const details = asObject(ownValue(setting, type)) ?? {};
  switch (type) {
    case 'pix_static_code':
    case 'pix_dynamic_code':
      return [pixText(details), prefixed('Recipient', details.merchant_name)];
    case 'payment_link':
      return [prefixed('Payment link', details.uri)];
    case 'boleto':
      return [prefixed('Boleto', details.digitable_line)];
    case 'offsite_card_pay':
      return [prefixed('Card ending in', details.last_four_digits)];
    case 'payment_gateway':
      return [prefixed('Payment', details.type)];
    default:
      // Cards and the like, which are only enabled or not.
      return details.enabled === false || Object.keys(details).length === 0 ? [] : [titleOf(type)];
  }
}

/** `Pix (CNPJ): 39580525000189`. */
function pixText(details: JsonObject): string {
  const type = lineText(details.key_type);
  const kind = type === undefined ? undefined : (PIX_KEYS[type.toUpperCase()] ?? type);
  const key = lineText(details.key);
  const name = kind === undefined ? 'Pix' : `Pix (${kind})`;
  return key === undefined ? name : `${name}: ${key}`;
}

function prefixed(name: string, value: JsonValue | undefined): string | undefined {
  const text = lineText(value);
  return text === undefined ? undefined : `${name}: ${text}`;
}
