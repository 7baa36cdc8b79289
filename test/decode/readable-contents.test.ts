import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MessageFact } from '../../src/model/facts.js';
import type { JsonObject } from '../../src/model/json.js';
import { decode, history, saying, theOnly, toJson, webMessage } from './baileys-builders.js';
import { factsOf, message, the, webhook } from './meta-builders.js';
import { tries } from '../support/seed.js';

function cloud(parts: JsonObject): MessageFact {
  return the('message', factsOf(webhook('messages', { messages: [message({ text: undefined, ...parts })] })));
}

function web(content: JsonObject): MessageFact {
  return theOnly(decode(history([saying(content)])), 'message');
}

/** A reply to a form, as both ways of a message have it. */
function form(name: string, answers: unknown): { meta: JsonObject; baileys: JsonObject } {
  const json = typeof answers === 'string' ? answers : JSON.stringify(answers);
  return {
    meta: {
      type: 'interactive',
      interactive: { type: 'nfm_reply', nfm_reply: { name, body: 'Sent', response_json: json } },
    },
    baileys: {
      interactiveResponseMessage: {
        body: { text: 'Sent', format: 'EXTENSIONS_1' },
        nativeFlowResponseMessage: { name, paramsJson: json, version: 3 },
      },
    },
  };
}

const PIX: JsonObject = {
  reference_id: 'pedido-7',
  type: 'digital-goods',
  currency: 'BRL',
  total_amount: { value: 51250, offset: 100 },
  order: {
    status: 'pending',
    items: [
      { retailer_id: '1', name: 'Bolo de cenoura', amount: { value: 50000, offset: 100 }, quantity: 1 },
      { retailer_id: '2', name: 'Café', amount: { value: 625, offset: 100 }, quantity: '2' },
    ],
    subtotal: { value: 51250, offset: 100 },
  },
  payment_settings: [
    {
      type: 'pix_dynamic_code',
      pix_dynamic_code: {
        code: '00020101021226700014br.gov.bcb.pix',
        merchant_name: 'Padaria Fictícia',
        key: '39580525000189',
        key_type: 'CNPJ',
      },
    },
    { type: 'cards', cards: { enabled: false } },
  ],
};
const PIX_LINES = [
  '1 x Bolo de cenoura — BRL 500.00',
  '2 x Café — BRL 6.25',
  'Total: BRL 512.50',
  'Pix (CNPJ): 39580525000189',
  'Recipient: Padaria Fictícia',
  'Reference: pedido-7',
];

const SECTIONS = [
  { title: 'Bolos', rows: [{ id: 'r1', rowId: 'r1', title: 'Cenoura', description: 'com cobertura' }] },
  { title: 'Bebidas', rows: [{ id: 'r2', rowId: 'r2', title: 'Café' }] },
];
const LIST = 'Menu\nO que você quer?\nBolos\n• Cenoura — com cobertura\nBebidas\n• Café\nPadaria Fictícia';

interface Twin {
  what: string;
  meta: JsonObject;
  baileys: JsonObject;
  body: string;
}

const long = 'ação '.repeat(600).trim();

