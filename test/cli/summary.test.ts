import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { folder, run } from './helpers.js';

describe('tilegrad summary --plot', () => {
  it('draws beside the table, over a picture that is there', async () => {
    const made = folder();
    const file = join(made, 'net.svg');
    writeFileSync(file, 'old');
    const { code, stdout } = await run('summary', 'mnist-cnn', '--plot', file);
    expect(code).toBe(0);
    expect(stdout).toContain('3,274,634');
    expect(stdout).toMatch(/\nwrote .*net\.svg\n$/);
    const svg = readFileSync(file, 'utf8');
    expect(svg).toMatch(/^<svg xmlns/);
    expect(svg).toContain('>mnist-cnn on 28×28×1</text>');
    expect(svg).toContain('3,274,634 parameters, 3,274,634 trainable · 27.8 MFLOP an image');
    expect(readdirSync(made)).toEqual(['net.svg']);
  });

  it('names the picture in the JSON document, and draws for the input asked for', async () => {
    const plot = join(folder(), 'net.png');
    const sizes = ['--input', '32,32,3', '--classes', '43'];
    const { code, stdout } = await run('summary', 'resnet18', ...sizes, '--plot', plot, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ model: 'resnet18', plot });
    const { format, width } = await sharp(plot).metadata();
    expect(format).toBe('png');
    expect(width).toBeGreaterThan(600);
  });

  it('refuses other kinds of file and missing folders before any work', async () => {
    const other = await run('summary', 'mnist-cnn', '--plot', 'net.pdf');
    expect([other.code, other.stdout]).toEqual([2, '']);
    expect(other.stderr).toContain('ends in .svg or .png, got net.pdf');
    const missing = join(folder(), 'none', 'net.svg');
    const { code, stderr } = await run('summary', 'mnist-cnn', '--plot', missing);
    expect(code).toBe(2);
    expect(stderr).toMatch(/the folder .*none of --plot .*net\.svg does not exist\nfix: make it/);
  });
});
