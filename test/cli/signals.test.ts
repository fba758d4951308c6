import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { until } from './helpers.js';

const module = new URL('../../dist/cli/signals.js', import.meta.url).href;

/** Runs a program that uses `stoppable`, and sends it a signal each time it has said the next line. */
async function signalled(body: string, signals: NodeJS.Signals[]) {
  const head = `import { stoppable } from ${JSON.stringify(module)};
    import { writeSync } from 'node:fs';
    const say = (text) => writeSync(1, text + '\\n');
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const hang = () => { for (;;); };
    const stop = () => say('stopping');\n`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', head + body]);
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  for (const [i, signal] of signals.entries()) {
    await until(() => said.split('ready').length > i + 1, `line ${i + 1}`);
    child.kill(signal);
  }
  const end = await ended;
  return { said, ...end };
}

it('the first signal asks work to stop, and its echo is no second one', async () => {
  const body = `await stoppable(() => { stop(); say('ready'); }, async () => { say('ready'); await sleep(1500); });
    say('done');`;
  const { code, said } = await signalled(body, ['SIGINT', 'SIGINT']);
  expect([code, said]).toEqual([0, 'ready\nstopping\nready\ndone\n']);
});

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a second %s ends the process, also while work never yields',
  async (signal) => {
    const body = `await stoppable(stop, async () => { say('ready'); await sleep(1500); say('ready'); hang(); });`;
    expect(await signalled(body, ['SIGHUP', signal])).toMatchObject({ code: null, signal });
  },
);

it('a second signal ends work that yields', async () => {
  const body = `await stoppable(stop, async () => { say('ready'); await sleep(800); say('ready'); await sleep(60_000); });`;
  const ended = await signalled(body, ['SIGTERM', 'SIGINT']);
  expect(ended).toMatchObject({ code: null, signal: 'SIGINT' });
});

it.each([
  ['before', `say('ready'); hang(); await stoppable(stop, async () => undefined);`],
  ['after', `await stoppable(stop, async () => undefined); say('ready'); hang();`],
])('one signal is enough %s that work', async (_place, body) => {
  expect(await signalled(body, ['SIGTERM'])).toMatchObject({ code: null, signal: 'SIGTERM' });
});