/** What arrives by the Cloud API and by WhatsApp Web, and what both say. */
const TWINS: readonly Twin[] = [
  {
    what: 'a form',
    ...form('flow', { flow_token: 'FT', name: 'Ana', date: '2025-09-16' }),
    body: 'Name: Ana\nDate: 2025-09-16',
  },
  {
    what: 'a form of Meta’s builder',
    ...form('flow', {
      screen_0_Nome_completo_0: 'Ána Ñ',
      screen_0_Motivo_1: '2_Troca de produto',
      screen_1_Extras_0: ['0_Entrega', '1_Presente'],
      screen_1_OptIn_2: true,
      wa_flow_response_params: { title: 'Contato', flow_id: '1' },
      flow_token: 'FT',
    }),
    body: 'Nome completo: Ána Ñ\nMotivo: Troca de produto\nExtras: Entrega, Presente\nOpt in: yes',
  },
  {
    what: 'a form with camel case, numbers, a date of milliseconds, a photo and no answer',
    ...form('flow', {
      dataNascimento: '1758000000000',
      nota: 5,
      foto: [{ id: 1, mime_type: 'image/jpeg', sha256: 'x', file_name: 'gato.jpg' }],
      vazio: '',
      nada: null,
    }),
    body: 'Data nascimento: 2025-09-16\nNota: 5\nFoto: gato.jpg',
  },
  {
    what: 'a long answer over several lines',
    ...form('flow', { comentario: `${long}\n\nfim 👩‍👩‍👧` }),
    body: `Comentario: ${`${long} fim`.slice(0, 2000)}`.trimEnd(),
  },
  { what: 'a form without answers', ...form('flow', { flow_token: 'FT' }), body: 'Sent' },
  { what: 'a form that is no JSON', ...form('flow', '{"nome":'), body: 'Sent' },
  {
    what: 'an address',
    ...form('address_message', {
      saved_address_id: 'address1',
      values: { name: 'Ana', phone_number: '+911234567890', in_pin_code: '400063', city: 'Mumbai' },
    }),
    body: 'Saved address id: address1\nName: Ana\nPhone number: +911234567890\nIn pin code: 400063\nCity: Mumbai',
  },
  {
    what: 'a permission to call until a time',
    meta: {
      type: 'interactive',
      interactive: {
        type: 'call_permission_reply',
        call_permission_reply: {
          response: 'accept',
          is_permanent: false,
          expiration_timestamp: 1758000000,
          response_source: 'user_action',
        },
      },
    },
    baileys: {
      interactiveResponseMessage: {
        nativeFlowResponseMessage: {
          name: 'call_permission_request',
          paramsJson: '{"response":"accept","is_permanent":false,"expiration_timestamp":"1758000000"}',
        },
      },
    },
    body: 'Call permission accepted until 2025-09-16 05:20 UTC',
  },
  {
    what: 'a rejected permission',
    meta: {
      type: 'interactive',
      interactive: { type: 'call_permission_reply', call_permission_reply: { response: 'reject' } },
    },
    baileys: {
      interactiveResponseMessage: {
        nativeFlowResponseMessage: { name: 'call_permission_request', paramsJson: '{"response":"reject"}' },
      },
    },
    body: 'Call permission rejected',
  },
  {
    what: 'a way to pay',
    meta: {
      type: 'interactive',
      interactive: {
        type: 'payment_method',
        payment_method: {
          payment_method: 'offsite_card_pay',
          payment_timestamp: 1726170122,
          reference_id: 'pedido-7',
          last_four_digits: '5235',
          credential_id: '1234567',
        },
      },
    },
    baileys: {
      interactiveResponseMessage: {
        body: { text: 'Pay' },
        nativeFlowResponseMessage: {
          name: 'payment_method',
          paramsJson:
            '{"payment_method":"offsite_card_pay","payment_timestamp":1726170122,"reference_id":"pedido-7","last_four_digits":"5235"}',
        },
      },
    },
    body: 'Payment method: card ending in 5235\nReference: pedido-7\nTime: 2024-09-12 19:42 UTC',
  },
  {
    what: 'an order to pay by Pix',
    meta: {
      type: 'interactive',
      interactive: {
        type: 'order_details',
        body: { text: 'Seu pedido' },
        action: { name: 'review_and_pay', parameters: PIX },
      },
    },
    baileys: {
      interactiveMessage: {
        body: { text: 'Seu pedido' },
        nativeFlowMessage: { buttons: [{ name: 'review_and_pay', buttonParamsJson: JSON.stringify(PIX) }] },
      },
    },
    body: ['Seu pedido', ...PIX_LINES].join('\n'),
  },
  {
    what: 'the state of an order',
    meta: {
      type: 'interactive',
      interactive: {
        type: 'order_status',
        body: { text: 'Atualização' },
        action: {
          name: 'review_order',
          parameters: {
            reference_id: 'pedido-7',
            order: { status: 'partially_shipped', description: 'falta o café' },
          },
        },
      },
    },
    baileys: {
      interactiveMessage: {
        body: { text: 'Atualização' },
        nativeFlowMessage: {
          buttons: [
            {
              name: 'review_order',
              buttonParamsJson:
                '{"reference_id":"pedido-7","order":{"status":"partially_shipped","description":"falta o café"}}',
            },
          ],
        },
      },
    },
    body: 'Atualização\nOrder status: partially shipped\nfalta o café\nReference: pedido-7',
  },
  {
    what: 'buttons under a header',
    meta: {
      type: 'interactive',
      interactive: {
        type: 'button',
        header: { type: 'text', text: 'Pedido 7' },
        body: { text: 'Confirma?' },
        footer: { text: 'Padaria Fictícia' },
        action: { buttons: [{ type: 'reply', reply: { id: 'y', title: 'Sim' } }] },
      },
    },
    baileys: {
      buttonsMessage: {
        text: 'Pedido 7',
        contentText: 'Confirma?',
        footerText: 'Padaria Fictícia',
        headerType: 2,
        buttons: [{ buttonId: 'y', buttonText: { displayText: 'Sim' }, type: 1 }],
      },
    },
    body: 'Pedido 7\nConfirma?\nPadaria Fictícia\n• Sim',
  },
  {
    what: 'a native flow under a header',
    meta: {
      type: 'interactive',
      interactive: {
        type: 'cta_url',
        header: { type: 'text', text: 'Pedido 7' },
        body: { text: 'Acompanhe' },
        action: { name: 'cta_url', parameters: { display_text: 'Abrir', url: 'https://exemplo.test/7' } },
      },
    },
    baileys: {
      interactiveMessage: {
        header: { title: 'Pedido 7' },
        body: { text: 'Acompanhe' },
        nativeFlowMessage: {
          buttons: [
            {
              name: 'cta_url',
              buttonParamsJson: '{"display_text":"Abrir","url":"https://exemplo.test/7"}',
            },
          ],
        },
      },
    },
    body: 'Pedido 7\nAcompanhe\n• Abrir — https://exemplo.test/7',
  },
  {
    what: 'a list',
    meta: {
      type: 'interactive',
      interactive: {
        type: 'list',
        header: { type: 'text', text: 'Menu' },
        body: { text: 'O que você quer?' },
        footer: { text: 'Padaria Fictícia' },
        action: { button: 'Ver', sections: SECTIONS },
      },
    },
    baileys: {
      listMessage: {
        title: 'Menu',
        description: 'O que você quer?',
        footerText: 'Padaria Fictícia',
        buttonText: 'Ver',
        listType: 1,
        sections: SECTIONS,
      },
    },
    body: LIST,
  },
  {
    what: 'a list as a native flow',
    meta: {
      type: 'interactive',
      interactive: { type: 'list', body: { text: 'O que você quer?' }, action: { sections: SECTIONS } },
    },
    baileys: {
      interactiveMessage: {
        body: { text: 'O que você quer?' },
        nativeFlowMessage: {
          buttons: [
            { name: 'single_select', buttonParamsJson: JSON.stringify({ title: 'Ver', sections: SECTIONS }) },
          ],
        },
      },
    },
    body: LIST.replace('Menu\n', '').replace('\nPadaria Fictícia', ''),
  },
  {
    what: 'buttons',
    meta: {
      type: 'interactive',
      interactive: {
        type: 'button',
        body: { text: 'Confirma?' },
        action: {
          buttons: [
            { type: 'reply', reply: { id: 's', title: 'Sim' } },
            { type: 'reply', reply: { id: 'n', title: 'Não' } },
          ],
        },
      },
    },
    baileys: {
      buttonsMessage: {
        contentText: 'Confirma?',
        buttons: [
          { buttonId: 's', buttonText: { displayText: 'Sim' }, type: 1 },
          { buttonId: 'n', buttonText: { displayText: 'Não' }, type: 'RESPONSE' },
        ],
      },
    },
    body: 'Confirma?\n• Sim\n• Não',
  },
  {
    what: 'a link',
    meta: {
      type: 'interactive',
      interactive: {
        type: 'cta_url',
        body: { text: 'Veja' },
        action: { name: 'cta_url', parameters: { display_text: 'Abrir', url: 'https://exemplo.test/a?b=1' } },
      },
    },
    baileys: {
      interactiveMessage: {
        body: { text: 'Veja' },
        nativeFlowMessage: {
          buttons: [
            {
              name: 'cta_url',
              buttonParamsJson:
                '{"display_text":"Abrir","url":"https://exemplo.test/a?b=1","merchant_url":"https://exemplo.test"}',
            },
          ],
        },
      },
    },
    body: 'Veja\n• Abrir — https://exemplo.test/a?b=1',
  },
  {
    what: 'cards side by side',
    meta: {
      type: 'interactive',
      interactive: {
        type: 'carousel',
        body: { text: 'Ofertas' },
        action: {
          cards: [
            {
              card_index: 0,
              body: { text: 'Bolo' },
              action: { buttons: [{ type: 'quick_reply', quick_reply: { id: 'b', title: 'Quero' } }] },
            },
          ],
        },
      },
    },
    baileys: {
      interactiveMessage: {
        body: { text: 'Ofertas' },
        carouselMessage: {
          cards: [
            {
              body: { text: 'Bolo' },
              nativeFlowMessage: {
                buttons: [{ name: 'quick_reply', buttonParamsJson: '{"display_text":"Quero","id":"b"}' }],
              },
            },
          ],
        },
      },
    },
    body: 'Ofertas\nBolo\n• Quero',
  },
  {
    what: 'a card as a vCard alone',
    meta: {
      type: 'contacts',
      contacts: [
        { vcard: 'BEGIN:VCARD\nVERSION:3.0\nFN:Ana Silva\nTEL;waid=1:+55 11 90000-0001\nEND:VCARD' },
      ],
    },
    baileys: {
      contactMessage: {
        vcard: 'BEGIN:VCARD\nVERSION:3.0\nFN:Ana Silva\nTEL;waid=1:+55 11 90000-0001\nEND:VCARD',
      },
    },
    body: 'Ana Silva: +55 11 90000-0001',
  },
  {
    what: 'an unknown type with a text',
    meta: { type: 'sparkle', text: { body: 'brilho ✨' } },
    baileys: { sparkleMessage: { text: 'brilho ✨' } },
    body: 'brilho ✨',
  },
];

