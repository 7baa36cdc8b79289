import { type BinaryNode, jidDecode, S_WHATSAPP_NET } from '@whiskeysockets/baileys';
import { isOwn, lidOf, type World } from './account.js';
import { answerAppState } from './app-state.js';
import { asksToBeUnlinked, type LinkedDevice } from './linked-device.js';
import { attribute, bytesOf, child, children, node, resultOf } from './nodes.js';
import { readBigEndian } from './registration.js';
import { bundleNode } from './signal-peer.js';

/**
 * Answers a linked device's query as WhatsApp would for an account with nothing in it. What Baileys waits for, or would ask
 * again and again, has an answer of its own; everything else gets an empty result.
 */
export async function answerQuery(
  world: World,
  device: LinkedDevice,
  query: BinaryNode,
): Promise<BinaryNode> {
  switch (query.attrs.xmlns) {
    case 'encrypt':
      return resultOf(query, await answerKeys(world, device, query));
    case 'usync':
      return resultOf(query, [answerUserSync(world, query)]);
    case 'w:sync:app:state':
      return resultOf(query, [node('sync', {}, await answerAppState(world, query))]);
    case 'abt':
      return resultOf(query, [node('props', { protocol: '1', hash: 'none' }, [])]);
    case 'blocklist':
      return resultOf(query, [node('list', {}, [])]);
    case 'privacy':
      return resultOf(query, [
        node('privacy', {}, [node('category', { name: 'readreceipts', value: 'all' })]),
      ]);
    case 'md':
      if (asksToBeUnlinked(query)) device.forget();
      return resultOf(query);
    default:
      return resultOf(query);
  }
}

async function answerKeys(world: World, device: LinkedDevice, query: BinaryNode): Promise<BinaryNode[]> {
  if (query.attrs.type === 'set') {
    device.addPreKeys(uploadedKeys(query));
    return [];
  }
  if (child(query, 'count') !== undefined) {
    return [node('count', { value: String(device.preKeys.size) })];
  }
  const wanted = children(child(query, 'key')).map((user) => attribute(user, 'jid'));
  if (wanted.length > 0) {
    return [node('list', {}, await Promise.all(wanted.map((jid) => bundleOf(world, jid))))];
  }
  return child(query, 'digest') === undefined ? [] : [node('digest', {}, [])];
}

function uploadedKeys(upload: BinaryNode): Map<number, Uint8Array> {
  return new Map(
    children(child(upload, 'list')).map((key) => [readBigEndian(bytesOf(key, 'id')), bytesOf(key, 'value')]),
  );
}

async function bundleOf({ account, phone, devices, contacts }: World, jid: string): Promise<BinaryNode> {
  const { user, device = 0 } = jidDecode(jid) ?? {};
  if (isOwn(account, jid)) {
    const companion = devices.find(({ number }) => number === device);
    return bundleNode(jid, companion?.takeBundle() ?? (await phone.issueBundle()));
  }
  const contact = [...contacts.values()].find(({ person }) => person.phone === user || person.lid === user);
  if (contact === undefined)
    return node('user', { jid }, [node('error', { code: '404', text: 'not-found' })]);
  return bundleNode(jid, await contact.peer.issueBundle());
}

/** Answers the two things that Baileys asks about users: their LID and their devices. */
function answerUserSync({ account, contacts, devices }: World, query: BinaryNode): BinaryNode {
  const sync = child(query, 'usync');
  const asked = sync === undefined ? undefined : child(sync, 'list');
  const users = children(asked).map((user) => {
    const jid = attribute(user, 'jid');
    const own = isOwn(account, jid);
    const person = own ? account : contacts.get(jidDecode(jid)?.user ?? '')?.person;
    const numbers = own ? [0, ...devices.map(({ number }) => number)] : [0];
    return node('user', { jid }, [
      ...(person === undefined ? [] : [node('lid', { val: lidOf(person) })]),
      node('devices', {}, [
        node(
          'device-list',
          {},
          numbers.map((id) => node('device', { id: String(id), 'key-index': String(id) })),
        ),
      ]),
    ]);
  });
  return node('usync', { sid: sync?.attrs.sid ?? '', index: '0', last: 'true' }, [node('list', {}, users)]);
}

/** The stanza that opens a session for a client that has logged in. */
export function successNode(device: LinkedDevice): BinaryNode {
  return node('success', {
    lid: device.lid,
    t: String(Math.floor(Date.now() / 1000)),
    props: '1',
    location: 'loopback',
    from: S_WHATSAPP_NET,
  });
}
