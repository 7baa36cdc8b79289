import { type AuthenticationCreds, jidDecode } from '@whiskeysockets/baileys';

/** A device as WhatsApp names it. */
export interface LinkedAccount {
  /** `5511…:12@s.whatsapp.net` */
  id: string;
  /** The number that it belongs to, as WhatsApp writes it, digits only. */
  phone: string;
  /** Its number among the account's devices. */
  device: number;
}

/** Whose the credentials are; undefined before they are paired. */
export function accountOf({ me }: AuthenticationCreds): LinkedAccount | undefined {
  if (me === undefined) return undefined;
  const decoded = jidDecode(me.id);
  return decoded === undefined ? undefined : { id: me.id, phone: decoded.user, device: decoded.device ?? 0 };
}