describe('a message says the same whichever way it came', () => {
  test.each(TWINS)('$what', ({ meta, baileys, body }) => {
    const [fromMeta, fromWeb] = [cloud(meta), web(baileys)];
    expect(fromMeta.body).toBe(body);
    expect(fromWeb.body).toBe(body);
    expect(fromWeb.type).toBe(fromMeta.type);
    expect([fromMeta.bodyIsLabel, fromWeb.bodyIsLabel]).toEqual([undefined, undefined]);
  });

  test('what the body leaves out is in raw_meta', () => {
    const list = TWINS.find(({ what }) => what === 'a list');
    expect(web(list?.baileys ?? {}).rawMeta).toEqual({
      offer: {
        title: 'Menu',
        button: 'Ver',
        footer: 'Padaria Fictícia',
        rows: [
          { id: 'r1', rowId: 'r1', title: 'Cenoura', description: 'com cobertura' },
          { id: 'r2', rowId: 'r2', title: 'Café' },
        ],
      },
    });
    expect(cloud(list?.meta ?? {}).rawMeta).toEqual({ interactive: list?.meta.interactive });
    const pix = TWINS.find(({ what }) => what === 'an order to pay by Pix');
    expect(JSON.stringify(web(pix?.baileys ?? {}).rawMeta)).toContain('00020101021226700014br.gov.bcb.pix');
    expect(JSON.stringify(cloud(pix?.meta ?? {}).rawMeta)).toContain('00020101021226700014br.gov.bcb.pix');
  });
});

