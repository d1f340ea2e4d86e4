import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LABEL_FILE_BYTES_MAX, readLabelFile } from '../../../src/producer/labels/labelFile.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'label-file-'));
});
after(() => rm(folder, { recursive: true }));

async function read(name: string, content: string | Uint8Array) {
  const path = join(folder, name);
  await writeFile(path, content);
  return readLabelFile(path);
}

/** The labels as the label set has them. */
async function labelsIn(name: string, content: string | Uint8Array) {
  return defineLabelSet(await read(name, content)).labels;
}

async function refused(name: string, content: string | Uint8Array, message: RegExp): Promise<void> {
  await assert.rejects(read(name, content), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'USAGE');
    assert.match(error.message, message);
    assert.ok(error.message.includes(name), error.message);
    return true;
  });
}

const plain = (...labels: string[]) => labels.map((label) => ({ label }));

describe('one label a line', () => {
  test('white space and blank lines go, everything else is the label', async () => {
    const labels = ['fox', '# owl', '"quoted"', 'a, b', 'ふくろう 🦉', '$& {}'];
    assert.deepEqual(await labelsIn('a.txt', `${labels.join('\n')}\n`), plain(...labels));
    assert.deepEqual(await labelsIn('a.TXT', ` ${labels.join(' \n\n\t')}  `), plain(...labels));
  });

  test('lines of Windows and of old Macs, and a byte order mark', async () => {
    assert.deepEqual(await labelsIn('a.txt', 'fox\rowl'), plain('fox', 'owl'));
    assert.deepEqual(await labelsIn('a.txt', '\ufefffox\r\n\r\nowl\r\n'), plain('fox', 'owl'));
  });

  test('the name decides before the content', async () => {
    assert.deepEqual(await labelsIn('a.TXT', '["fox"]\nlabel,prompt'), plain('["fox"]', 'label,prompt'));
  });

  test('a label again is refused with both lines', async () => {
    await refused('a.txt', 'fox\n\nowl\nfox', /Line 4: .*"fox" of line 1/);
  });

  test('more labels than a set may hold are refused with the line', async () => {
    const numbers = Array.from({ length: 100_001 }, (_, index) => index).join('\n');
    await refused('a.txt', numbers, /Line 100001: expected at most 100000 labels/);
  });

  test('no label is refused', async () => {
    await refused('a.txt', ' \n\n', /Expected one label a line, got none/);
  });

  test('another encoding is refused with the line', async () => {
    await refused('a.txt', Buffer.from('fox\nrenard rus\xe9', 'latin1'), /Line 2: expected UTF-8/);
  });
});

describe('JSON', () => {
  test('an array of strings and objects', async () => {
    const labels = [
      'fox',
      { label: 'owl', prompts: ['an owl'], threshold: 0.5 },
      { label: 'none', negative: true },
    ];
    assert.deepEqual(await labelsIn('a.json', `\ufeff${JSON.stringify(labels)}`), [
      { label: 'fox' },
      ...labels.slice(1),
    ]);
  });

  test('an object of label to prompt or prompts', async () => {
    assert.deepEqual(
      await labelsIn('a.json', '{"fox": ["a fox", "vulpes"], "owl": "an owl", "__proto__": "x"}'),
      [
        { label: 'fox', prompts: ['a fox', 'vulpes'] },
        { label: 'owl', prompts: ['an owl'] },
        { label: '__proto__', prompts: ['x'] },
      ],
    );
  });

  test('a whole label set, as given or as stored', async () => {
    const given = { labels: ['fox', 'owl'], template: 'a {}', topK: 1 };
    assert.deepEqual(await read('a.json', JSON.stringify(given)), given);
    const stored = defineLabelSet(given);
    assert.deepEqual(defineLabelSet(await read('a.json', JSON.stringify(stored))), stored);
  });

  test('broken JSON is refused with the line', async () => {
    await refused('a.json', '{"fox": ["a fox"],\n\n "owl" ["an owl"]}', /Line 3: expected JSON/);
    await refused('a.json', '["fox",\n"owl"', /Line 2: expected JSON/);
    await refused('a.json', '["a fox",\n"an owl"\n"a bear"]', /Line 3: expected JSON/);
    // V8 only quotes the place, and the text has it twice: no line is better than a wrong one.
    const twice = '"a long label": ? "a long prompt",\n';
    await refused('a.json', `{${twice}${twice}}`, /json: expected JSON/);
    await refused('a.json', 'fox', /expected JSON.*\.txt/);
  });

  test('what the label set refuses names the file too', async () => {
    await refused('a.json', '5', /Expected a JSON array of labels or an object, got 5/);
    await refused('a.json', '["fox", 5]', /labels\[1\]/);
    await refused('a.json', '{"fox": []}', /labels\[0\]\.prompts \("fox"\)/);
    await refused('a.json', '{"labels": ["fox"], "templat": "a {}"}', /"templat"/);
    await refused('a.json', '{"labels": ["fox"], "template": 5}', /templates\[0\]/);
  });
});

