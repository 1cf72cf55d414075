import { expect, it } from 'vitest';
import {
  isReadBeforeScript,
  type RequestShape,
} from '../../../src/connection/evidence/read-before-script.ts';

const form: RequestShape = {
  method: 'POST',
  contentType: 'application/x-www-form-urlencoded',
  length: 100,
  changesPhp: false,
  postDataReading: 16_384,
};

it.each<[string, Partial<RequestShape>]>([
  ['a form', {}],
  ['JSON', { contentType: 'application/json' }],
  ['of 16 KiB', { length: 16_384 }],
  ['no body at all, whatever the method', { method: 'PUT', length: 0 }],
  ['no body, whatever php.ini says', { length: 0, changesPhp: true, postDataReading: 0 }],
])('PHP has read it before the script: %s', (_, shape) => {
  expect(isReadBeforeScript({ ...form, ...shape })).toBe(true);
});

it.each<[string, Partial<RequestShape>]>([
  ['a PUT with a body', { method: 'PUT' }],
  ['a method that is POST only to a human', { method: 'post' }],
  ['one byte more than 16 KiB', { length: 16_385 }],
  ['more than post_max_size', { length: 11, postDataReading: 10 }],
  ['anything, where enable_post_data_reading is off', { postDataReading: 0 }],
  ['more than 16 KiB, even if the option says so', { length: 16_385, postDataReading: 1e6 }],
  ['a request that changes php.ini', { changesPhp: true }],
  ['multipart', { contentType: 'Multipart/Form-Data; boundary=x' }],
])('PHP may start the script before it has read it: %s', (_, shape) => {
  expect(isReadBeforeScript({ ...form, ...shape })).toBe(false);
});