describe('payments', () => {
  test('a Pix key from a phone has no amount and no text', () => {
    const params = {
      currency: 'BRL',
      total_amount: { value: 0, offset: 100 },
      reference_id: '4UJPSC1FYKC',
      type: 'physical-goods',
      order: {
        status: 'pending',
        subtotal: { value: 0, offset: 100 },
        order_type: 'ORDER',
        items: [{ name: '', amount: { value: 0, offset: 100 }, quantity: 0 }],
      },
      payment_settings: [
        {
          type: 'pix_static_code',
          pix_static_code: { merchant_name: 'Ana', key: '+5511900000001', key_type: 'PHONE' },
        },
        { type: 'cards', cards: { enabled: false } },
      ],
      share_payment_status: false,
    };
    const fact = web({
      interactiveMessage: {
        nativeFlowMessage: { buttons: [{ name: 'payment_info', buttonParamsJson: JSON.stringify(params) }] },
      },
    });
    expect(fact.body).toBe('Pix (phone): +5511900000001\nRecipient: Ana\nReference: 4UJPSC1FYKC');
    expect(fact.type).toBe('interactive');
  });

  test.each<[JsonObject, string]>([
    [
      { type: 'payment_link', payment_link: { uri: 'https://pagar.test/1' } },
      'Payment link: https://pagar.test/1',
    ],
    [{ type: 'boleto', boleto: { digitable_line: '84660' } }, 'Boleto: 84660'],
    [{ type: 'offsite_card_pay', offsite_card_pay: { last_four_digits: '5235' } }, 'Card ending in: 5235'],
    [{ type: 'payment_gateway', payment_gateway: { type: 'razorpay' } }, 'Payment: razorpay'],
    [
      { type: 'pix_static_code', pix_static_code: { key: 'a@b.test', key_type: 'EMAIL' } },
      'Pix (email): a@b.test',
    ],
    [{ type: 'of_the_future', of_the_future: { enabled: true } }, 'Of the future'],
  ])('%j', (setting, line) => {
    const parameters = {
      currency: 'INR',
      total_amount: { value: '2100', offset: 100 },
      payment_settings: [setting],
    };
    const interactive = {
      type: 'order_details',
      body: { text: 'x' },
      action: { name: 'review_and_pay', parameters },
    };
    expect(cloud({ type: 'interactive', interactive }).body).toBe(`x\nTotal: INR 21.00\n${line}`);
  });

  test('the amount of a payment is beside its content', () => {
    const item = webMessage({
      message: { sendPaymentMessage: {} },
      paymentInfo: { currency: 'INR', amount1000: '100000', primaryAmount: null },
    });
    expect(theOnly(decode(history([item])), 'message')).toMatchObject({
      type: 'payment',
      body: 'Payment: INR 100.00',
      bodyIsLabel: true,
    });
  });

  test('a note is the text of a payment, with the amount where there is one', () => {
    const noteMessage = { conversation: 'almoço' };
    expect(web({ sendPaymentMessage: { noteMessage } }).body).toBe('almoço');
    expect(
      web({ requestPaymentMessage: { noteMessage, amount1000: 1000, currencyCodeIso4217: 'INR' } }).body,
    ).toBe('almoço\nPayment request: INR 1.00');
    const amount = { value: { low: 1250, high: 0, unsigned: false }, offset: 100, currencyCode: 'BRL' };
    expect(web({ requestPaymentMessage: { amount } }).body).toBe('Payment request: BRL 12.50');
  });
});