describe('CSV', () => {
  test('rows of one label gather its prompts, and quotes hold commas and lines', async () => {
    const csv = 'label,prompt\r\nfox,"a fox, red"\r\nowl,\r\n\r\nfox,"vulpes ""vulpes""\nin two lines"\r\n';
    assert.deepEqual(await labelsIn('a.csv', `\ufeff${csv}`), [
      { label: 'fox', prompts: ['a fox, red', 'vulpes "vulpes"\nin two lines'] },
      { label: 'owl' },
    ]);
  });

  test('thresholds and negatives, in columns of any order', async () => {
    const csv = 'Negative, label ,threshold\n,fox,0.25\nno,owl,\nYES,none of these,\n,,\n';
    assert.deepEqual(await labelsIn('a.csv', csv), [
      { label: 'fox', threshold: 0.25 },
      { label: 'owl' },
      { label: 'none of these', negative: true },
    ]);
  });

  test('a threshold may stand in any row of its label, and in two when equal', async () => {
    const csv = 'label,prompt,threshold\nfox,a fox,\nfox,vulpes,0.5\nfox,red fox,0.50';
    const prompts = ['a fox', 'vulpes', 'red fox'];
    assert.deepEqual(await labelsIn('a.csv', csv), [{ label: 'fox', prompts, threshold: 0.5 }]);
    await refused('a.csv', `${csv}\nfox,again,0.6`, /Line 5: .*0\.5 of an earlier row of "fox", got "0.6"/);
  });

  test('faults are refused with the line', async () => {
    await refused('a.csv', 'title,prompt\nfox,a fox', /Line 1: .*label.*got "title,prompt"/);
    await refused('a.csv', 'label,treshold\nfox,1', /Line 1: .*threshold/);
    await refused('a.csv', 'label,label\nfox,fox', /Line 1/);
    await refused('a.csv', 'label,prompt\nfox,a fox, red', /line 2/i);
    await refused('a.csv', 'label,prompt\nfox,"a fox', /Expected CSV/);
    await refused('a.csv', 'label,prompt\n\n,a fox', /Line 3: expected a label, got ""/);
    await refused('a.csv', 'label\nfox\nowl\nfox', /Line 4: .*each label once, got "fox"/);
    await refused('a.csv', 'label,threshold\nfox,"0,5"', /Line 2: .*decimal point.*"0,5"/);
    await refused('a.csv', 'label,negative\nfox,maybe', /Line 2: .*"maybe"/);
    await refused('a.csv', 'label\n', /got none/);
    await refused('a.csv', '', /./);
  });
});

