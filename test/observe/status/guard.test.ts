import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../src/observe/status/guard.ts';

const keepAlive = { connection: 'keep-alive' };

const HERE = {
  remoteAddress: '127.0.0.1',
  host: 'localhost:8080',
  httpVersion: '1.1',
  headers: keepAlive,
  headerCount: 12,
  maxHeadersCount: Number.POSITIVE_INFINITY,
};

describe('the status page is shown', () => {
  it.each([
    {},
    { remoteAddress: '::1', host: '[::1]:8080' },
    { remoteAddress: '::ffff:127.0.0.1', host: '127.0.0.1' },
    { remoteAddress: '127.1.2.3', host: 'LOCALHOST', httpVersion: '2.0', headers: {} },
    { host: 'shop.localhost:3000' },
    { host: 'dev.example:8080' },
    { headerCount: 99, maxHeadersCount: 1000 },
  ])('to who sits at this machine: %j', (visit) => {
    expect(refusalOf({ ...HERE, ...visit }, ['dev.example'])).toBeNull();
  });

  it.each([
    [{ remoteAddress: '10.0.0.7' }, 'this machine'],
    [{ remoteAddress: '::ffff:10.0.0.7' }, 'this machine'],
    [{ remoteAddress: '127.0.0.1.example' }, 'this machine'],
    // A unix socket: what is at its other end nobody knows.
    [{ remoteAddress: undefined }, 'this machine'],
    // It is not believed that it is from here, but that there is a proxy.
    [{ remoteAddress: '10.0.0.7', headers: { 'x-forwarded-for': '127.0.0.1' } }, 'this machine'],
    [{ headers: { ...keepAlive, 'x-forwarded-for': '127.0.0.1' } }, 'x-forwarded-for'],
    [{ headers: { ...keepAlive, forwarded: 'for=10.0.0.7' } }, 'forwarded'],
    [{ headers: { ...keepAlive, 'x-real-ip': '10.0.0.7' } }, 'x-real-ip'],
    [{ headers: { ...keepAlive, via: '1.1 a' } }, 'via'],
    [{ httpVersion: '1.0' }, 'HTTP/1.0'],
    // nginx from 1.29.7 on, and HAProxy
    [{ headers: {} }, 'keep-alive'],
    // nginx before, where it is told to speak HTTP/1.1, and http-proxy
    [{ headers: { connection: 'close' } }, 'keep-alive'],
    [{ headers: { connection: 'upgrade, keep-alive' } }, 'keep-alive'],
    // Apache, where it is told to add nothing
    [{ headers: { connection: 'Keep-Alive' } }, 'keep-alive'],
    // node may have dropped the header that the proxy has added
    [{ headerCount: 100 }, 'so many headers'],
    [{ headerCount: 12, maxHeadersCount: 12 }, 'so many headers'],
    [{ host: 'evil.example' }, 'Host'],
    [{ host: 'localhost.evil.example' }, 'Host'],
    [{ host: '127.0.0.1.evil.example' }, 'Host'],
    [{ host: '' }, 'Host'],
    [{ host: undefined }, 'Host'],
    [{ host: '10.0.0.7' }, 'Host'],
  ])('to nobody else: %j', (visit, why) => {
    expect(refusalOf({ ...HERE, ...visit }, [])).toContain(why);
  });
});