describe('templates', () => {
  test('say the same in both shapes, with their buttons', () => {
    const components: JsonObject[] = [
      { type: 'BODY', text: 'Olá' },
      {
        type: 'BUTTONS',
        buttons: [
          { type: 'QUICK_REPLY', text: 'Quero' },
          { type: 'URL', text: 'Site', url: 'https://example.test/a' },
          { type: 'PHONE_NUMBER', text: 'Ligar', phone_number: '+551130000000' },
        ],
      },
      { type: 'FOOTER', text: 'SAIR' },
    ];
    const hydratedTemplate: JsonObject = {
      hydratedContentText: 'Olá',
      hydratedFooterText: 'SAIR',
      hydratedButtons: [
        { quickReplyButton: { displayText: 'Quero', id: '1' } },
        { urlButton: { displayText: 'Site', url: 'https://example.test/a' } },
        { callButton: { displayText: 'Ligar', phoneNumber: '+551130000000' } },
      ],
    };
    const body = 'Olá\nSAIR\n• Quero\n• Site — https://example.test/a\n• Ligar — +551130000000';
    expect(cloud({ type: 'template', template: { name: 'promo', components } }).body).toBe(body);
    expect(web({ templateMessage: { hydratedTemplate } }).body).toBe(body);
  });

  test('show their buttons and footers', () => {
    const hydratedTemplate: JsonObject = {
      hydratedTitleText: 'Pedido',
      hydratedContentText: 'Seu pedido saiu.',
      hydratedFooterText: 'Responda SAIR para não receber mais',
      hydratedButtons: [
        { index: 0, quickReplyButton: { displayText: 'Sair', id: 'stop' } },
        { index: 1, urlButton: { displayText: 'Rastrear', url: 'https://exemplo.test/r' } },
        { index: 2, callButton: { displayText: 'Ligar', phoneNumber: '+551140000000' } },
      ],
    };
    const fact = web({ templateMessage: { hydratedTemplate } });
    expect(fact.body).toBe(
      'Pedido\nSeu pedido saiu.\nResponda SAIR para não receber mais\n• Sair\n• Rastrear — https://exemplo.test/r\n• Ligar — +551140000000',
    );
    expect(fact.rawMeta).toMatchObject({
      offer: { title: 'Pedido', footer: 'Responda SAIR para não receber mais' },
    });
  });

  test('of the newer form are interactive messages', () => {
    const interactiveMessageTemplate = {
      body: { text: 'Oi, Ana' },
      nativeFlowMessage: {
        buttons: [
          { name: 'cta_copy', buttonParamsJson: '{"display_text":"Copiar código","copy_code":"BOLO10"}' },
        ],
      },
    };
    expect(web({ templateMessage: { interactiveMessageTemplate } })).toMatchObject({
      type: 'template',
      body: 'Oi, Ana\n• Copiar código — BOLO10',
    });
  });

  test('without buttons and footers stay as they were', () => {
    expect(web({ templateMessage: { hydratedTemplate: { hydratedContentText: 'Olá' } } })).toMatchObject({
      body: 'Olá',
    });
    expect(web({ listMessage: { title: 'Menu', description: 'Escolha' } }).rawMeta).toBeUndefined();
  });
});

