import type { ConnectionKind } from '../../model/enumerations.js';
import type { Remedy } from '../../model/remedy.js';
import type { MessageCounts, Problem, RunResult } from '../../model/run-result.js';

export interface DeviceView {
  /** E.164. */
  phone: string | null;
  /** Its number among the account's devices. */
  device: number;
}

interface ConnectionName {
  id: string;
  name: string;
}

/** The JSON of `link`, `schemaVersion` 1; fields are only ever added. */
export interface LinkResult {
  schemaVersion: 1;
  command: 'link';
  runId: string;
  /** `partial`: linked, but the phone stopped sending, or some of what it sent, now or earlier, could not be downloaded or read. */
  status: RunResult['status'];
  connection: ConnectionName;
  device: DeviceView;
  /** It was already linked; this call only logged it in. */
  wasLinked: boolean;
  /** How the phone's first sync ended. */
  sync: 'complete' | 'stalled' | 'interrupted';
  /** Chunks of history that the phone announced, and those that arrived. */
  chunks: {
    announced: number;
    received: number;
    /** The chunks that yielded the messages, including those stored by an earlier run. */
    applied: number;
  };
  /** Files of history that could not be downloaded, including earlier ones; they stay on record. */
  missingFiles: {
    count: number;
    error: string | null;
    /** Those that this run tried: Baileys' word for their type (`recent`, `full` …) and their number. */
    chunks: { type: string | null; chunk: number | null; reason: string }[];
  };
  messages: MessageCounts;
  contacts: number;
  leads: RunResult['leads'];
  problems: Problem[];
  problemCount: number;
}

/** What WhatsApp says about a device; without --check `logged_out` if the last import found it unlinked, else `unchecked`. */
export type DeviceState = 'unchecked' | 'online' | 'conflict' | 'logged_out' | 'offline' | 'interrupted';

/** A part of a chat that an answer left out. */
export interface OwedPart {
  /** Whose chat: a number, else a LID, in the form every command takes. */
  contact: string;
  /** RFC 3339: the messages between these two are missing; `from` null: everything older than `to`. */
  from: string | null;
  to: string;
  /** False: they only may be missing. */
  proven: boolean;
  /** A file, a chunk between others, or a short answer that the phone did not confirm. */
  reason: 'file' | 'chunk' | 'short';
  /** The command that requests them. */
  remedy: Remedy;
}

export interface LinkedDeviceStatus {
  connection: ConnectionName & { kind: ConnectionKind };
  phone: string | null;
  device: number;
  /** RFC 3339. */
  linkedAt: string;
  lastUsedAt: string;
  /** Whether the given secret key opens it. `damaged`: no key does. */
  key: 'ok' | 'missing' | 'wrong' | 'damaged';
  whatsapp: DeviceState;
  /** History that its phone announced or left out; the next import requests it again. */
  owed: { files: number; gaps: number; parts: OwedPart[] };
}

export interface DeviceStatusResult {
  schemaVersion: 1;
  command: 'link status';
  devices: LinkedDeviceStatus[];
}

export interface UnlinkResult {
  schemaVersion: 1;
  command: 'unlink';
  connection: ConnectionName;
  device: DeviceView;
  /** `unlinked` just now, `was_unlinked` earlier by the phone, or `left` there (`--forget`). */
  onPhone: 'unlinked' | 'was_unlinked' | 'left';
}
