/** The reference pipeline's own (`ZeroShotImageClassificationPipeline`, `hypothesis_template`), with its full stop. */
export const DEFAULT_TEMPLATE = 'This is a photo of {}.';

/**
 * Published template lists by name, word for word and in their published order: to average over, not to choose from.
 *
 * Source: OpenAI's CLIP, `notebooks/Prompt_Engineering_for_ImageNet.ipynb` ("a origami" is how it was published): the 80
 * templates, and the 7 that its forward selection over them found best; the same lists are in open_clip 3.3.0,
 * `zero_shot_metadata.py`, as OPENAI_IMAGENET_TEMPLATES and SIMPLE_IMAGENET_TEMPLATES.
 */
export const namedTemplates = {
  'imagenet-7': [
    'itap of a {}.',
    'a bad photo of the {}.',
    'a origami {}.',
    'a photo of the large {}.',
    'a {} in a video game.',
    'art of the {}.',
    'a photo of the small {}.',
  ],
  'imagenet-80': [
    'a bad photo of a {}.',
    'a photo of many {}.',
    'a sculpture of a {}.',
    'a photo of the hard to see {}.',
    'a low resolution photo of the {}.',
    'a rendering of a {}.',
    'graffiti of a {}.',
    'a bad photo of the {}.',
    'a cropped photo of the {}.',
    'a tattoo of a {}.',
    'the embroidered {}.',
    'a photo of a hard to see {}.',
    'a bright photo of a {}.',
    'a photo of a clean {}.',
    'a photo of a dirty {}.',
    'a dark photo of the {}.',
    'a drawing of a {}.',
    'a photo of my {}.',
    'the plastic {}.',
    'a photo of the cool {}.',
    'a close-up photo of a {}.',
    'a black and white photo of the {}.',
    'a painting of the {}.',
    'a painting of a {}.',
    'a pixelated photo of the {}.',
    'a sculpture of the {}.',
    'a bright photo of the {}.',
    'a cropped photo of a {}.',
    'a plastic {}.',
    'a photo of the dirty {}.',
    'a jpeg corrupted photo of a {}.',
    'a blurry photo of the {}.',
    'a photo of the {}.',
    'a good photo of the {}.',
    'a rendering of the {}.',
    'a {} in a video game.',
    'a photo of one {}.',
    'a doodle of a {}.',
    'a close-up photo of the {}.',
    'a photo of a {}.',
    'the origami {}.',
    'the {} in a video game.',
    'a sketch of a {}.',
    'a doodle of the {}.',
    'a origami {}.',
    'a low resolution photo of a {}.',
    'the toy {}.',
    'a rendition of the {}.',
    'a photo of the clean {}.',
    'a photo of a large {}.',
    'a rendition of a {}.',
    'a photo of a nice {}.',
    'a photo of a weird {}.',
    'a blurry photo of a {}.',
    'a cartoon {}.',
    'art of a {}.',
    'a sketch of the {}.',
    'a embroidered {}.',
    'a pixelated photo of a {}.',
    'itap of the {}.',
    'a jpeg corrupted photo of the {}.',
    'a good photo of a {}.',
    'a plushie {}.',
    'a photo of the nice {}.',
    'a photo of the small {}.',
    'a photo of the weird {}.',
    'the cartoon {}.',
    'art of the {}.',
    'a drawing of the {}.',
    'a photo of the large {}.',
    'a black and white photo of a {}.',
    'the plushie {}.',
    'a dark photo of a {}.',
    'itap of a {}.',
    'graffiti of the {}.',
    'a toy {}.',
    'itap of my {}.',
    'a photo of a cool {}.',
    'a photo of a small {}.',
    'a tattoo of the {}.',
  ],
} as const satisfies Record<string, readonly string[]>;

/** Each name of a published list replaced by its templates; everything else as it came. */
export function resolveTemplates(templates: readonly string[]): string[] {
  return templates.flatMap((template) => (isName(template) ? namedTemplates[template] : [template]));
}

function isName(template: string): template is keyof typeof namedTemplates {
  return Object.hasOwn(namedTemplates, template);
}

/** `{}`, as in the reference's `str.format`, or `{c}`, as open_clip writes it. Any other brace is a brace. */
const PLACE = /\{c?\}/g;

/** How many times the template asks for the label; a template must at least once. */
export function placesIn(template: string): number {
  return template.match(PLACE)?.length ?? 0;
}

/** The template with the label in every place. The label is never read: `$&`, `{}` or `{c}` in it stay as they are. */
export function fillTemplate(template: string, label: string): string {
  return template.replace(PLACE, () => label);
}