describe('contact cards', () => {
  const folded = ['BEGIN:VCARD', 'VERSION:2.1', 'N:Silva;Ana;Maria;Dra.;', 'FN:Dra. Ana', '  Maria Silva'];
  test.each<[string, string, string | undefined]>([
    ['folded lines', [...folded, 'TEL:1', 'END:VCARD'].join('\r\n'), 'Dra. Ana Maria Silva: 1'],
    ['a name in parts', 'BEGIN:VCARD\nN:Silva;Ana;Maria;Dra.;\nEND:VCARD', 'Dra. Ana Maria Silva'],
    [
      'quoted-printable',
      'BEGIN:VCARD\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=81vila;Jos=C3=A9;;;',
      'José Ávila',
    ],
    [
      'an organization',
      'BEGIN:VCARD\nORG:Padaria\\, Lda;Vendas\nitem1.TEL:+351 1\nitem1.X-ABLabel:Loja',
      'Padaria, Lda Vendas: +351 1',
    ],
    [
      'the same phone twice',
      'BEGIN:VCARD\nFN:Ana\nTEL;TYPE=CELL:1\nTEL;TYPE=HOME:1\nTEL:tel:+2',
      'Ana: 1, +2',
    ],
    ['phones alone', 'BEGIN:VCARD\nTEL;type="a:b":+55 11 9', '+55 11 9'],
    ['nothing', 'BEGIN:VCARD\nEND:VCARD', undefined],
    ['something else', 'oi', undefined],
  ])('%s', (_what, vcard, body) => {
    expect(web({ contactMessage: { vcard } }).body).toBe(body ?? 'Contact');
    expect(cloud({ type: 'contacts', vcard, origin: 'contact_request' }).body).toBe(body ?? 'Contact');
  });

  test('with names have the phones behind them, in both shapes', () => {
    const vcard = 'BEGIN:VCARD\nFN:Outro\nTEL:1';
    expect(web({ contactMessage: { displayName: 'Zé', vcard } }).body).toBe('Zé: 1');
    expect(
      web({
        contactsArrayMessage: {
          displayName: '2 contatos',
          contacts: [{ displayName: 'Zé', vcard }, { vcard }],
        },
      }).body,
    ).toBe('Zé: 1, Outro: 1');
    const named = { name: { formatted_name: 'Zé' } };
    expect(cloud({ type: 'contacts', contacts: [{ ...named, phones: [{ phone: '1' }] }] }).body).toBe(
      'Zé: 1',
    );
    expect(cloud({ type: 'contacts', contacts: [{ ...named, vcard }] }).body).toBe('Zé: 1');
    expect(cloud({ type: 'contacts', contacts: [named] }).body).toBe('Zé');
  });
});