describe('files as spreadsheets and data sets have them', () => {
  const both = plain('fox', 'owl, grey');

  test('semicolons, tabs, sep=, UTF-16, a header Name', async () => {
    const rows = (separator: string) =>
      `Name${separator}Prompt\r\nfox${separator}\r\n"owl, grey"${separator}\r\n`;
    assert.deepEqual(await labelsIn('a.csv', rows(';')), both);
    assert.deepEqual(await labelsIn('a.csv', `\ufeff${rows(',')}`), both);
    assert.deepEqual(await labelsIn('a.csv', `sep=|\r\n${rows('|')}`), both);
    assert.deepEqual(await labelsIn('a.tsv', rows('\t')), both);
    const utf16 = Buffer.from(`\ufeff${rows('\t')}`, 'utf16le');
    assert.deepEqual(await labelsIn('a.csv', utf16), both);
    assert.deepEqual(
      await labelsIn('a.txt', Buffer.from('\ufefffox\nowl', 'utf16le').swap16()),
      plain('fox', 'owl'),
    );
  });

  test('one column needs no header', async () => {
    assert.deepEqual(await labelsIn('a.csv', 'fox\nowl\n'), plain('fox', 'owl'));
    assert.deepEqual(await labelsIn('a.csv', 'Class\nfox\nowl\n'), plain('fox', 'owl'));
  });

  test('the classes of YOLO and COCO', async () => {
    const classes = plain('owl', 'fox');
    assert.deepEqual(await labelsIn('a.json', '{"names": ["owl", "fox"]}'), classes);
    assert.deepEqual(await labelsIn('a.json', '{"nc": 2, "names": {"0": "owl", "1": "fox"}}'), classes);
    assert.deepEqual(
      await labelsIn('a.json', '{"categories": [{"id": 7, "name": "owl"}, {"id": 9, "name": "fox"}]}'),
      classes,
    );
    assert.deepEqual(await labelsIn('data.yaml', 'path: ../x\nnames:\n  0: owl\n  1: fox\n'), classes);
    assert.deepEqual(await labelsIn('classes', 'names: [owl, fox]\n'), classes);
    assert.deepEqual(await labelsIn('a.yml', '- owl\n- fox\n'), classes);
    // A label that happens to be `names`, with a prompt.
    assert.deepEqual(await labelsIn('a.json', '{"names": "many names", "fox": "a fox"}'), [
      { label: 'names', prompts: ['many names'] },
      { label: 'fox', prompts: ['a fox'] },
    ]);
  });

  test('another shape is refused, and so is a label twice', async () => {
    await refused('a.json', '{"version": 3, "fox": "a fox"}', /member "labels" or "names", got "version": 3/);
    await refused(
      'a.json',
      '{"fox": ["a fox"],\n"owl": "x",\n"fox": ["vulpes"]}',
      /Line 3: .*each label once, got "fox" again/,
    );
    await refused('a.yaml', 'names: [owl\n', /expected YAML/);
  });

  test('a separator that no text file has is named', async () => {
    await refused('a.txt', 'fox,bear,owl\n', /one label a line, got one line with commas.*\.csv/);
    await refused('a.txt', 'fox;bear;owl', /semicolons/);
    await refused('a.txt', 'fox\ta fox\nowl\tan owl', /Line 1: .*a tab.*\.tsv/);
    assert.deepEqual(await labelsIn('a.txt', 'tench, Tinca tinca\nfox'), plain('tench, Tinca tinca', 'fox'));
  });
});

describe('any file', () => {
  test('under another name the first characters decide', async () => {
    assert.deepEqual(await labelsIn('labels', ' ["fox"]'), plain('fox'));
    assert.deepEqual(await labelsIn('a.labels', '{"fox": "a fox"}'), [{ label: 'fox', prompts: ['a fox'] }]);
    assert.deepEqual(await labelsIn('labels', '\ufefflabel,prompt\nfox,a fox'), [
      { label: 'fox', prompts: ['a fox'] },
    ]);
    assert.deepEqual(await labelsIn('labels', 'fox, label\nowl'), plain('fox, label', 'owl'));
  });

  test('a missing file, a folder and a file beyond the limit are refused', async () => {
    await assert.rejects(readLabelFile(join(folder, 'missing.txt')), {
      code: 'USAGE',
      message: /missing\.txt.*ENOENT/,
    });
    await assert.rejects(readLabelFile(folder), { code: 'USAGE', message: /Expected a file/ });
    const large = join(folder, 'large.txt');
    await writeFile(large, 'fox');
    await truncate(large, LABEL_FILE_BYTES_MAX + 1);
    await assert.rejects(readLabelFile(large), { code: 'USAGE', message: /large\.txt: .*67108864 bytes/ });
  });
});
