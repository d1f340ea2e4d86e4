// Prints who wrote what is installed here, under which licence, with the text of each: what an image that carries it must say.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The folders of packages in a node_modules, those of scopes and of nested ones too. */
function packagesIn(folder) {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return names.flatMap((name) => {
    const path = join(folder, name);
    if (name.startsWith('@')) return packagesIn(path);
    const own = readdirSync(path);
    return [path, ...(own.includes('node_modules') ? packagesIn(join(path, 'node_modules')) : [])];
  });
}

function noticeOf(folder) {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { name, version, license = 'licence not said', homepage = '' } = about;
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice|third-?party)/i.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  // Packages of libvips come without the text. Debian and Ubuntu have it.
  if (texts.length === 0 && /LGPL-3/.test(license)) texts.push(lgpl(name));
  return [`${name} ${version}: ${license} ${homepage}`.trim(), ...texts].join('\n\n');
}

const lgpl = (name) =>
  [
    'The text of the licence is /usr/share/common-licenses/LGPL-3. The library is linked at run time and may be replaced:',
    `node_modules/${name}/lib. Its sources and how it is built: https://github.com/lovell/sharp-libvips`,
  ].join('\n');

const lines = '-'.repeat(80);
const notices = packagesIn(join(root, 'node_modules')).sort().map(noticeOf);
process.stdout.write(`${notices.join(`\n\n${lines}\n\n`)}\n`);