describe('a message whose only content is its errors', () => {
  const unknown = { code: 131_051, title: 'Message type unknown' };
  test.each<[JsonObject, string]>([
    [
      {
        type: 'unsupported',
        errors: [{ ...unknown, error_data: { details: 'Message type is currently not supported.' } }],
      },
      'Message type is currently not supported.',
    ],
    [
      {
        type: 'unsupported',
        errors: [{ ...unknown, details: 'alt' }],
        unsupported: { type: 'poll_creation' },
      },
      'Poll creation: alt',
    ],
    [
      { type: 'unsupported', errors: [null, 'x', { code: 131_060 }], unsupported: { type: 'unknown' } },
      'Error 131060',
    ],
    [{ type: 'unsupported', unsupported: { type: 'edit' } }, 'Edit: not supported by the Cloud API'],
    [{ type: 'errors', errors: [unknown] }, 'Message type unknown'],
    [{ type: 'image', errors: [{ code: 131_052, title: 'Media download error' }] }, 'Media download error'],
    [
      { type: 'interactive', errors: [{ code: 131_000, title: 'Something went wrong' }] },
      'Something went wrong',
    ],
    [
      { type: 'unknown', errors: [{ details: 'Message type is not currently supported' }] },
      'Message type is not currently supported',
    ],
    [{ type: null, errors: [unknown] }, 'Message type unknown'],
    [{ type: 'media_placeholder', errors: [unknown] }, 'Message type unknown'],
    [{ type: 'unsupported' }, 'Unsupported message'],
  ])('%j', (parts, body) => {
    expect(cloud(parts)).toMatchObject({ body, bodyIsLabel: true, grade: 'placeholder' });
  });

  test('a text beside errors stays the text', () => {
    expect(cloud({ type: 'text', text: { body: 'oi' }, errors: [unknown] }).body).toBe('oi');
  });
});

