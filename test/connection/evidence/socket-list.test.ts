import { describe, expect, it } from 'vitest';
import { type OpenList, SocketList } from '../../../src/connection/evidence/socket-list.ts';

interface Kernel {
  readonly open: () => Promise<OpenList>;
  /** Pages of what is open next. */
  pages: string[];
  opened: number;
  closed: number;
  /** Reads that had to wait for a turn of the loop, and those behind the end. */
  turns: number;
  behindEnd: number;
}

/** As Linux does: a page a read, whoever asks; several reads of one turn are answered in the next. */
function kernel(pages: string[]): Kernel {
  const self: Kernel = { open, pages, opened: 0, closed: 0, turns: 0, behindEnd: 0 };
  let isPending = false;
  async function open(): Promise<OpenList> {
    self.opened++;
    const left = [...self.pages];
    return {
      async read(buffer) {
        const page = left.shift();
        if (page === undefined) self.behindEnd++;
        if (!isPending) {
          isPending = true;
          self.turns++;
          setImmediate(() => {
            isPending = false;
          });
        }
        await new Promise<void>((resolve) => setImmediate(resolve));
        return { bytesRead: buffer.write(page ?? '', 'latin1') };
      },
      async close() {
        self.closed++;
      },
    };
  }
  return self;
}

const pagesOf = (count: number): string[] => Array.from({ length: count }, (_, nth) => `page ${nth}\n`);

describe('the list of sockets', () => {
  it.each([0, 1, 2, 5, 6, 40, 300])(
    'of %i pages is read whole, the first time and the next',
    async (count) => {
      const { open, pages } = kernel(pagesOf(count));
      const list = new SocketList('/list', open);
      for (let time = 0; time < 3; time++) {
        const lines = (await list.read()).split('\n').filter((line) => line !== '');
        expect(lines.sort()).toEqual(pages.map((page) => page.trim()).sort());
      }
    },
  );

  it('of hundreds of pages takes a turn of the loop for a dozen of them, and reads few behind the end', async () => {
    const linux = kernel(pagesOf(270));
    const list = new SocketList('/list', linux.open);
    await list.read();
    linux.turns = 0;
    linux.behindEnd = 0;
    await list.read();
    expect(linux.turns).toBeLessThan(30);
    expect(linux.behindEnd).toBeLessThan(5);
  });

  it('is found whole when it has become shorter, or longer', async () => {
    const linux = kernel(pagesOf(100));
    const list = new SocketList('/list', linux.open);
    for (const count of [100, 10, 200, 1]) {
      linux.pages = pagesOf(count);
      expect((await list.read()).split('\n').length - 1).toBe(count);
    }
  });

  it('is read once for all who ask while it is read, and not before they have asked', async () => {
    const linux = kernel(['old\n']);
    const list = new SocketList('/list', linux.open);
    const first = list.read();
    linux.pages = ['new\n'];
    const others = [list.read(), list.read(), list.read()];
    expect(await first).toBe('old\n');
    expect(await Promise.all(others)).toEqual(['new\n', 'new\n', 'new\n']);
    expect(linux.opened).toBe(2);
    linux.pages = ['newest\n'];
    expect(await list.read()).toBe('newest\n');
    expect([linux.opened, linux.closed]).toEqual([3, 3]);
  });

  it('that cannot be read is empty, and read again for the next who asks', async () => {
    const linux = kernel(['there\n']);
    let fails = true;
    const list = new SocketList('/list', async () => {
      if (fails) throw Object.assign(new Error('no'), { code: 'EACCES' });
      return linux.open();
    });
    expect(await list.read()).toBe('');
    fails = false;
    expect(await list.read()).toBe('there\n');
  });
});
