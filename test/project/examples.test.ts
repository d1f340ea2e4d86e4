import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { repository } from '../support/fleet.ts';

test('the pipeline in one call and by hand print equal numbers', async () => {
  const print = async (name: string) => {
    const options = { cwd: repository, timeout: 60_000 };
    return (await promisify(execFile)(process.execPath, [`dist/examples/${name}.js`], options)).stdout;
  };
  const pipeline = await print('pipeline');
  const lines = pipeline.trim().split('\n');
  assert.equal(lines.length, 8);
  assert.match(lines[0]!, /^owl 0\.\d{6}$/);
  assert.match(lines[4]!, /^car 0\.\d{6}$/);
  const byHand = (await print('by-hand')).trim().split('\n');
  lines.forEach((line, i) => {
    const [label, score] = line.split(' ');
    const [labelByHand, scoreByHand] = byHand[i]!.split(' ');
    assert.equal(labelByHand, label);
    // Six digits are printed, and the last may be rounded the other way.
    assert.ok(Math.abs(Number(score) - Number(scoreByHand)) < 2e-6, `${line}, by hand ${byHand[i]}`);
  });
});
