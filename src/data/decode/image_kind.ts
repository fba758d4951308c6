/** The type of an image file, from its first bytes; its name does not count. */

const kinds = ['JPEG', 'PNG', 'WebP', 'GIF', 'TIFF', 'AVIF', 'BMP', 'PPM or PGM'] as const;

/** The kinds that are decoded. Others have decoders that read more than pixels (SVG), or have none here. */
export type ImageKind = (typeof kinds)[number];

/** In words, for messages. */
export const kindsText = kinds.join(', ');

/** Beginnings, as Latin-1 text; a dot is any byte. */
const beginnings: readonly (readonly [RegExp, ImageKind])[] = [
  [/^\xff\xd8\xff/, 'JPEG'],
  [/^\x89PNG\r\n\x1a\n/, 'PNG'],
  [/^RIFF[^]{4}WEBP/, 'WebP'],
  [/^GIF8[79]a/, 'GIF'],
  [/^(?:II[*+]\0|MM\0[*+])/, 'TIFF'],
  [/^[^]{4}ftyp(?:avif|avis|mif1|msf1)/, 'AVIF'],
  [/^BM/, 'BMP'],
  [/^P[1-6][\s#]/, 'PPM or PGM'],
];

const others: readonly (readonly [RegExp, string])[] = [
  [/^\s*(?:\xef\xbb\xbf)?<(?:\?xml|svg|!DOCTYPE svg|!--)/i, 'SVG or other XML'],
  [/^\s*<(?:!DOCTYPE html|html)/i, 'an HTML page'],
  [/^%PDF/, 'PDF'],
  [/^[^]{4}ftyphei[cx]/, 'HEIC'],
];

/** The kind of an image file's content; where it is none that is decoded, what it is instead. */
export function imageKind(bytes: Uint8Array): { kind: ImageKind } | { instead: string } {
  const text = Buffer.from(bytes.subarray(0, 64)).toString('latin1');
  const known = beginnings.find(([beginning]) => beginning.test(text));
  if (known) return { kind: known[1] };
  return { instead: others.find(([beginning]) => beginning.test(text))?.[1] ?? 'something else' };
}
