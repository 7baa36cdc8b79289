import type { MessageSource } from '../model/enumerations.js';
import type { ContentGrade, MessageOrigin } from '../model/facts.js';

/**
 * How good the evidence for each part of a message is (rule M2). Every part is its own register: the highest rank wins,
 * equal ranks are settled by the values themselves, never by arrival. So merging is commutative, associative and
 * idempotent, and any order and repetition of a log ends in the same row.
 *
 * Ranks fit in four bits and are packed in `messages.evidence`; 0 means unknown.
 */
export interface EvidenceRanks {
  /** Evidence for direction, timestamp and thread. */
  structure: number;
  type: number;
  body: number;
  media: number;
  context: number;
  rawMeta: number;
}

/**
 * A media follow-up never moves a message; an echo may be one, so a history chunk outranks it. Live outranks standby,
 * so that the row shows which messages this business was to answer (T1).
 */
const STRUCTURE_RANK: Record<MessageOrigin, number> = {
  adopted: 1,
  follow_up: 1,
  echo: 2,
  history: 3,
  standby: 4,
  live: 5,
};

const GRADE_RANK: Record<ContentGrade, number> = { placeholder: 1, media_without_id: 2, content: 3 };

/** Below every source of WhatsApp's own. */
const ADOPTED_RANK = 0;

const SOURCE_RANK: Record<MessageSource, number> = { app_echo: 1, history: 2, live: 3 };

export function structureRank(origin: MessageOrigin): number {
  return STRUCTURE_RANK[origin];
}

/** Grade first, then source: a real text from history beats a live `unsupported` (131060), a live text beats history's. */
export function contentRank(grade: ContentGrade, origin: MessageOrigin): number {
  return GRADE_RANK[grade] * 4 + (origin === 'adopted' ? ADOPTED_RANK : SOURCE_RANK[sourceOf(origin)]);
}

/** The rank of a body that only names the content; the same from every source, so that it differs from a text's. */
export function labelRank(grade: ContentGrade): number {
  return GRADE_RANK[grade === 'placeholder' ? grade : 'content'] * 4;
}

const LABEL_RANKS: readonly number[] = [labelRank('placeholder'), labelRank('content')];

export function isLabelRank(rank: number): boolean {
  return LABEL_RANKS.includes(rank);
}

/** Orders the ranks of bodies: any text beats a label, even another program's text. */
export function bodyWeight(rank: number): number {
  return isLabelRank(rank) ? rank / 16 : rank;
}

/** The grade of a rank: 3 for real content, 2 for media without an id, 1 for a placeholder, 0 for none. */
export function gradeOfRank(rank: number): number {
  return rank >> 2;
}

/** Whether a rank is real content or media without an id, not a placeholder. */
export function isRealContent(rank: number): boolean {
  return gradeOfRank(rank) >= GRADE_RANK.media_without_id;
}

/** Whether a message came live: an inbound one opens tickets (T1). `standby` does not count. */
export function cameLive(ranks: EvidenceRanks): boolean {
  return ranks.structure === STRUCTURE_RANK.live;
}

/** Whether any message of WhatsApp's own knows the time better: so far only a media follow-up, or another program, says it. */
export function hasWeakTime({ structure }: Pick<EvidenceRanks, 'structure'>): boolean {
  return structure <= STRUCTURE_RANK.follow_up;
}

/** Whether a message is known only from a CRM (`compare --adopt`). */
export function isAdopted(ranks: EvidenceRanks): boolean {
  return ranks.structure === STRUCTURE_RANK.adopted && ranks.type % 4 === ADOPTED_RANK;
}

/** The same, on the packed column, for SQL. */
export const IS_ADOPTED_SQL = `((evidence & 15) = ${STRUCTURE_RANK.adopted} and ((evidence >> 4) & 3) = ${ADOPTED_RANK})`;

/** {@link cameLive}, on the packed column, for SQL. */
export const CAME_LIVE_SQL = `(evidence & 15) = ${STRUCTURE_RANK.live}`;

export function sourceOf(origin: MessageOrigin): MessageSource {
  switch (origin) {
    case 'live':
    case 'standby':
      return 'live';
    case 'history':
    case 'follow_up':
    case 'adopted':
      return 'history';
    case 'echo':
      return 'app_echo';
  }
}

export function packEvidence(ranks: EvidenceRanks): number {
  return (
    ranks.structure |
    (ranks.type << 4) |
    (ranks.body << 8) |
    (ranks.media << 12) |
    (ranks.context << 16) |
    (ranks.rawMeta << 20)
  );
}

export function unpackEvidence(packed: number): EvidenceRanks {
  return {
    structure: packed & 15,
    type: (packed >> 4) & 15,
    body: (packed >> 8) & 15,
    media: (packed >> 12) & 15,
    context: (packed >> 16) & 15,
    rawMeta: (packed >> 20) & 15,
  };
}
