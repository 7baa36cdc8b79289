import { randomBytes } from 'node:crypto';
import { type BinaryNode, encodeSyncdPatch, newLTHashState, proto } from '@whiskeysockets/baileys';
import type { World } from './account.js';
import { child, children, node } from './nodes.js';

/** The collection that holds the account's own name. */
const OWN_SETTINGS = 'critical_block';

/** A key as a phone makes it: six bytes of id, 32 of key. */
export function createAppStateKey(): World['appStateKey'] {
  return { id: randomBytes(6), data: randomBytes(32) };
}

/**
 * Answers a device that synchronizes the account's settings from their beginning: the account's name, encrypted with the key
 * that the phone has shared. All other collections are at the device's own version and have no patches: with any left out,
 * Baileys asks for ever.
 */
export async function answerAppState(world: World, query: BinaryNode): Promise<BinaryNode[]> {
  return Promise.all(
    children(child(query, 'sync')).map(async ({ attrs }) => {
      const { name = '', version = '0' } = attrs;
      const patches = name === OWN_SETTINGS && version === '0' ? [await ownName(world)] : [];
      return node('collection', { name, version }, patches);
    }),
  );
}

async function ownName({ account, appStateKey: { id, data } }: World): Promise<BinaryNode> {
  const { patch } = await encodeSyncdPatch(
    {
      type: OWN_SETTINGS,
      index: ['setting_pushName'],
      syncAction: { pushNameSetting: { name: account.name ?? '' }, timestamp: Date.now() },
      apiVersion: 1,
      operation: proto.SyncdMutation.SyncdOperation.SET,
    },
    Buffer.from(id).toString('base64'),
    newLTHashState(),
    () => Promise.resolve(proto.Message.AppStateSyncKeyData.fromObject({ keyData: data })),
  );
  return node('patches', {}, [node('patch', {}, proto.SyncdPatch.encode(patch).finish())]);
}
