/** One case, asked of all three servers. */
import { isDeepStrictEqual } from 'node:util';
import { type Answer, readAnswers } from './answers.ts';
import type { Case, Step } from './case.ts';
import { type Normal, normal } from './normal.ts';
import type { ServerName, Servers } from './servers.ts';
import { converse } from './wire.ts';

/** All that one server has said to a case, as it is compared. */
export interface Said {
  readonly answers: readonly Normal[];
  readonly hung: boolean;
}

export interface Verdict {
  readonly said: Readonly<Record<ServerName, Said>>;
  /** Whose answer ours is. */
  readonly agrees: Readonly<Record<'nginx' | 'apache', boolean>>;
  /** What a strict client holds against our bytes. */
  readonly flaws: readonly string[];
  /** Our bytes. */
  readonly text: string;
}

const names: readonly ServerName[] = ['nginx', 'apache', 'ours'];

export type Tags = Readonly<Record<ServerName, string>>;

export async function judge(servers: Servers, one: Case, tags: Tags): Promise<Verdict> {
  const site = one.site ?? 'plain';
  const heard = await Promise.all(
    names.map(async (name) => {
      const steps = one.send.map((step) =>
        typeof step === 'string' ? step.replaceAll('{etag}', tags[name]) : step,
      );
      const methods = methodsOf(steps);
      const { text, hung } = await converse(servers.place(name, site), steps);
      const { answers, flaws } = readAnswers(text, methods);
      return { said: { answers: normalised(answers, methods), hung }, flaws, text };
    }),
  );
  const [nginx, apache, ours] = heard;
  if (!nginx || !apache || !ours) throw new Error('three servers were asked');
  return {
    said: { nginx: nginx.said, apache: apache.said, ours: ours.said },
    agrees: {
      nginx: isDeepStrictEqual(nginx.said, ours.said),
      apache: isDeepStrictEqual(apache.said, ours.said),
    },
    flaws: ours.flaws,
    text: ours.text,
  };
}

/** The tag that each server has for one and the same file. */
export async function tagsOf(servers: Servers, head: string): Promise<Tags> {
  const tags = await Promise.all(
    names.map(async (name) => {
      const { text } = await converse(servers.place(name, 'plain'), [head]);
      const tag = /^etag: (.*)$/im.exec(text)?.[1]?.trim();
      if (tag === undefined) throw new Error(`${name} sent no ETag: ${text}`);
      return [name, tag] as const;
    }),
  );
  return Object.fromEntries(tags) as unknown as Tags;
}

/** Of each request in these bytes, whatever stands before it: the body of another, as a rule. */
function methodsOf(steps: readonly Step[]): string[] {
  const text = steps.map((step) => (typeof step === 'string' ? step : '')).join('');
  return [...text.matchAll(/ HTTP\/\d\.\d\r?\n/g)].map(({ index }) => {
    const line = text.slice(text.lastIndexOf('\n', index) + 1, index);
    return /([A-Za-z!-]+) /.exec(`${line} `)?.[1] ?? '';
  });
}

/** 100 (Continue) is a matter of the connection: RFC 9110, 10.1.1 lets a server leave it out. */
function normalised(answers: readonly Answer[], methods: readonly string[]): Normal[] {
  return answers
    .filter(({ status }) => status !== 100)
    .map((answer, index) => normal(answer, methods[index] === 'HEAD'));
}
