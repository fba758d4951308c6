// WGSL without comments, indentation and blank lines, for the browser bundle. What the loader reads stays: `// @use` and
// `// @tune` comments, one statement a line. Blanks around operators stay too: `a - -b` and `vec2<f32> = x` need them.

/** @param {string} text of one shader file */
export function minifyWgsl(text) {
  return text
    .split('\n')
    .map((line) => {
      const use = /^\s*\/\/\s*@use\s+(\S+)/.exec(line);
      if (use) return `// @use ${use[1]}`;
      const marker = /\/\/.*@tune/.test(line) ? '// @tune' : '';
      const code = line.replace(/\/\/.*$/, '').trim();
      return code.replace(/\s*([,;:{}()])\s*/g, '$1') + marker;
    })
    .filter((line) => line !== '')
    .join('\n');
}
