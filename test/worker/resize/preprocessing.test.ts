import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { parsePreprocessing } from '../../../src/worker/resize/preprocessing.ts';
import { planResize } from '../../../src/worker/resize/resizeGeometry.ts';
import { packPixels } from '../../../src/worker/session/pack.ts';

const clip = { image_processor_type: 'CLIPImageProcessor' };

const refused = (json: unknown, pattern: RegExp) =>
  assert.throws(
    () => parsePreprocessing(json),
    (error) =>
      error instanceof ClipfleetError && error.code === 'MODEL_UNSUPPORTED' && pattern.test(error.message),
  );

test('a CLIP configuration with every key is taken as it says', () => {
  const parsed = parsePreprocessing({
    feature_extractor_type: 'CLIPFeatureExtractor',
    size: 256,
    resample: 2,
    do_center_crop: true,
    crop_size: { height: 192, width: 240 },
    rescale_factor: 0.5,
    do_normalize: false,
  });
  assert.deepEqual(parsed.resize, { shortestEdge: 256 });
  assert.equal(parsed.resample, 'bilinear');
  assert.deepEqual(parsed.crop, { width: 240, height: 192 });
  assert.deepEqual([parsed.width, parsed.height], [240, 192]);
  assert.equal(parsed.rescaleFactor, 0.5);
  assert.equal(parsed.normalize, undefined);
});

test('missing keys take the defaults of the processor that the file names', () => {
  const openai = parsePreprocessing(clip);
  assert.deepEqual(openai.resize, { shortestEdge: 224 });
  assert.equal(openai.resample, 'bicubic');
  assert.deepEqual(openai.crop, { width: 224, height: 224 });
  assert.equal(openai.rescaleFactor, 1 / 255);
  assert.deepEqual(openai.normalize?.mean, [0.48145466, 0.4578275, 0.40821073]);

  const siglip = parsePreprocessing({ image_processor_type: 'SiglipImageProcessor' });
  assert.deepEqual(siglip.resize, { width: 224, height: 224 });
  assert.equal(siglip.crop, undefined);
  assert.equal(siglip.resample, 'bicubic');
  assert.deepEqual(siglip.normalize, { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });

  const vit = parsePreprocessing({ feature_extractor_type: 'ViTFeatureExtractor', size: 384 });
  assert.deepEqual(vit.resize, { width: 384, height: 384 });
  assert.equal(vit.resample, 'bilinear');
});

test('a file that names no processor takes the one of its model', () => {
  assert.deepEqual(parsePreprocessing({}, 'siglip2').resize, { width: 224, height: 224 });
  assert.deepEqual(parsePreprocessing({}, 'chinese_clip').resize, { shortestEdge: 224 });
});

test("what would give other pixels than the reference's is refused", () => {
  refused({ image_processor_type: 'Siglip2ImageProcessor', max_num_patches: 256 }, /max_num_patches/);
  refused({ image_processor_type: 'constructor' }, /constructor/);
  refused({ image_processor_type: 'JinaCLIPImageProcessor' }, /JinaCLIP/);
  refused({ ...clip, size: { shortest_edge: 224, longest_edge: 448 } }, /longest_edge/);
  refused({ ...clip, do_center_crop: false }, /shortest edge/);
  refused({ ...clip, crop_size: 256 }, /larger/);
  refused({ ...clip, do_resize: false }, /do_resize/);
  refused({ ...clip, resample: 9 }, /resample/);
  refused({ ...clip, image_std: [1, 0, 1] }, /image_std/);
  refused('not an object', /object/);
});

test('the longer side is cut off to an integer, and the margin halved by the rounding asked for', () => {
  const preprocessing = parsePreprocessing(clip);
  const plan = (width: number, height: number, rounding: 'floor' | 'half-even') =>
    planResize({ width, height }, preprocessing, rounding);
  assert.deepEqual(plan(640, 427, 'floor').size, { width: 335, height: 224 });
  assert.deepEqual(plan(427, 640, 'floor').size, { width: 224, height: 335 });
  // Margins of 111, 1 and 2: half to even gives 56, 0 and 1.
  assert.equal(plan(335, 224, 'floor').window.left, 55);
  assert.equal(plan(335, 224, 'half-even').window.left, 56);
  assert.equal(plan(225, 224, 'half-even').window.left, 0);
  assert.equal(plan(226, 224, 'half-even').window.left, 1);
});

test('packing gives float32 planes, rescaled and normalised image by image', () => {
  const preprocessing = parsePreprocessing({
    image_processor_type: 'SiglipImageProcessor',
    size: { height: 1, width: 2 },
    image_mean: [0.5, 0.25, 0],
    image_std: [0.5, 0.5, 2],
  });
  const pixels = Uint8Array.of(0, 51, 255, 255, 102, 0, 255, 255, 255, 0, 0, 0);
  const f = Math.fround;
  const [fifth, twoFifths] = [f(51 / 255), f(102 / 255)];
  const green = [f(f(fifth - 0.25) / 0.5), f(f(twoFifths - 0.25) / 0.5)];
  const expected = [-1, 1, ...green, 0.5, 0, 1, -1, 1.5, -0.5, 0.5, 0];
  assert.deepEqual([...packPixels(pixels, 2, preprocessing)], expected);
});

test('packing refuses pixels that are not so many images', () => {
  assert.throws(() => packPixels(new Uint8Array(10), 1, parsePreprocessing(clip)), RangeError);
});
