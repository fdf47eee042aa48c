/**
 * Every kind of alert, with what it means in one line. What to do about each stands in docs/alerts.md; a test holds the two
 * together, so that nobody is woken by a kind of which nothing is written.
 */
export const alertKinds = {
  'undo-failed': 'A step of a checklist could not be undone; what it made may be left.',
  'backend-refuses': 'A model account does not let the platform in.',
  'budget-threshold': 'A tenant has used so much of one of its budgets.',
  'budget-refusing': 'Calls of a tenant are refused by one of its budgets.',
  'budget-unpriced': 'A tenant with a money budget calls a model without a price.',
  'billing-behind': 'Days of usage are not closed, or invoices not issued, for days.',
  'invoice-overdue': 'Invoices of tenants could not be issued; all others are.',
  'tuning-ended': 'A fine-tuning job has ended.',
  'tuning-left-behind': 'A model account may still have something of a job that is gone.',
  'model-drift': 'What a tuned model is asked is no longer what it was trained on.',
  'shared-model-affected': 'A shared model has examples of a tenant that objected.',
  'shared-model-failed': 'A shared model could not be made.',
  'recovery-lag': 'The replica in the paired region is behind.',
  'recovery-loss': 'Most of a tenant’s models and training data are missing in the first region.',
  'capacity-limit-ahead':
    'A limit of a tenant’s, or what a deployment can take, is expected to be reached within a month.',
  'recovery-damaged': 'Replicated records were damaged and were not brought back.',
  'notification-undelivered': 'A notification could not be delivered for a day and was given up.',
  'usage-drift': 'The provider counts other usage of a deployment than the platform does.',
  'usage-unreadable': 'The provider’s figures of an account cannot be read, so nothing is compared.',
  'rotation-due': 'Keys or secrets have been the same for too long.',
  'key-rotation-failed': 'The keys of a model account could not be rotated.',
  'noisy-neighbour': 'A tenant is in other tenants’ way at a backend that they share.',
  'sla-incident': 'An objective of a tenant’s is broken faster than its error budget allows.',
  'sla-overspent': 'The error budget of one of a tenant’s objectives is spent for this month.',
} as const satisfies Readonly<Record<string, string>>

export type AlertKind = keyof typeof alertKinds
