import { EXIT, UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { PairOutcome } from '../../whatsapp/pair-device.js';
import type { NoConnection } from '../../whatsapp/connect-device.js';

/** The error for a pairing that came to nothing. */
export function pairingError(
  outcome: Exclude<PairOutcome, { kind: 'linked' }>,
  connection: string,
): UserError {
  switch (outcome.kind) {
    case 'refused':
      return new UserError(`That phone has another number than the connection '${connection}': refused.`, {
        code: 'wrong_number',
        remedy: outcome.unlinked
          ? 'It was unlinked again, and nothing of it was stored. Scan with the phone of this connection.'
          : 'Nothing of it was stored, but it could not be unlinked: remove it on that phone, under Linked devices.',
      });
    case 'expired':
      return new UserError('Nobody linked the device in time.', {
        code: 'not_linked',
        exitCode: EXIT.notLinked,
        remedy: 'Run the same command again, and on the phone: Settings, Linked devices, Link a device.',
      });
    case 'logged_out':
      return new UserError('WhatsApp has unlinked the device again.', {
        code: 'logged_out',
        exitCode: EXIT.notLinked,
        remedy: 'See on the phone whether the account is in order, then run the same command again.',
      });
    default:
      return connectionError(outcome, connection);
  }
}

/** For the day when WhatsApp refuses the version that is built in, or the one that was set. */
export const HOW_TO_GET_A_VERSION =
  'Update wa-reconcile. Until there is an update, set WA_RECONCILE_WHATSAPP_VERSION to the version that web.whatsapp.com runs now: open it in a browser, and look under Settings, Help. The version that was refused just now stays refused.';

/** The error for a device of this connection that cannot be online. */
export function connectionError(problem: NoConnection, connection: string): UserError {
  switch (problem.kind) {
    case 'conflict':
      return new UserError('Another login with the credentials of this device took over.', {
        code: 'conflict',
        remedy:
          'Nothing tries to take it back. See that no copy of this database is in use, then run the same command again.',
      });
    case 'logged_out':
      return new UserError('The device is not linked any more: it was removed on the phone.', {
        code: 'logged_out',
        exitCode: EXIT.notLinked,
        remedy: remedy('link', ['--connection', connection], 'links it again'),
      });
    case 'interrupted':
      return new UserError('Interrupted.', {
        code: 'interrupted',
        exitCode: EXIT.interrupted,
        remedy: 'The same command goes on.',
      });
    case 'offline':
      return problem.reason === 'outdated'
        ? new UserError('WhatsApp refuses the version of WhatsApp Web that this tool says it is.', {
            code: 'whatsapp_version_refused',
            remedy: HOW_TO_GET_A_VERSION,
          })
        : new UserError(`WhatsApp cannot be reached (${problem.reason}).`, {
            code: 'whatsapp_unreachable',
            remedy:
              'See that this machine reaches web.whatsapp.com on port 443, then run the same command again.',
          });
  }
}
