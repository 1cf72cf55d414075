import { explain, type Theme } from '../support/case.ts';
import { bodies } from './bodies.ts';
import { connections } from './connections.ts';
import { everyday } from './everyday.ts';
import { framing } from './framing.ts';
import { headers } from './headers.ts';
import { methods } from './methods.ts';
import { pathInfo } from './path-info.ts';
import { paths } from './paths.ts';
import { phpAnswerCases } from './php-answers.ts';
import { queries } from './queries.ts';
import { reasons } from './reasons.ts';
import { staticFiles } from './static-files.ts';
import { targets } from './targets.ts';
import { uploads } from './uploads.ts';

const all: readonly Theme[] = [
  everyday,
  methods,
  paths,
  targets,
  pathInfo,
  queries,
  headers,
  framing,
  bodies,
  uploads,
  connections,
  staticFiles,
  phpAnswerCases,
];

export const themes: readonly Theme[] = all.map((theme) => explain(theme, reasons[theme.theme] ?? []));
