// The OpenAPI document: valid by a public validator, its examples executed, and held to by schemathesis.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, pictures, repository, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';
import { venvPython } from '../support/wider.ts';

interface Media {
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
  schema: { examples?: unknown[] };
}

interface Operation {
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, unknown>;
}

test('the document is valid, its examples work, and the gateway does what it says', {
  timeout: 600_000,
}, async (t) => {
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel, '--root', pictures);
  const { ask, url } = await startGateway(fleet, '--answer-timeout-ms', '2000');
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');

  const { json: document } = await ask('GET', '/openapi.json');
  const file = join(fleet.folder, 'openapi.json');
  await writeFile(file, JSON.stringify(document));
  const valid = spawnSync(venvPython(), ['-m', 'openapi_spec_validator', file], { encoding: 'utf8' });
  assert.equal(valid.status, 0, valid.stdout + valid.stderr);

  let examples = 0;
  for (const [path, methods] of Object.entries(document.paths as Record<string, Record<string, Operation>>)) {
    for (const [method, { requestBody, responses }] of Object.entries(methods)) {
      for (const example of examplesOf(requestBody?.content['application/json'])) {
        const answer = await ask(method.toUpperCase(), path, example);
        assert.ok(answer.status in responses, `${method} ${path} answered ${answer.status}`);
        assert.notEqual(answer.status, 400, `${method} ${path}: ${answer.text}`);
        examples++;
      }
    }
  }
  assert.ok(examples >= 3, `only ${examples} examples`);

  // The run that its ids lead to.
  assert.equal(
    (await ask('POST', '/v1/runs', { run: '0', labelSet: { labels: ['fox', 'owl'] } })).status,
    201,
  );
  const checks =
    'not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,negative_data_rejection,positive_data_acceptance';
  const program = [
    ...['--config-file', join(repository, 'test/gateway/schemathesis.toml'), 'run', `${url}/openapi.json`],
    ...['--phases', 'examples,coverage,fuzzing', '--max-examples', '25', '--seed', '1', '--checks', checks],
    // Streams of a run that goes on have no end.
    ...['--exclude-path-regex', '(events|/rows)$', '--no-color'],
  ];
  const said = await new Promise<string>((resolve) => {
    const options = { cwd: fleet.folder, timeout: 500_000, maxBuffer: 64e6 };
    execFile(join(repository, '.venv/bin/st'), program, options, (error, stdout, stderr) =>
      resolve(error ? `${stdout}${stderr}` : ''),
    );
  });
  assert.equal(said, '');
});

/** Of one media type of a body, wherever the document has them. */
function examplesOf(media: Media | undefined): unknown[] {
  const { example, examples = {}, schema } = media ?? { schema: {} };
  const named = Object.values(examples).map(({ value }) => value);
  return [...(example === undefined ? [] : [example]), ...named, ...(schema.examples ?? [])];
}
