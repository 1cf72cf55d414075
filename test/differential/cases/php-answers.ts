import { one, request, type Theme } from '../support/case.ts';
import { phpAnswers } from './php-scripts.ts';

const names = Object.keys(phpAnswers);

export const phpAnswerCases: Theme = {
  theme: 'what PHP answers',
  cases: names.flatMap((name) => [
    one(name, request(`/${name}`)),
    one(`HEAD ${name}`, request(`/${name}`, { method: 'HEAD' })),
  ]),
};
