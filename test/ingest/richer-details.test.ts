import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { describeOnServer } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { addConnection } from '../support/connections.js';
import { select } from '../support/shown.js';
import { history, live, old, wamid, webHistory, webLive, webMessage } from '../support/webhooks.js';

const options = { prepare: addConnection };

/** One message by Meta's webhook and by WhatsApp Web, each live and as history: whichever is the better evidence. */
function copies(meta: JsonObject, web: JsonObject): [string, unknown[]][] {
  const parts = { text: undefined, ...meta };
  return [
    ['both live', [live('K1', 0, parts), webLive('K1', 0, { message: web })]],
    ['Meta’s from the history', [history([old('K1', 0, parts)]), webLive('K1', 0, { message: web })]],
    [
      'WhatsApp Web’s from the history',
      [live('K1', 0, parts), webHistory([webMessage('K1', 0, { message: web })])],
    ],
  ];
}

const list = {
  type: 'list_reply',
  list_reply: { id: 'express', title: 'Expresso', description: '1 a 2 dias' },
};
const LIST = copies(
  { type: 'interactive', interactive: list },
  { listResponseMessage: { title: 'Expresso', singleSelectReply: { selectedRowId: 'express' } } },
);
const BUTTON = copies(
  { type: 'button', button: { payload: 'Unsubscribe', text: 'Sair' } },
  { templateButtonReplyMessage: { selectedId: 'Unsubscribe', selectedDisplayText: 'Sair' } },
);
const VOICE = copies(
  { type: 'audio', audio: { id: 'M1', mime_type: 'audio/ogg', sha256: 'c2hh', voice: true } },
  {
    audioMessage: {
      mimetype: 'audio/ogg; codecs=opus',
      fileSha256: 'c2hh',
      mediaKey: 'AAAA',
      ptt: true,
      seconds: 7,
    },
  },
);
const answers = '{"flow_token":"FT","name":"Ána","date":"2025-09-16","notes":"uma\\nduas 👍"}';
const FORM = copies(
  {
    type: 'interactive',
    interactive: { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json: answers } },
  },
  {
    interactiveResponseMessage: {
      body: { text: 'Sent' },
      nativeFlowResponseMessage: { name: 'flow', paramsJson: answers },
    },
  },
);
const TEMPLATE = copies(
  { type: 'template', template: { name: 'order_update', language: { code: 'pt_BR' } } },
  { templateMessage: { hydratedTemplate: { hydratedContentText: 'Saiu!', hydratedFooterText: 'Loja' } } },
);
const ERRORS = [{ code: 131_051, title: 'unknown', error_data: { details: 'Not supported.' } }];
const UNSUPPORTED = copies(
  { type: 'unsupported', errors: ERRORS, unsupported: { type: 'sticker' } },
  { stickerMessage: { mimetype: 'image/webp', fileSha256: 'c2hh' } },
);
const REPLY = copies(
  { type: 'text', text: { body: 'sim' }, context: { id: wamid('Q1') } },
  { extendedTextMessage: { text: 'sim', contextInfo: { stanzaId: 'Q1' } } },
);

describeOnServer('M10, M2: of two copies of a message the richer details stay', (backend) => {
  it.each(LIST)('the description of a chosen row, %s', async (_title, log) => {
    const store = await expectOneDatabase(backend, log, options);
    expect(
      await select(store, 'select external_id as id, type, body, raw_meta as meta from messages'),
    ).toEqual([
      {
        id: wamid('K1'),
        type: 'interactive',
        body: 'Expresso',
        meta: { interactive: list, reply: { id: 'express' } },
      },
    ]);
  });

  it.each(BUTTON)('the type of a template’s button, %s', async (_title, log) => {
    const store = await expectOneDatabase(backend, log, options);
    expect(await select(store, 'select type, body, raw_meta as meta from messages')).toEqual([
      {
        type: 'button',
        body: 'Sair',
        meta: { button: { payload: 'Unsubscribe', text: 'Sair' }, reply: { id: 'Unsubscribe' } },
      },
    ]);
  });

  it.each(VOICE)('the id, the codec and the keys of a voice note, %s', async (_title, log) => {
    const store = await expectOneDatabase(backend, log, options);
    expect(await select(store, 'select type, media, raw_meta as meta from messages')).toEqual([
      {
        type: 'audio',
        media: { id: 'M1', mimeType: 'audio/ogg; codecs=opus', sha256: 'c2hh' },
        meta: { voice: true, seconds: 7, mediaKeys: { mediaKey: 'AAAA' } },
      },
    ]);
  });

  it.each(REPLY)('the wamid of what a reply answers, %s', async (_title, log) => {
    const store = await expectOneDatabase(backend, log, options);
    expect(await select(store, 'select context_external_id as id from messages')).toEqual([
      { id: wamid('Q1') },
    ]);
  });

  it.each(FORM)('the answers of a form, %s', async (_title, log) => {
    const store = await expectOneDatabase(backend, log, options);
    expect(await select(store, 'select type, body from messages')).toEqual([
      { type: 'interactive', body: 'Name: Ána\nDate: 2025-09-16\nNotes: uma duas 👍' },
    ]);
  });

  it.each(TEMPLATE)('the text of a template that the other copy only names, %s', async (_title, log) => {
    const store = await expectOneDatabase(backend, log, options);
    expect(await select(store, 'select type, body from messages')).toEqual([
      { type: 'template', body: 'Saiu!\nLoja' },
    ]);
  });

  it.each(UNSUPPORTED)(
    'and nothing of what one copy says of an unsupported message, %s',
    async (_title, log) => {
      const store = await expectOneDatabase(backend, log, options);
      expect(await select(store, `select type, body, media->>'sha256' as file from messages`)).toEqual([
        { type: 'sticker', body: null, file: 'c2hh' },
      ]);
    },
  );

  it('a placeholder’s remarks yield to the real content as a whole', async () => {
    const ghost = { type: 'unsupported', text: undefined, errors: [{ code: 131_060, title: 'unavailable' }] };
    const button = { type: 'button', text: undefined, button: { payload: 'x', text: 'Sair' } };
    const store = await expectOneDatabase(backend, [live('K1', 0, ghost), live('K1', 0, button)], options);
    expect(await select(store, 'select type, raw_meta as meta from messages')).toEqual([
      { type: 'button', meta: { button: { payload: 'x', text: 'Sair' } } },
    ]);
  });
});
