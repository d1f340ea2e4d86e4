// The JSON Schemas of the wire format, where they are served and where they are documented.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { jsonSchemas } from '../../src/gateway/schemas/jsonSchemas.ts';
import { repository, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';

test('docs/wire-format.md has the schemas that the code is checked by', async () => {
  const page = await readFile(join(repository, 'docs/wire-format.md'), 'utf8');
  for (const [name, schema] of Object.entries(jsonSchemas)) {
    const block = new RegExp(`^\`\`\`json ${name}-schema\n(.*?)\n\`\`\`$`, 'ms').exec(page)?.[1];
    assert.ok(block, `a block json ${name}-schema`);
    assert.deepEqual(JSON.parse(block), JSON.parse(JSON.stringify(schema)), `the schema of ${name}`);
  }
});

test('a gateway serves them without a key', async (t) => {
  const { ask } = await startGateway(await startFleet(t));
  const names = Object.keys(jsonSchemas);
  assert.deepEqual(Object.keys((await ask('GET', '/schemas')).json), names);
  for (const name of names) {
    const { json, headers } = await ask('GET', `/schemas/${name}`);
    assert.deepEqual(json, JSON.parse(JSON.stringify(jsonSchemas[name as keyof typeof jsonSchemas])));
    assert.match(headers.get('content-type') ?? '', /^application\/schema\+json/);
  }
  for (const name of ['none', 'constructor'])
    assert.equal((await ask('GET', `/schemas/${name}`)).json.code, 'ROUTE_UNKNOWN');
});
