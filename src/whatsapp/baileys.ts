/**
 * All that this tool uses of Baileys. A build takes over the code behind these names (`rolldown.config.ts`), so that an installation
 * needs neither Baileys nor the image library that npm installs with it.
 */
export {
  BufferJSON,
  DEFAULT_CONNECTION_CONFIG,
  DisconnectReason,
  downloadAndProcessHistorySyncNotification,
  getErrorCodeFromStreamError,
  getHistoryMsg,
  getMediaKeys,
  getUrlFromDirectPath,
  initAuthCreds,
  isLidUser,
  jidDecode,
  jidNormalizedUser,
  makeWASocket,
  proto,
} from '@whiskeysockets/baileys';
export type {
  AuthenticationCreds,
  AuthenticationState,
  BaileysEventMap,
  BinaryNode,
  LIDMapping,
  MediaType,
  SignalDataTypeMap,
  SignalKeyStore,
  WASocket,
  WAVersion,
} from '@whiskeysockets/baileys';
export type { ILogger } from '@whiskeysockets/baileys/lib/Utils/logger.js';