describe('hostile contents', () => {
  const nested = (depth: number, inner: string): string =>
    `${'{"a":'.repeat(depth)}${inner}${'}'.repeat(depth)}`;
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`campo_${i}`, 'x'.repeat(50)]));
  test.each<[string, JsonObject]>([
    ['answers nested 50,000 deep', form('flow', nested(50_000, '1')).baileys],
    ['answers of a megabyte', form('flow', { a: 'x'.repeat(1_000_000) }).baileys],
    ['5,000 answers', form('flow', many).baileys],
    [
      'a reply inside a reply, 10,000 deep',
      form('x', nested(10_000, '1').replaceAll('"a"', '"response_json"')).baileys,
    ],
    [
      'answers in lists, 90,000 deep',
      form('flow', `{"a":${'['.repeat(90_000)}${']'.repeat(90_000)}}`).baileys,
    ],
    [
      'an order of lists',
      {
        interactiveMessage: {
          nativeFlowMessage: {
            buttons: [
              {
                name: 'review_and_pay',
                buttonParamsJson: `{"order":{"items":${'['.repeat(90_000)}${']'.repeat(90_000)}}}`,
              },
            ],
          },
        },
      },
    ],
    ['a name of NULs', form('flow\0', { 'a\0b': 'c\ud800' }).baileys],
    ['__proto__', form('flow', '{"__proto__":{"x":"y"},"constructor":"z"}').baileys],
    [
      'a list of 10,000 rows',
      {
        listMessage: {
          description: 'x',
          sections: [{ rows: Array.from({ length: 10_000 }, () => ({ title: 't' })) }],
        },
      },
    ],
    [
      'cards in cards',
      {
        interactiveMessage: {
          carouselMessage: { cards: [{ carouselMessage: { cards: [{ body: { text: 'x' } }] } }] },
        },
      },
    ],
    ['a vCard of a megabyte on one line', { contactMessage: { vcard: `FN:${'x'.repeat(1_000_000)}` } }],
    ['a vCard of many lines', { contactMessage: { vcard: 'TEL:1\n'.repeat(200_000) } }],
    [
      'a vCard of escapes',
      { contactMessage: { vcard: `FN;ENCODING=QUOTED-PRINTABLE:${'=C3'.repeat(20_000)}` } },
    ],
  ])('%s', (_what, content) => {
    const started = performance.now();
    const fact = web(content);
    expect(performance.now() - started).toBeLessThan(3000);
    expect(fact.body?.length ?? 0).toBeGreaterThan(0);
    expect(fact.body?.length ?? 0).toBeLessThan(70_000);
    expect(fact.body).not.toMatch(/\0|\p{Surrogate}/u);
  });

  test('anything at all gives a body that PostgreSQL can store, in bounded size', () => {
    const json = fc.jsonValue({ maxDepth: 4 }).map(toJson);
    const keys = fc.constantFrom(
      'body',
      'text',
      'action',
      'sections',
      'rows',
      'title',
      'parameters',
      'name',
      'cards',
      'buttons',
      'reply',
      'order',
      'items',
      'payment_settings',
      'type',
      'nfm_reply',
      'response_json',
      'header',
      'footer',
      'vcard',
      'contacts',
      'nativeFlowMessage',
      'buttonParamsJson',
      'hydratedTemplate',
      'components',
    );
    const tree = fc.letrec<{ node: JsonObject }>((tie) => ({
      node: fc
        .dictionary(
          keys,
          fc.oneof({ maxDepth: 5 }, json, tie('node'), fc.array(tie('node'), { maxLength: 3 })),
          { maxKeys: 5 },
        )
        .map((value) => ({ ...value })),
    })).node;
    const kinds = fc.constantFrom(
      'interactiveMessage',
      'interactiveResponseMessage',
      'listMessage',
      'buttonsMessage',
      'templateMessage',
      'highlyStructuredMessage',
      'contactMessage',
      'orderMessage',
      'productMessage',
      'pollCreationMessage',
      'richResponseMessage',
      'commentMessage',
      'sparkleMessage',
    );
    const types = fc.constantFrom(
      'interactive',
      'contacts',
      'template',
      'unsupported',
      'order',
      'location',
      'sparkle',
      'button',
    );
    fc.assert(
      fc.property(tree, kinds, types, (content, kind, type) => {
        for (const fact of [
          web({ [kind]: content }),
          cloud({ type, [type]: content, errors: content.items ?? null }),
        ]) {
          expect(fact.body ?? '').not.toBe('');
          expect(fact.body).not.toMatch(/\0|\p{Surrogate}/u);
        }
      }),
      { numRuns: tries(1000) },
    );
  });
});
