import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jsonLines } from '../../support/fleet.ts';
import { serveNames } from '../../support/nameServer.ts';

const program = fileURLToPath(new URL('../../support/lookup-names.js', import.meta.url));
const no = 'this machine allows no name server of the test’s own';

test('what getaddrinfo resolves is resolved: a hosts file, a search domain, IPv6 alone', async (t) => {
  const zone = (name: string) =>
    ({
      'short.inside.test': { A: '192.0.2.7' },
      'both.test': { A: '192.0.2.8', AAAA: '2001:db8:0:0:0:0:0:8' },
      'six.test': { AAAA: '2001:db8:0:0:0:0:0:6' },
    })[name];
  const hosts = '192.0.2.9 in-file container-name\n2001:db8::9 six-in-file\n';
  const names = await serveNames(t, zone, { hosts, search: 'inside.test' });
  if (!names) return t.skip(no);
  const wanted = [
    'localhost',
    'in-file',
    'container-name',
    'six-in-file',
    'short',
    'both.test',
    'six.test',
    'gone.test',
  ];
  const [command, ...args] = [...names.prefix, process.execPath, program, ...wanted];
  const { stdout } = await promisify(execFile)(command!, args);
  const found = jsonLines<{ name: string; own: string[] | string; theirs: string[] | string }>(stdout);
  const theirs = Object.fromEntries(found.map((each) => [each.name, each.theirs]));
  for (const { name, own, theirs } of found.slice(0, -1)) assert.deepEqual(theirs, own, name);
  assert.deepEqual(theirs['in-file'], ['192.0.2.9']);
  assert.deepEqual(theirs.short, ['192.0.2.7']);
  assert.ok(theirs['both.test']!.includes('192.0.2.8'));
  assert.equal(theirs['gone.test'], 'absent');
});
