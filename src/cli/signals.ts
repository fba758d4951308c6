const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One Ctrl-C can arrive twice: from the terminal, and passed on by `npm run`. */
const ECHO_MS = 500;

/**
 * Runs work that can stop in good order; the first signal asks for that through `stop`. A second
 * one ends the process. So does any signal outside of such work: a handler in JavaScript would not
 * be called while something runs that never yields, so there is none then.
 */
export async function stoppable<T>(stop: () => void, work: () => Promise<T>): Promise<T> {
  let asked: number | null = null;
  const release = (): void => SIGNALS.forEach((signal) => process.off(signal, onSignal));
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (asked === null) {
      asked = now;
      // In the phase after signals, so that one which came meanwhile is not lost.
      setTimeout(() => setImmediate(release), ECHO_MS).unref();
      stop();
    } else if (now - asked >= ECHO_MS) {
      release();
      process.kill(process.pid, signal);
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work();
  } finally {
    release();
  }
}
