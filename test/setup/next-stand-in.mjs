// In the place of `next`, which is 150 MB: what its custom server gives, a handler of node's request and response that makes
// pages. For examples/next.mjs: node --import ./test/setup/next-stand-in.mjs examples/next.mjs
import { register } from 'node:module';

const next = `export default () => ({
  prepare: async () => {},
  getRequestHandler: () => async (request, response) => {
    response.statusCode = request.url === '/node' || request.url === '/' ? 200 : 404;
    response.end(response.statusCode === 200 ? 'Node says hello' : 'This page could not be found.');
  },
});`;
const hooks = `export const resolve = (name, context, following) => name === 'next'
  ? { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(next)}`)}, shortCircuit: true }
  : following(name, context);`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
