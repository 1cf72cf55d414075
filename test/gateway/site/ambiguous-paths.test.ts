import { afterAll, describe, expect, it } from 'vitest';
import type { GatewayOptions } from '../../../src/gateway/options.ts';
import { readOptions } from '../../../src/gateway/settings.ts';
import { Site } from '../../../src/gateway/site/site.ts';
import { tempSite } from '../temp-site.ts';

const temp = tempSite(
  Object.fromEntries(['index.php', 'admin/x.php', '@me/x.php', 'a/index.php'].map((name) => [name, ''])),
);
afterAll(() => temp.remove());

function planned(url: string, options: Partial<GatewayOptions<never>> = {}, method = 'GET'): string {
  const plan = new Site(readOptions({ root: temp.root, ...options })).plan({ method, url, originalUrl: url });
  switch (plan.kind) {
    case 'run':
      return `run ${plan.script.scriptName}${plan.script.pathInfo}`;
    case 'redirect':
      return `${plan.statusCode} ${plan.location}`;
    case 'answer':
      return String(plan.statusCode);
    default:
      return plan.kind;
  }
}

describe('a script that a guard in front may not have recognised', () => {
  it.each([
    ['//admin/x.php', '308 /admin/x.php'],
    ['/admin%2fx.php', '308 /admin/x.php'],
    ['/./admin/x.php?a=b', '308 /admin/x.php?a=b'],
    ['/%61dmin/x.php', '308 /admin/x.php'],
    ['/a/../admin/x.php', '308 /admin/x.php'],
    ['/admin/x.php//evil.example', '308 /admin/x.php/evil.example'],
    ['/%40me/x.php', '308 /@me/x.php'],
    ['http://h//admin/x.php', '308 /admin/x.php'],
    ['/%61/', '308 /a/'],
    ['/%61', '301 /a/'],
    ['//', '308 /'],
  ])('%s is sent to its plain form: %s', (url, plain) => {
    expect(planned(url)).toBe(plain);
    expect(planned(url, {}, 'HEAD')).toBe(plain);
  });

  it.each(['//admin/x.php', '/admin%2fx.php', '/%40me/x.php'])(
    '%s is refused where it cannot be sent on',
    (url) => {
      expect(planned(url, {}, 'POST')).toBe('400');
      expect(planned(url, { ambiguousPaths: 'refuse' })).toBe('400');
    },
  );

  it.each([
    ['//admin/x.php', 'run /admin/x.php'],
    ['/index.php/a%2Fb', 'run /index.php/a/b'],
    ['/%40me/x.php', 'run /@me/x.php'],
  ])('%s runs where that is allowed: %s', (url, expected) => {
    expect(planned(url, { ambiguousPaths: 'allow' })).toBe(expected);
  });

  it.each([
    ['/index.php/user/a%40b', 'run /index.php/user/a@b'],
    ['/user/a%40b', 'run /index.php'],
    ['/caf%c3%a9', 'run /index.php'],
  ])("%s is the application's affair behind the script: %s", (url, expected) => {
    expect(planned(url, { frontController: '/index.php' }, 'POST')).toBe(expected);
  });

  it.each(['//user', '/%75ser', '/user%2Fa'])('%s does not reach the front controller', (url) => {
    expect(planned(url, { frontController: '/index.php' })).toMatch(/^308 \/user/);
    expect(planned(url, { frontController: '/index.php' }, 'POST')).toBe('400');
  });

  it("what is not PHP's is not judged", () => {
    expect(planned('//none')).toBe('pass');
  });
});

describe('params that PHP-FPM obeys', () => {
  const control = ['PHP_VALUE', 'PHP_ADMIN_VALUE', 'REQUEST_BODY_FILE', 'PATH_TRANSLATED'];

  it.each(control)('%s is refused unless it is allowed', (name) => {
    const params = { [name]: 'x' };
    expect(() => readOptions({ root: temp.root, params })).toThrow(`params holds ${name}`);
    const settings = readOptions<unknown>({ root: temp.root, params: () => params });
    expect(() => settings.paramsOf({})).toThrow(`params holds ${name}`);
    const allowed = { root: temp.root, allowControlParams: true };
    expect(readOptions<unknown>({ ...allowed, params }).paramsOf({})).toEqual(params);
    expect(readOptions<unknown>({ ...allowed, params: () => params }).paramsOf({})).toEqual(params);
  });
});
