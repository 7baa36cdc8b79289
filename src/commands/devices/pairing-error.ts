import { EXIT, UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { PairOutcome } from '../../whatsapp/pair-device.js';
import type { NoConnection } from '../../whatsapp/connect-device.js';

/** The error for a pairing that failed. */
export function pairingError(
  outcome: Exclude<PairOutcome, { kind: 'linked' }>,
  connection: string,
): UserError {
  switch (outcome.kind) {
    case 'refused':
      return new UserError(`Refused: this is not the phone of the connection '${connection}'.`, {
        code: 'wrong_number',
        remedy: outcome.unlinked
          ? 'It was unlinked again, and nothing was stored. Scan with the phone of this connection.'
          : 'Nothing was stored, but it could not be unlinked: remove it on that phone, under Linked devices.',
      });
    case 'expired':
      return new UserError('The device was not linked in time.', {
        code: 'not_linked',
        exitCode: EXIT.notLinked,
        remedy: 'Run the same command again, and on the phone: Settings, Linked devices, Link a device.',
      });
    case 'logged_out':
      return new UserError('WhatsApp has unlinked the device again.', {
        code: 'logged_out',
        exitCode: EXIT.notLinked,
        remedy: 'Check the account on the phone, then run the same command again.',
      });
    default:
      return connectionError(outcome, connection);
  }
}

/** For when WhatsApp refuses the built-in or configured version. */
export const HOW_TO_GET_A_VERSION =
  'Update wa-reconcile. Until there is an update, set WA_RECONCILE_WHATSAPP_VERSION to the current version of web.whatsapp.com (in a browser: Settings, Help). Where it is set already, that version was refused: set a newer one, or unset it.';

/** The error for a device of this connection that cannot go online. */
export function connectionError(problem: NoConnection, connection: string): UserError {
  switch (problem.kind) {
    case 'conflict':
      return new UserError('Another login with the credentials of this device took over.', {
        code: 'conflict',
        remedy:
          'This login does not reconnect. Make sure that no copy of this database is in use, then run the same command again.',
      });
    case 'logged_out':
      return new UserError('The device is no longer linked: it was removed on the phone.', {
        code: 'logged_out',
        exitCode: EXIT.notLinked,
        remedy: remedy('link', ['--connection', connection], 'links it again'),
      });
    case 'interrupted':
      return new UserError('Interrupted.', {
        code: 'interrupted',
        exitCode: EXIT.interrupted,
        remedy: 'Run the same command again to resume.',
      });
    case 'offline':
      return problem.reason === 'outdated'
        ? new UserError('WhatsApp refuses the version of WhatsApp Web that this tool reports.', {
            code: 'whatsapp_version_refused',
            remedy: HOW_TO_GET_A_VERSION,
          })
        : new UserError(`WhatsApp cannot be reached (${problem.reason}).`, {
            code: 'whatsapp_unreachable',
            remedy:
              'Check that this machine can reach web.whatsapp.com on port 443, then run the same command again.',
          });
  }
}
