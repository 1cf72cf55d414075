import { afterAll, describe, expect, it } from 'vitest';
import { readOptions } from '../../../src/gateway/settings.ts';
import { Site } from '../../../src/gateway/site/site.ts';
import { tempSite } from '../temp-site.ts';

const temp = tempSite({ 'dav.php': '', 'index.php': '' });
afterAll(() => temp.remove());

function planned(method: string, url: string, originalUrl: string = url): string {
  const options = readOptions({ root: temp.root, frontController: '/index.php', ambiguousPaths: 'allow' });
  const plan = new Site(options).plan({ method, url, originalUrl });
  if (plan.kind === 'run') return `run ${plan.script.scriptName}${plan.script.pathInfo} ${plan.target.uri}`;
  return plan.kind === 'answer' ? String(plan.statusCode) : plan.kind;
}

describe('a fragment', () => {
  it.each(['DELETE', 'PUT', 'POST', 'MOVE'])(
    '%s is refused: without it another thing would be named',
    (method) => {
      expect(planned(method, '/dav.php/reports/#7')).toBe('400');
      expect(planned(method, '/reports/#7')).toBe('400');
      expect(planned(method, '/dav.php?a#b')).toBe('400');
      expect(planned(method, '/dav.php', '/reports/#7')).toBe('400');
    },
  );

  it.each(['GET', 'HEAD'])('%s is what it is without it', (method) => {
    expect(planned(method, '/dav.php/reports/#7')).toBe('run /dav.php/reports/ /dav.php/reports/');
  });

  it('of a Request is never sent by anybody', () => {
    expect(planned('DELETE', 'http://x/dav.php/reports#7')).toBe('run /dav.php/reports /dav.php/reports');
  });
});
