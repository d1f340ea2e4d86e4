import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from './support.ts';

/** A name's addresses by record type; names that are not there do not exist. */
export type Zone = (name: string) => { A?: string; AAAA?: string } | 'silent' | undefined;

const A = 1;
const AAAA = 28;

/**
 * A name server on a loopback address of its own that answers by `zone`, not at all where that says `silent`, and a command line
 * prefix under which a process asks it and no other: in a mount namespace whose resolv.conf and hosts file are the test's.
 * Undefined where this machine allows neither.
 */
export async function serveNames(
  t: TestContext,
  zone: Zone,
  files: { hosts?: string; search?: string } = {},
) {
  const prefix = ['unshare', '-m', '--propagation', 'private'];
  if (spawnSync(prefix[0]!, [...prefix.slice(1), 'true']).status !== 0) return undefined;
  const asked: string[] = [];
  const server = createSocket('udp4', (query, from) => {
    const { name, type, end } = questionOf(query);
    asked.push(name);
    const found = zone(name);
    if (found !== 'silent') server.send(answerTo(query, end, type, found), from.port, from.address);
  });
  const address = `127.${1 + (process.pid % 250)}.${1 + Math.floor(Math.random() * 250)}.53`;
  server.bind(53, address);
  await once(server, 'listening');
  t.after(() => server.close());
  const folder = await temporaryFolder(t);
  const search = files.search === undefined ? '' : `search ${files.search}\n`;
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${address}\n${search}`);
  await writeFile(join(folder, 'hosts'), `127.0.0.1 localhost\n${files.hosts ?? ''}`);
  const mounts = ['resolv.conf', 'hosts'].map((file) => `mount --bind "${folder}/${file}" /etc/${file}`);
  return { asked, prefix: [...prefix, 'sh', '-c', `${mounts.join(' && ')} && exec "$0" "$@"`] };
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (; query[at]! > 0; at += 1 + query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** By RFC 1035, section 4.1: the question once more, and one address, or none where the name has none of that type. */
function answerTo(
  query: Buffer,
  end: number,
  type: number,
  found: { A?: string; AAAA?: string } | undefined,
) {
  const header = Buffer.from(query.subarray(0, 12));
  const bytes = type === A ? bytesOf4(found?.A) : type === AAAA ? bytesOf6(found?.AAAA) : undefined;
  header.writeUInt16BE(found ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(bytes ? 1 : 0, 6);
  header.fill(0, 8, 12);
  const question = query.subarray(12, end);
  if (!bytes) return Buffer.concat([header, question]);
  const record = Buffer.alloc(12);
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(type, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(60, 6);
  record.writeUInt16BE(bytes.length, 10);
  return Buffer.concat([header, question, record, bytes]);
}

const bytesOf4 = (address?: string) => address && Buffer.from(address.split('.').map(Number));

/** Of an address that is written out in full: eight groups. */
const bytesOf6 = (address?: string) =>
  address &&
  Buffer.from(
    address
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
    'hex',
  );
