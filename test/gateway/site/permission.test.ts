/** A folder that the user of this process may not enter: PHP's may, so nothing else says why a site is 403. */
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createFetchHandler, type GatewayOptions } from '../../../src/gateway/fetch.ts';
import { asNobody } from '../../fpm/support/as-nobody.ts';
import { FakeDispatcher } from '../fake-dispatcher.ts';
import { type TempSite, tempSite } from '../temp-site.ts';

const sites: TempSite[] = [];
afterEach(() => {
  for (const site of sites.splice(0)) {
    chmodSync(site.root, 0o755);
    chmodSync(`${site.root}/closed`, 0o755);
    site.remove();
  }
});

/** `closed`: a folder below the root, or '' for the root itself. */
function closedSite(closed: string): TempSite {
  const site = tempSite({ 'index.php': '', 'a.txt': '', 'closed/x.php': '', 'closed/index.php': '' });
  sites.push(site);
  chmodSync(dirname(site.root), 0o755);
  chmodSync(site.root + closed, 0o600);
  return site;
}

async function ask(
  site: TempSite,
  path: string,
  options: GatewayOptions<Request>,
): Promise<[number, string[]]> {
  const told: string[] = [];
  const onError = (error: unknown): void => void told.push(error instanceof Error ? error.message : '');
  const status = await asNobody(async () => {
    const php = createFetchHandler(new FakeDispatcher(), { root: site.root, onError, ...options });
    const response = await php(new Request(`http://a${path}`));
    await response.text();
    return response.status;
  });
  return [status, told];
}

describe('a folder that this process may not enter: onError is told which right is missing', () => {
  it.each([
    ['/closed', '/closed/x.php', { files: true }, '/closed/x.php'],
    ['/closed', '/closed/x.php', {}, '/closed/x.php'],
    ['/closed', '/closed/', { files: true }, '/closed/index.php'],
    ['/closed', '/closed/x.php', { frontController: '/index.php' }, '/closed/x.php'],
    ['', '/', {}, '/index.php'],
    ['', '/', { files: true }, '/index.php'],
    ['', '/a.txt', { files: true }, '/a.txt'],
    ['', '/index.php', {}, '/index.php'],
  ])('closed%s: %s, %j', async (closed, path, options, named) => {
    const [status, told] = await ask(closedSite(closed), path, options);
    expect(status).toBe(403);
    const said = `Not served: ${named} may not be looked at: the user of this process must be able to enter each of its folders`;
    expect(told).toEqual([said]);
  });

  it('what nobody has said to be ours is still left to others', async () => {
    expect(await ask(closedSite('/closed'), '/closed/', {})).toEqual([404, []]);
    expect(await ask(closedSite('/closed'), '/closed/a.txt', {})).toEqual([404, []]);
  });

  it('a front controller in it is an error at the start that says so', async () => {
    const options = { frontController: '/closed/index.php' };
    await expect(ask(closedSite('/closed'), '/', options)).rejects.toMatchObject({
      option: 'frontController',
      message: expect.stringContaining('the user of this process must be able to enter'),
    });
  });
});
