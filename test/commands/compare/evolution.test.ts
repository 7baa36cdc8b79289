import { findsWhatIsPlanted } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { fillEvolution } from '../../support/crm/evolution.js';
import type { Bug } from '../../support/crm/expectation.js';
import { describeOnBackends } from '../../support/databases.js';

const BUGS: readonly Bug[] = [
  'first_of_batch_only',
  'media_without_storage',
  'race_of_two_webhooks',
  'lid_split',
  'doubled_redelivery',
  'random_loss',
  'edits_overwrite',
];

const databases = useCrmDatabases();

describeOnBackends('compare evolution', (backend) => {
  findsWhatIsPlanted(backend, databases, { crm: 'evolution', fill: fillEvolution, bugs: BUGS });
});
