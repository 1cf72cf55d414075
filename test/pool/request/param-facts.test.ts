/** What is read of the params before the caller may change them. */
import { expect, it } from 'vitest';
import { paramFacts } from '../../../src/pool/request/param-facts.ts';

it.each([
  ['PUT', 'PUT'],
  [Buffer.from('PUT'), 'PUT'],
  [undefined, ''],
])('the param %o is read as text', (value, text) => {
  const params = value === undefined ? {} : { REQUEST_METHOD: value, SCRIPT_FILENAME: value };
  expect(paramFacts({ params })).toMatchObject({ method: text, script: text });
});

it.each([
  ['CONTENT_TYPE', { contentType: 'x', changesPhp: false }],
  ['PHP_VALUE', { contentType: '', changesPhp: true }],
  ['PHP_ADMIN_VALUE', { contentType: '', changesPhp: true }],
  ['REQUEST_BODY_FILE', { contentType: '', changesPhp: true }],
  ['php_value', { contentType: '', changesPhp: false }],
])('%s counts where there is a body, and else not', (name, expected) => {
  const params = { REQUEST_METHOD: 'POST', [name]: 'x' };
  expect(paramFacts({ params, body: 'a' })).toMatchObject(expected);
  expect(paramFacts({ params, body: null })).toMatchObject({ contentType: '', changesPhp: false });
  expect(paramFacts({ params })).toMatchObject({ contentType: '', changesPhp: false });
});

it.each([
  ['PHP_VALUE', 'enable_post_data_reading=0', true],
  ['PHP_ADMIN_VALUE', 'memory_limit=1M\npost_max_size=10', true],
  ['PHP_VALUE', Buffer.from('post_max_size=10'), true],
  ['PHP_VALUE', 'memory_limit=1M', false],
  ['HTTP_X_NOTE', 'post_max_size=10', false],
])(
  '%s %s says for all requests that follow when bodies are read, with a body or without: %s',
  (name, value, is) => {
    for (const body of ['a', null])
      expect(paramFacts({ params: { REQUEST_METHOD: 'POST', [name]: value }, body }).changesBodyReading).toBe(
        is,
      );
  },
);
