/** Who waits for any server, and who for a certain one. */
import { expect, it } from 'vitest';
import type { LinkedList } from '../../../src/pool/queue/linked-list.ts';
import { Queue, type Waiting } from '../../../src/pool/queue/queue.ts';

class One implements Waiting<One> {
  list: LinkedList<One> | null = null;
  previous: One | null = null;
  next: One | null = null;
  place = 0;
  readonly name: string;
  readonly server: string;

  constructor(name: string, server = '') {
    this.name = name;
    this.server = server;
  }
}

/** `1`: any server; `2a`: server a; in the order given. */
function queueOf(names: string): Queue<One> {
  const queue = new Queue<One>(({ server }) => server);
  for (const name of names.split(' ')) queue.add(new One(name, name.replace(/\d+/, '')));
  return queue;
}

/** Who is offered a server, one after the other, where these wait on, and behind these all of their line. */
function offered(queue: Queue<One>, waits: string[], allWait: string[] = []): string[] {
  const names: string[] = [];
  queue.offer((one) => {
    names.push(one.name);
    if (allWait.includes(one.name)) return 'all-wait';
    if (waits.includes(one.name)) return 'waits';
    one.list?.remove(one);
    return 'gone';
  });
  return names;
}

it('all are asked in the order in which they came, whatever they wait for', () => {
  const queue = queueOf('1 2a 3b 4 5a');
  expect(queue.size).toBe(5);
  expect(queue.oldest?.name).toBe('1');
  expect(offered(queue, ['2a', '4'])).toEqual(['1', '2a', '3b', '4', '5a']);
  expect(queue.size).toBe(2);
  expect(queue.oldest?.name).toBe('2a');
  expect(offered(queue, [])).toEqual(['2a', '4']);
  expect(queue.oldest).toBeNull();
});

it('where one of a line keeps the rest of it waiting, the other lines go on', () => {
  const queue = queueOf('1 2a 3a 4b 5 6b');
  expect(offered(queue, [], ['1', '2a'])).toEqual(['1', '2a', '4b', '6b']);
  expect(queue.toArray().map(({ name }) => name)).toEqual(['1', '5', '2a', '3a']);
});

it('a slot goes to who came first of those that may have it, and of a line that waits for its server nobody else is looked at', () => {
  const queue = queueOf('1 2a 3b 4a');
  const asked: string[] = [];
  const accepts =
    (...names: string[]) =>
    (one: One): boolean => {
      asked.push(one.name);
      return names.includes(one.name);
    };
  expect(queue.firstFor('a', accepts('1', '2a'))?.name).toBe('1');
  expect(queue.firstFor('a', accepts('2a'))?.name).toBe('2a');
  expect(queue.firstFor('b', accepts('3b'))?.name).toBe('3b');
  asked.length = 0;
  expect(queue.firstFor('a', accepts())).toBeNull();
  expect(asked).toEqual(['1', '2a']);
});

it('who is put in front is the first of all, and who leaves is counted no more', () => {
  const queue = queueOf('1 2a');
  const [first, second] = [new One('0a', 'a'), new One('00')];
  queue.addFirst(first);
  queue.addFirst(second);
  expect(queue.sizeFor(first)).toBe(2);
  expect(queue.sizeFor(new One('3'))).toBe(2);
  queue.add(new One('3a', 'a'));
  expect(queue.sizeFor(first)).toBe(3);
  expect(queue.sizeFor(second)).toBe(2);
  second.list?.remove(second);
  expect(queue.firstFor('a', () => true)?.name).toBe('0a');
  expect(offered(queue, [])).toEqual(['0a', '1', '2a', '3a']);
  expect(queue.sizeFor(first)).toBe(0);
  expect(queue.size).toBe(0);
});

it('lines that are empty are forgotten: servers come and go', () => {
  const queue = queueOf('1a 2b 3c');
  offered(queue, ['2b']);
  expect(queue.lines).toHaveLength(2);
});
