import { choice, option, real, text } from './option.ts';

const score = real(-1e9, 1e9).optional();

/** What decides whether an answer is accepted, when it is shown. */
export const decisionOptions = {
  accept: option({
    flag: 'accept',
    env: 'CLIPFLEET_ACCEPT',
    value: 'SCORE',
    schema: score,
    defaultSays: 'that of the run’s label file',
    says: 'Accept answers from this score on; labels may have thresholds of their own in the label file. Rows stay as they are.',
  }),
  review: option({
    flag: 'review',
    env: 'CLIPFLEET_REVIEW',
    value: 'SCORE',
    schema: score,
    defaultSays: 'that of the run’s label file, else nothing is rejected for its score',
    says: 'What is not accepted is for review from this score on, and rejected below it.',
  }),
  margin: option({
    flag: 'margin',
    env: 'CLIPFLEET_MARGIN',
    value: 'SCORE',
    schema: real(0, 1e9).optional(),
    defaultSays: 'that of the run’s label file',
    says: 'Accept an answer only if it leads the next one by this much.',
  }),
  thresholds: option({
    flag: 'thresholds',
    env: 'CLIPFLEET_THRESHOLDS',
    value: 'FILE',
    schema: text.optional(),
    defaultSays: 'those of the run',
    says: 'Label file whose thresholds decide in place of those that the run was opened with.',
  }),
  decision: option({
    flag: 'decision',
    env: 'CLIPFLEET_DECISION',
    value: 'DECISION',
    schema: choice('accept', 'review', 'reject').optional(),
    says: 'Only rows of this decision: accept, review or reject.',
  }),
} as const;
