import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { downloadMnist } from '../../src/data/download.js';
import { MNIST_FILES, type PublishedFile } from '../../src/data/formats/mnist_files.js';
import { DataError } from '../../src/errors.js';
import { errorOf, temporaryFolder } from './helpers.js';

const payload = (seed: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: 50_000 }, (_, i) => (i * i * seed) >>> 7));
const archives = new Map([
  ['one.gz', gzipSync(payload(3))],
  ['two.gz', gzipSync(payload(5))],
]);
const hash = (kind: string, bytes: Buffer): string => createHash(kind).update(bytes).digest('hex');
const FILES: PublishedFile[] = [...archives].map(([name, archive], index) => ({
  name,
  md5: hash('md5', archive),
  sha256: hash('sha256', payload([3, 5][index])),
  unpackedBytes: payload(3).length,
}));

type Handler = (request: IncomingMessage, response: ServerResponse, archive: Buffer) => void;

const sendAll: Handler = (_request, response, archive) => {
  response.setHeader('content-length', archive.length);
  response.end(archive);
};

const sendRange: Handler = (request, response, archive) => {
  const begin = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (begin === 0) return sendAll(request, response, archive);
  if (begin >= archive.length) {
    response.statusCode = 416;
    response.end();
    return;
  }
  response.statusCode = 206;
  response.setHeader('content-range', `bytes ${begin}-${archive.length - 1}/${archive.length}`);
  response.setHeader('content-length', archive.length - begin);
  response.end(archive.subarray(begin));
};

