// Each format is read by the tool it is for, with the lines that docs/exports.md shows.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { formatOfOutput, openRowOutput } from '../../../src/results/exports/exportFormat.ts';
import type { ExportRow } from '../../../src/results/rows/exportedRun.ts';
import { awkwardRows, classifiedRow, exportedRun } from '../../support/exportedRows.ts';
import { pictures, repository } from '../../support/fleet.ts';
import { venvPython } from '../../support/wider.ts';

const run = promisify(execFile);
const [formula, quoted] = exportedRun.labels as [string, string, string];
const fox = join(pictures, 'fox.jpg');
const owl = join(pictures, 'owl.jpg');

function pictureRow(id: string, path: string, predictions: [string, number][]): ExportRow {
  const source = { owner: 'Zoë, "Z"', year: 2026 };
  return { ...classifiedRow(id, predictions), uri: pathToFileURL(path).href, source };
}

const pictureRows = [
  pictureRow('0042', fox, [
    ['fox', 0.7],
    [formula, 0.2],
    [quoted, 0.1],
  ]),
  pictureRow('日本 🦊', owl, [
    [quoted, 0.9],
    ['fox', 0.06],
    [formula, 0.04],
  ]),
];
/** 0.5 and -2 in half precision, or the other way round. */
function vectorOf(id: string): Uint8Array {
  return Uint8Array.of(...(id === '0042' ? [0, 0x38, 0, 0xc0] : [0, 0xc0, 0, 0x38]));
}
const vectors = [
  [0.5, -2],
  [-2, 0.5],
];

const joined = { ...exportedRun, sourceColumns: ['owner', 'year'] };
const allRows = [...pictureRows, ...awkwardRows];
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clipfleet-test-'));
  const rowsOf: Record<string, readonly ExportRow[]> = {
    'rows.fiftyone': pictureRows,
    'rows.hf': pictureRows,
    'rows.npy': pictureRows,
  };
  const suffixes = ['jsonl', 'csv', 'parquet', 'label-studio', 'fiftyone', 'hf', 'npy'];
  for (const name of suffixes.map((suffix) => `rows.${suffix}`)) {
    const output = await openRowOutput(join(folder, name), joined, formatOfOutput(name));
    for (const row of rowsOf[name] ?? allRows) await output.write(row);
    await output.end();
  }
  for (const name of ['vectors.npy', 'vectors.parquet']) {
    const about = { ...joined, labels: [], hasAllScores: false, vectors: { dimensions: 2 } };
    const output = await openRowOutput(join(folder, name), about, formatOfOutput(name));
    for (const row of pictureRows) await output.write({ ...row, vector: vectorOf(row.id) });
    await output.end();
  }
});

after(() => rm(folder, { recursive: true, force: true }));

/** The lines of Python below a heading of the page: of several blocks the one that has the word. */
async function shownLines(heading: string, word: string): Promise<string> {
  const page = await readFile(join(repository, 'docs/exports.md'), 'utf8');
  const section = page.split('\n## ').find((text) => text.startsWith(`${heading}\n`));
  const blocks = [...(section ?? '').matchAll(/```python\n([\s\S]*?)```/g)].map(([, lines]) => lines!);
  const lines = blocks.find((block) => block.includes(word));
  assert.ok(lines && lines.trim().split('\n').length === 3, `three lines with ${word} below ${heading}`);
  return lines;
}

/** Runs the page's lines, then prints what an expression gives as JSON. */
async function read(heading: string, word: string, expression: string): Promise<unknown> {
  return printed(`${await shownLines(heading, word)}\nimport json\nprint(json.dumps(${expression}))`);
}

