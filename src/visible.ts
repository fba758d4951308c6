/** C0 and C1 controls, DEL, line separators, and the marks that turn the direction of writing. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const code = character.charCodeAt(0);
  return code < 256
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/**
 * A text on one line without terminal control sequences: names of classes, files and tensors may come
 * from untrusted archives and checkpoints. Controls become `\n`, `\x1b`, `\u202e`.
 *
 * @example
 * visible('a\u001b[31m') // 'a\\x1b[31m'
 */
export function visible(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** The same for a JSON document: its values stay as they are, in JSON's own escapes. */
export function visibleJson(json: string): string {
  return json.replace(CONTROLS, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