/** A mirror on this machine; `requests` lists the file and the range asked for. */
async function mirror(handle: Handler): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const name = request.url!.slice('/mnist/'.length);
    requests.push(`${name} ${request.headers.range ?? 'whole'}`);
    handle(request, response, archives.get(name)!);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/mnist/`, requests };
}

function sendForEver(response: ServerResponse): void {
  const chunk = Buffer.alloc(10_000, 1);
  const more = (): void => {
    while (response.write(chunk));
    response.once('drain', more);
  };
  more();
}

function expectComplete(dir: string): void {
  for (const [name, archive] of archives) {
    expect(readFileSync(join(dir, name)).equals(archive)).toBe(true);
    expect(existsSync(join(dir, `${name}.part`))).toBe(false);
  }
}

describe('downloadMnist', () => {
  it('fetches what is missing, reports progress, and leaves what is there', async () => {
    const dir = join(temporaryFolder(), 'new/folder');
    const { url, requests } = await mirror(sendRange);
    const seen: [string, number, number | undefined][] = [];
    const result = await downloadMnist({
      dir,
      mirrors: [url],
      files: FILES,
      onProgress: ({ file, receivedBytes, totalBytes }) =>
        seen.push([file, receivedBytes, totalBytes]),
    });
    expect(result.files.map(({ state }) => state)).toEqual(['downloaded', 'downloaded']);
    expectComplete(dir);
    const total = archives.get('two.gz')!.length;
    expect(seen.at(-1)).toEqual(['two.gz', total, total]);
    const again = await downloadMnist({ dir, mirrors: [url], files: FILES });
    expect(again.files.map(({ state }) => state)).toEqual(['present', 'present']);
    expect(requests).toEqual(['one.gz whole', 'two.gz whole']);
  });

  it('goes on where it was stopped', async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'one.gz.part'), archives.get('one.gz')!.subarray(0, 1000));
    writeFileSync(join(dir, 'two.gz.part'), archives.get('two.gz')!);
    const { url, requests } = await mirror(sendRange);
    await downloadMnist({ dir, mirrors: [url], files: FILES });
    expectComplete(dir);
    const size = archives.get('two.gz')!.length;
    expect(requests).toEqual(['one.gz bytes=1000-', `two.gz bytes=${size}-`]);
  });

  it('begins anew where the mirror knows no ranges, or the part is of something else', async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'one.gz.part'), archives.get('one.gz')!.subarray(0, 1000));
    const simple = await mirror(sendAll);
    await downloadMnist({ dir, mirrors: [simple.url], files: FILES });
    expectComplete(dir);
    const other = temporaryFolder();
    writeFileSync(join(other, 'one.gz.part'), Buffer.alloc(1000));
    const { url, requests } = await mirror(sendRange);
    await downloadMnist({ dir: other, mirrors: [url], files: FILES });
    expectComplete(other);
    expect(requests.slice(0, 2)).toEqual(['one.gz bytes=1000-', 'one.gz whole']);
  });

  it('turns to the next mirror when one fails or is damaged', async () => {
    const good = await mirror(sendRange);
    const bad: Handler[] = [
      (_request, response) => {
        response.statusCode = 503;
        response.end();
      },
      (_request, response, archive) => {
        response.end(Buffer.alloc(archive.length));
      },
    ];
    for (const handle of bad) {
      const dir = temporaryFolder();
      const { url } = await mirror(handle);
      await downloadMnist({ dir, mirrors: [url, good.url], files: FILES });
      expectComplete(dir);
    }
    expect(good.requests).not.toContainEqual(expect.stringContaining('bytes='));
  });

  it('turns to the next mirror when one breaks off, and goes on there', async () => {
    const good = await mirror(sendRange);
    const dir = temporaryFolder();
    let breakOff = () => {};
    const { url } = await mirror((_request, response, archive) => {
      response.setHeader('content-length', archive.length);
      response.write(archive.subarray(0, 500));
      breakOff = () => response.destroy();
    });
    await downloadMnist({
      ...{ dir, mirrors: [url, good.url], files: FILES },
      // Only once the bytes are there: what a connection still holds when it breaks is lost.
      onProgress: ({ mirror }) => mirror === url && breakOff(),
    });
    expectComplete(dir);
    expect(good.requests).toEqual(['one.gz bytes=500-', 'two.gz bytes=500-']);
  });

  it('turns to the next mirror when one falls silent, and goes on there', async () => {
    const good = await mirror(sendRange);
    const dir = temporaryFolder();
    const { url } = await mirror((_request, response, archive) => {
      response.setHeader('content-length', archive.length);
      response.write(archive.subarray(0, 500));
    });
    const received = new Map<string, number>();
    await downloadMnist({
      ...{ dir, mirrors: [url, good.url], files: FILES, idleMs: 500 },
      onProgress: ({ file, mirror, receivedBytes }) =>
        mirror === url && received.set(file, receivedBytes),
    });
    expectComplete(dir);
    // On a busy machine the time may be over before anything came.
    const wanted = ['one.gz', 'two.gz'].map(
      (file) => `${file} ${received.has(file) ? `bytes=${received.get(file)}-` : 'whole'}`,
    );
    expect(good.requests).toEqual(wanted);
  });

  it.each<[string, Handler]>([
    ['sends without end', (_request, response) => sendForEver(response)],
    [
      'sends without end what is packed for the transport',
      (_request, response) => {
        response.setHeader('content-encoding', 'gzip');
        const zeros = gzipSync(Buffer.alloc(2 ** 20));
        response.end(Buffer.concat(new Array<Buffer>(2000).fill(zeros)));
      },
    ],
    [
      'goes on without end where another one stopped',
      (request, response, archive) => {
        response.statusCode = 206;
        const begin = Number(/\d+/.exec(request.headers.range!)![0]);
        response.setHeader('content-range', `bytes ${begin}-${archive.length - 1}/*`);
        sendForEver(response);
      },
    ],
  ])('gives up a mirror that %s, and keeps nothing of it', async (name, handle) => {
    const dir = temporaryFolder();
    const part = join(dir, 'one.gz.part');
    if (name.startsWith('goes on')) writeFileSync(part, archives.get('one.gz')!.subarray(0, 9));
    const { url } = await mirror(handle);
    let largest = 0;
    const error = await errorOf(
      downloadMnist({
        ...{ dir, mirrors: [url], files: FILES },
        onProgress: ({ receivedBytes }) => (largest = Math.max(largest, receivedBytes)),
      }),
    );
    expect(error.message).toMatch(/one\.gz could not be downloaded .*expected at most 51219 bytes/);
    expect(largest).toBeLessThanOrEqual(51_219);
    expect(existsSync(part)).toBe(false);
  });

  it('does not begin on a file that is announced as too long', async () => {
    const { url } = await mirror((_request, response) => {
      response.setHeader('content-length', 2 ** 40);
      response.write('x');
    });
    const dir = temporaryFolder();
    const error = await errorOf(downloadMnist({ dir, mirrors: [url], files: FILES }));
    expect(error.message).toContain('expected at most 51219 bytes, got 1099511627776');
    expect(existsSync(join(dir, 'one.gz.part'))).toBe(false);
  });

  it('gives up a mirror that drips', async () => {
    const { url } = await mirror((_request, response) => {
      const drip = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(drip));
    });
    const files = FILES.slice(0, 1);
    const error = await errorOf(
      downloadMnist({ dir: temporaryFolder(), mirrors: [url], files, idleMs: 500 }),
    );
    expect(error.message).toMatch(/(only \d+ bytes|nothing) arrived for 0\.5 s/);
  });

  it('says, when no mirror can be reached, which files to put where', async () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, 'one.gz'), archives.get('one.gz')!);
    const { url } = await mirror((_request, response) => {
      response.statusCode = 404;
      response.end();
    });
    const closed = 'http://127.0.0.1:9/';
    const error = await errorOf(downloadMnist({ dir, mirrors: [url, closed], files: FILES }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      /^mnist: two\.gz could not be downloaded \(127\.0\.0\.1:\d+: HTTP status 404; 127\.0\.0\.1:9: .+\)\nfix: /,
    );
    expect(error.message).toContain(
      `fix: put these files of any copy of MNIST into ${dir}: two.gz`,
    );
  });

  it('says when what all mirrors send is damaged', async () => {
    const { url } = await mirror((_request, response) => response.end('something else'));
    const dir = temporaryFolder();
    const error = await errorOf(downloadMnist({ dir, mirrors: [url], files: FILES }));
    expect(error.message).toContain('what it sends has another check sum');
    expect(existsSync(join(dir, 'one.gz'))).toBe(false);
    expect(existsSync(join(dir, 'one.gz.part'))).toBe(false);
  });

  it('takes the same bytes packed anew, and unpacked, but no other file of that name', async () => {
    const dir = temporaryFolder();
    const repacked = gzipSync(payload(3), { level: 1 });
    expect(repacked.equals(archives.get('one.gz')!)).toBe(false);
    writeFileSync(join(dir, 'one.gz'), repacked);
    writeFileSync(join(dir, 'two'), payload(5));
    const result = await downloadMnist({ dir, mirrors: [], files: FILES });
    expect(result.files.map(({ state }) => state)).toEqual(['present', 'present']);
    writeFileSync(join(dir, 'one.gz'), 'a dress');
    const error = await errorOf(downloadMnist({ dir, mirrors: [], files: FILES }));
    expect(error.message).toBe(
      `${join(dir, 'one.gz')}: is there, but does not hold what MNIST's file of that name holds\n` +
        'fix: move it away, or download into another folder (--dir)',
    );
    expect(readFileSync(join(dir, 'one.gz'), 'utf8')).toBe('a dress');
  });

  it('stops at the signal and goes on the next time', async () => {
    const dir = temporaryFolder();
    const slow = await mirror((_request, response, archive) => {
      response.setHeader('content-length', archive.length);
      response.write(archive.subarray(0, 700));
    });
    const stop = new AbortController();
    const error = await errorOf(
      downloadMnist({
        dir,
        mirrors: [slow.url],
        files: FILES,
        signal: stop.signal,
        onProgress: () => stop.abort(),
      }),
    );
    expect(error.message).toBe(
      'mnist: the download of one.gz was stopped\n' +
        'fix: run the same command again: it goes on where it was',
    );
    expect(readFileSync(join(dir, 'one.gz.part'))).toHaveLength(700);
    const { url, requests } = await mirror(sendRange);
    await downloadMnist({ dir, mirrors: [url], files: FILES });
    expectComplete(dir);
    expect(requests[0]).toBe('one.gz bytes=700-');
  });

  it('says when the folder cannot be written', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const error = await errorOf(downloadMnist({ dir: join(file, 'in'), files: FILES }));
    expect(error.message).toContain(`${join(file, 'in')}: cannot be made: `);
  });

  it('knows the four files of MNIST', () => {
    expect(MNIST_FILES.map(({ name }) => name)).toEqual([
      'train-images-idx3-ubyte.gz',
      'train-labels-idx1-ubyte.gz',
      't10k-images-idx3-ubyte.gz',
      't10k-labels-idx1-ubyte.gz',
    ]);
    for (const { md5, sha256 } of MNIST_FILES) {
      expect([md5, sha256].map((digest) => digest.length)).toEqual([32, 64]);
    }
  });
});
