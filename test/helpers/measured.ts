import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const dist = new URL('../../dist/', import.meta.url);

export interface Measured {
  /** Of the error that the call ended with; null where it succeeded. */
  message: string | null;
  /** The error's class. */
  kind: string | null;
  cpuSeconds: number;
  /** Most memory that the process held, in MiB. */
  peakMiB: number;
}

const program = `
  const [module, name, args] = JSON.parse(process.argv[1]);
  const read = (await import(module))[name];
  let error = null;
  try { await read(...args); } catch (cause) { error = cause; }
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  process.stdout.write(JSON.stringify({
    message: error && error.message,
    kind: error && error.name,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakMiB: maxRSS / 1024,
  }));
`;

/** Calls a function of the built program in a process of its own, and says what that took of it. */
export function measured(module: string, name: string, ...args: unknown[]): Promise<Measured> {
  const call = JSON.stringify([new URL(module, dist).href, name, args]);
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, call], {
    cwd: fileURLToPath(dist),
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString()));
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(text) as Measured);
      else reject(new Error(`${module} ${name}: ended with ${code ?? signal} after '${text}'`));
    });
  });
}
