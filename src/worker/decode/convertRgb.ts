import type { ColourKey } from '../formats/colourKey.ts';

/*
 * Raw samples to RGB bytes (3 a pixel) as Pillow's `convert('RGB')` and its readers make them, where libvips goes
 * another way.
 */

/**
 * CMYK (4 bytes a pixel, 0 = no ink): no colour profile, each colour is what its ink and the black leave of white.
 * libvips goes through a profile and is 12 to 14 grey levels away. Formula: `cmyk2rgb` of Pillow's `Convert.c`.
 */
export function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4) {
    const white = 255 - cmyk[from + 3]!;
    rgb[to++] = white - productOf255(cmyk[from]!, white);
    rgb[to++] = white - productOf255(cmyk[from + 1]!, white);
    rgb[to++] = white - productOf255(cmyk[from + 2]!, white);
  }
  return rgb;
}

/** a * b / 255, rounded, for 0 to 255: Pillow's MULDIV255. */
function productOf255(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/** 16-bit grey is Pillow's mode `I;16`, and its `convert('RGB')` cuts every level above 255 down to 255. */
export function grey16ToRgb(grey: Uint16Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let pixel = 0, to = 0; pixel < grey.length; pixel++) {
    const level = Math.min(grey[pixel]!, 255);
    rgb[to++] = level;
    rgb[to++] = level;
    rgb[to++] = level;
  }
  return rgb;
}

/**
 * 10 and 12 bits (of AVIF), which libvips shifts up to 16. Pillow's pictures look as if samples were cut off to 8
 * bits before their colours are converted; cutting off after it is the nearest that can be done here: 0.8 to 1.0 grey levels away,
 * where libvips' own way is 0.9 to 1.1.
 */
export function deepToRgb(samples: Uint16Array, bits: number): Uint8Array {
  const white = 2 ** 16 - 2 ** (16 - bits);
  const rgb = new Uint8Array(samples.length);
  for (let i = 0; i < samples.length; i++) rgb[i] = Math.min(255, Math.floor((samples[i]! * 255) / white));
  return rgb;
}

/** Makes every pixel of one colour white, in place: what transformers does with a transparent colour. */
export function paintKeyWhite(rgb: Uint8Array, [red, green, blue]: ColourKey): void {
  for (let at = 0; at < rgb.length; at += 3) {
    if (rgb[at] === red && rgb[at + 1] === green && rgb[at + 2] === blue) rgb.fill(255, at, at + 3);
  }
}

/** RGBA (4 bytes a pixel) whose colours were multiplied by alpha. Formula: `unpackRGBa` of Pillow's `Unpack.c`. */
export function unpremultipliedToRgb(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const alpha = rgba[from + 3]!;
    for (let i = 0; i < 3; i++) {
      rgb[to + i] = alpha === 0 ? 0 : Math.min(255, Math.trunc((rgba[from + i]! * 255) / alpha));
    }
  }
  return rgb;
}
