import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { HostWait } from '../../../src/worker/hosts/hostWait.ts';
import { createLabelImages, type LabelHow, type Todo } from '../../../src/worker/jobs/labelImages.ts';
import { refs, silent } from '../../support/heart.ts';
import { matrix } from '../../support/threeLabels.ts';

const labels = { labelSet: defineLabelSet({ labels: ['fox', 'bear', 'owl'] }), matrix, truncated: [] };
const todo = (...ids: string[]): Todo[] =>
  refs(...ids).map((ref, index) => ({ ref, place: { chunk: 7, index } }));

/** Classifies by what the image is called: by an error, or by the signal's reason. */
const labelImages = createLabelImages({
  async classify({ id, run }, _, { signal }) {
    if (id === 'late') throw signal.reason;
    if (id === 'broken') throw new ClipfleetError('IMAGE_CORRUPT', 'It breaks off.');
    if (id === 'slow') throw new ClipfleetError('FETCH_TIMEOUT', 'Nothing came.');
    if (id === 'queued') throw new HostWait({ host: 'h', run }, 5_000, 'has as many requests as it may');
    if (id === 'refused') throw new HostWait({ host: 'h', run }, 5_000, 'answered HTTP 429', true);
    if (id === 'bug') throw new TypeError('undefined is not a function');
    if (id === 'lost') throw new ClipfleetError('SESSION_LOST', 'The session thread ended.');
    return { embedding: Float32Array.of(1, 0), predictions: [{ index: 1, score: 0.5 }] };
  },
  fingerprint: 'f',
  hostPatienceMs: 60_000,
  log: silent,
});

function how(about: Partial<LabelHow> = {}): LabelHow {
  const none = { run: 'r', generation: 2, urgent: false, refusedSince: 0, onCalledBack: () => {} };
  return { ...none, signal: new AbortController().signal, ...about };
}

async function outcomeOf(id: string, about?: Partial<LabelHow>) {
  return (await labelImages(todo(id), labels, how(about)))[0]!;
}

test('a row says which image, where it stood, what it is and when it was made', async () => {
  const from = Math.floor(Date.now() / 1_000);
  const [, outcome] = await labelImages(todo('a', 'b'), labels, how());
  assert.ok(outcome?.kind === 'classified');
  const { at, ...row } = outcome.row;
  assert.ok(Number.isInteger(at) && at >= from && at <= Date.now() / 1_000, `${at}`);
  assert.deepEqual(row, {
    ...{ id: 'b', uri: 'pictures/b.jpg', generation: 2, place: { chunk: 7, index: 1 } },
    ...{ status: 'classified', predictions: [{ index: 1, score: 0.5 }], fingerprint: 'f' },
  });
});

test('what failed is final, unless its code says that another attempt may help', async () => {
  const broken = await outcomeOf('broken');
  assert.ok(broken.kind === 'failed');
  assert.deepEqual(broken.row.error, { code: 'IMAGE_CORRUPT', message: 'It breaks off.' });
  assert.equal((await outcomeOf('slow')).kind, 'again');
  const bug = await outcomeOf('bug');
  assert.ok('row' in bug && bug.row.status === 'failed');
  assert.equal(bug.row.error.code, 'INTERNAL');
});

test('an image waits for its host without an attempt, until a host has refused it for too long', async () => {
  assert.deepEqual(await outcomeOf('queued'), { kind: 'wait', waitMs: 5_000, refused: false });
  assert.deepEqual(await outcomeOf('refused'), { kind: 'wait', waitMs: 5_000, refused: true });
  const longAgo = { refusedSince: Date.now() - 61_000 };
  assert.equal((await outcomeOf('queued', longAgo)).kind, 'wait', 'it only waits for its turn');
  const tooLong = await outcomeOf('refused', longAgo);
  assert.ok(tooLong.kind === 'failed' && tooLong.row.error.code === 'HOST_BUSY', 'which is final');
});

test('an image that was called back is told of, and has no row', async () => {
  const stopping = new AbortController();
  stopping.abort();
  const told: string[] = [];
  const onCalledBack = ({ ref }: Todo) => told.push(ref.id);
  const outcome = await outcomeOf('late', { signal: stopping.signal, onCalledBack });
  assert.deepEqual([outcome, told], [{ kind: 'calledBack' }, ['late']]);
});

test('labels that cannot be used fail every image, without classifying one', async () => {
  const error = new ClipfleetError('LABEL_SET_INVALID', 'It has no labels.');
  const outcomes = await labelImages(todo('a', 'lost'), error, how());
  assert.deepEqual(
    outcomes.map((outcome) => outcome.kind === 'failed' && outcome.row.error.code),
    ['LABEL_SET_INVALID', 'LABEL_SET_INVALID'],
  );
});

test('a lost session is no image’s fault: there is no outcome at all', async () => {
  await assert.rejects(labelImages(todo('a', 'lost'), labels, how()), { code: 'SESSION_LOST' });
});
