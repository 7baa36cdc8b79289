import * as enumerations from '../../model/enumerations.js';
import { REJECT_WORDS } from '../../model/facts.js';

/** The words that this tool writes itself: in columns, of every enumeration. */
const ENUMERATED = Object.values(enumerations).flatMap((value) =>
  Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [],
);

const split = (text: string): string[] => text.trim().split(/\s+/);

const COMMANDS =
  split(`replay reconcile dedupe verify undo raw discard import link media fetch rekey erase prune restore backup
  compare chat-export history request connection add edit archive remove export doctor db migrate`);

/** Types of messages, and reasons: what a person cannot choose. */
const TYPES =
  split(`text image video audio voice document sticker location contacts interactive button order template reaction
  system unsupported unknown poll media_placeholder group status_broadcast broadcast newsletter no_message_id no_counterpart
  bad_time id_collision unknown_format broken_json empty no_webhook bad_signature too_large business_number phone_number_conflict
  connection_ambiguous unknown_connection target_missing protocol stub to_self system_message`);

/** Of verdicts and of errors of this tool; what is not here is masked. */
const PROSE =
  split(`a all already an and are as at be been by can cannot checks completed compared connection connections
  contacts conversation conversations created degraded did different done duplicate duplicated duplicates entries entry failed
  finished for found from group groups has have history in interrupted into is item items it lead leads left log lost merged
  merge message messages missing more nothing not note notes of on one or partial partly pending problems processed raw read
  reconciled rejected replay restored row rows run runs skipped stored that the they this ticket tickets to undone unchanged
  unknown updated verified was were with without error json broken ends early character database disk full timeout
  closed refused reset invalid syntax input type relation column does exist permission denied table null value`);

/** Fields of the logs: Meta's, Baileys' and vendors', as their documentation names them. */
const FIELDS =
  split(`object entry id changes value field messaging_product metadata display_phone_number phone_number_id contacts
  profile name wa_id user_id messages from to timestamp type text body image video audio voice document sticker caption mime_type
  sha256 filename url link location latitude longitude address interactive button payload reply button_reply list_reply title
  description nfm_reply response_json order product_items reaction emoji message_id context forwarded frequently_forwarded
  referred_product referral source_url source_type source_id headline errors code message error_data details href statuses
  status recipient_id recipient_user_id conversation expiration_timestamp origin pricing billable pricing_model category
  message_echoes smb_message_echoes history phase chunk_order progress threads history_context from_me state_sync action
  full_name first_name last_name username event account_update ban_info violation_info phone_number business_id
  messaging_handovers standby user_preferences message_template_id message_template_name message_template_language reason
  edit revoke original_message_id system identity customer group_id group new_wa_id unsupported biz_opaque_callback_data
  key remoteJid remoteJidAlt participant participantAlt fromMe pushName verifiedBizName messageTimestamp messageType
  messageStubType messageStubParameters extendedTextMessage imageMessage videoMessage audioMessage documentMessage stickerMessage
  contactMessage contactsArrayMessage locationMessage liveLocationMessage reactionMessage protocolMessage editedMessage
  ephemeralMessage viewOnceMessage viewOnceMessageV2 documentWithCaptionMessage templateMessage listMessage
  listResponseMessage buttonsMessage buttonsResponseMessage pollCreationMessage pollUpdateMessage contextInfo stanzaId
  quotedMessage mimetype fileSha256 fileEncSha256 fileLength mediaKey mediaKeyTimestamp directPath jpegThumbnail seconds ptt
  height width data event events sender instance instanceId session sessionId server_url apikey date_time destination
  chats isLatest syncType presence update updates upsert append notify ack _data hasMedia mediaUrl mediaType engine environment
  me lid phone headers params query webhookUrl executionMode request method path host level time msg log stream tag
  attrs kubernetes timestampMs receivedAt createdAt updatedAt attempt retry source record records app version mobile waId`);

/** Of options and counters of runs, and the tables and columns of this tool. */
const OWN =
  split(`paths directory content connection contact organization register tickets include dryRun apply force strict
  maxErrors batchSize resume noResume full since until tz check checks enforce class classes listBatch listPause pagePause count
  timeout again to concurrency maxBytes minSize maxSize input within lockWait json format output home all scan bodies adopt
  bytesRead failed partial unrecognized duplicates stored processed statuses edits revokes reactions pending rejected skipped
  updated created unchanged opened refreshed merged organizations connections leads lead_identities conversations messages
  message_revisions message_reactions pending_facts tickets webhook_log history_chunks sync_runs sync_logs rejects change_journal
  discarded_bodies linked_devices linked_device_keys alert_acks proven_blocks owed_files history_gaps saved_comparisons
  graph_credentials history_requests media_files access_log erasures erased_identities erasure_keys auto none true false`);

/** Why items are skipped and entries are not read, and what runs count. */
const COUNTED =
  split(`self_thread official_account unknown_status own_number not_a_contact other_connection other_contact overruled
  no_json invalid_json printed_json nested_too_deep unknown_list not_a_list nothing_known filtered read duplicate ignored seen
  applied valid bad uncheckable sha1 unsigned registered historySync phase chunkOrder progress missingChunks missingFiles
  ownNumberRemoved problemCount chatterLines entries messages`);

const KNOWN = new Set([
  ...ENUMERATED,
  ...Object.keys(REJECT_WORDS),
  ...COUNTED,
  ...OWN,
  ...COMMANDS,
  ...TYPES,
  ...PROSE,
  ...FIELDS,
]);
const FIELD_NAMES = new Set(FIELDS);

/** Whether a word is one of this tool's or of a format's own, so that it says nothing of anybody. */
export function isKnownWord(word: string): boolean {
  return KNOWN.has(word) || KNOWN.has(word.toLowerCase());
}

/** Whether a key of a body is a field of its format. Any other may be a number or a name. */
export function isFieldName(key: string): boolean {
  return FIELD_NAMES.has(key);
}