async function printed(script: string): Promise<unknown> {
  const env = { ...process.env, HF_HOME: join(folder, 'hf'), HF_HUB_OFFLINE: '1', PYTHONWARNINGS: 'error' };
  const { stdout } = await run(venvPython(), ['-W', 'default', '-c', script], { cwd: folder, env });
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

test('JSON lines: json', async () => {
  assert.deepEqual(await read('JSON lines', 'json', 'best'), {
    '0042': 'fox',
    '日本 🦊': quoted,
    '1234567890123456781': formula,
    '日本 🦊.jpg': 'fox',
  });
});

test('CSV: pandas, and the csv module of Python', async () => {
  const cells =
    "[list(rows.id), list(rows.label.fillna('')), float(rows.score[0]), rows.owner[0], list(shares.index), rows.message[5]]";
  const [ids, labels, score, owner, shares, message] = (await read('CSV', 'pandas', cells)) as unknown[];
  assert.deepEqual(
    ids,
    allRows.map(({ id }) => id),
  );
  assert.deepEqual(labels, ['fox', quoted, `'${formula}`, 'fox', '', '']);
  assert.deepEqual([score, owner, message], [0.7, 'Zoë, "Z"', 'line\n"two"']);
  assert.equal((shares as unknown[])[0], 'fox');
  const plain = `import csv, json\nrows = list(csv.DictReader(open('rows.csv', newline='')))\nprint(json.dumps([len(rows), rows[0]['source_year'] if 'source_year' in rows[0] else rows[0]['year'], rows[5]['message']]))`;
  assert.deepEqual(await printed(plain), [6, '2026', 'line\n"two"']);
});

test('Parquet: pyarrow', async () => {
  const cells = `[run.decode(), table.num_rows, str(table.schema.field('predictions').type.value_type.field('score').type),
    table['predictions'].to_pylist()[0], table['predictions'].to_pylist()[4:], table['owner'].to_pylist()[:3]]`;
  const [id, rows, type, first, others, owners] = (await read('Parquet', 'pyarrow', cells)) as unknown[];
  assert.deepEqual([id, rows, type], ['r', 6, 'float']);
  assert.deepEqual(
    (first as { label: string }[]).map(({ label }) => label),
    ['fox', formula, quoted],
  );
  assert.equal((first as { score: number }[])[0]!.score, Math.fround(0.7));
  assert.deepEqual(others, [[], null]);
  assert.deepEqual(owners, ['Zoë, "Z"', 'Zoë, "Z"', null]);
});

test('Parquet: DuckDB', async () => {
  const [counts, seconds] = (await read('Parquet', 'duckdb', '[sorted(rows, key=str), seconds]')) as [
    [string | null, number][],
    string[][],
  ];
  assert.equal(counts.find(([label]) => label === 'fox')![1], 2);
  assert.deepEqual(seconds[0], ['0042', formula]);
});

test('Label Studio: the validator of its SDK finds nothing, and finds what is wrong', async () => {
  const cells = '[faults, len(tasks), tasks[0]["data"], tasks[2]["predictions"][0]["result"][0]["value"]]';
  const [faults, tasks, data, value] = (await read('Label Studio', 'label_studio', cells)) as unknown[];
  assert.deepEqual([faults, tasks], [[], 5]);
  const image = `/data/local-files/?d=${fox.split('/').slice(1).map(encodeURIComponent).join('/')}`;
  assert.deepEqual(data, { owner: 'Zoë, "Z"', year: '2026', image, id: '0042', uncertainty: 0.3 });
  assert.deepEqual(value, { choices: [formula] });
  const changed = `tasks[0]['predictions'][0]['result'][0]['value']['choices'] = ['dog']\n`;
  const wrong = `print(json.dumps(config.validate_prediction(tasks[0]['predictions'][0], return_errors=True)))`;
  const found = await printed(`${await shownLines('Label Studio', 'label_studio')}\n${changed}${wrong}`);
  assert.match(String(found), /dog/);
});

// FiftyOne itself is a gigabyte. Its importer (fiftyone/utils/data/importers.py) takes absolute keys as paths, and a
// target that is a dict as label, confidence and attributes.
test('FiftyOne: its importer’s rules', async () => {
  const found = await printed(`import json, os
data = json.load(open('rows.fiftyone/labels.json'))
for path, target in data['labels'].items():
    assert os.path.isabs(path) and os.path.isfile(path), path
    assert target['label'] in data['classes'] and 0 <= target['confidence'] <= 1
    assert isinstance(target['attributes'], dict)
print(json.dumps([data['classes'], list(data['labels'].items())]))`);
  const [classes, labels] = found as [string[], [string, { attributes: object }][]];
  assert.deepEqual(classes, exportedRun.labels);
  assert.deepEqual(
    labels.map(([path]) => path),
    [fox, owl],
  );
  assert.deepEqual(labels[0]![1], {
    label: 'fox',
    confidence: 0.7,
    attributes: { id: '0042', owner: 'Zoë, "Z"', year: 2026 },
  });
});

test('Hugging Face: datasets', async () => {
  const cells = '[len(dataset), image.size, label, dataset[1]["predictions"], dataset[0]["owner"]]';
  const [rows, size, label, predictions, owner] = (await read(
    'Hugging Face',
    'datasets',
    cells,
  )) as unknown[];
  assert.deepEqual([rows, label, owner], [2, 'fox', 'Zoë, "Z"']);
  assert.ok((size as number[])[0]! > 1);
  assert.deepEqual(predictions, [
    { label: quoted, score: 0.9 },
    { label: 'fox', score: 0.06 },
    { label: formula, score: 0.04 },
  ]);
});

test('numpy: the matrix of scores in the order of labels and keys', async () => {
  const cells = '[scores.tolist(), str(scores.dtype), labels, list(images.id), list(images.image_path)]';
  const [scores, type, labels, ids, paths] = (await read('numpy', 'numpy', cells)) as unknown[];
  const expected = [
    [0.2, 0.1, 0.7],
    [0.04, 0.9, 0.06],
  ];
  assert.deepEqual(
    scores,
    expected.map((row) => row.map(Math.fround)),
  );
  assert.deepEqual([type, labels, ids], ['float32', exportedRun.labels, ['0042', '日本 🦊']]);
  assert.deepEqual(paths, [pathToFileURL(fox).href, pathToFileURL(owl).href]);
});

test('numpy: vectors in the layout of clip-retrieval', async () => {
  const cells = '[vectors.tolist(), str(vectors.dtype), list(images.id), list(images.image_path)]';
  const [numbers, type, ids, paths] = (await read('numpy', 'img_emb', cells)) as unknown[];
  assert.deepEqual([numbers, type, ids], [vectors, 'float16', ['0042', '日本 🦊']]);
  assert.deepEqual(paths, [pathToFileURL(fox).href, pathToFileURL(owl).href]);
  // As clip-retrieval reads it: the files of a folder in the order of their numbers, as many rows of keys as of vectors.
  const script = `
import json, numpy, re
from pathlib import Path
import pyarrow.parquet as parquet
number = lambda path: int(re.search(r"_(\\d+)\\.", path.name).group(1))
parts = sorted(Path("vectors.npy/img_emb").glob("*.npy"), key=number)
keys = sorted(Path("vectors.npy/metadata").glob("*.parquet"), key=number)
print(json.dumps([[numpy.load(a).shape[0], parquet.read_table(b).num_rows] for a, b in zip(parts, keys, strict=True)]))`;
  assert.deepEqual(await printed(script), [[2, 2]]);
});

test('Parquet: vectors as lists of float32', async () => {
  assert.deepEqual(await read('Parquet', 'embedding', 'vectors.tolist()'), vectors);
});
