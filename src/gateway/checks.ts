/** What values an option may have. Each function takes the option's name, for the error, and what was given. */

import { statSync } from 'node:fs';
import { LONGEST_DELAY } from '../arguments.ts';
import { ArgumentError, errorText } from '../errors.ts';

export function folder(option: string, path: unknown): string {
  if (typeof path !== 'string' || path === '') throw wrong(option, 'must be the path of a folder');
  let isFolder = false;
  let problem = 'is no folder';
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    problem = `cannot be used (${errorText(error)})`;
  }
  if (!isFolder) throw wrong(option, `"${path}" ${problem}`);
  return path;
}

export function isRelativeName(name: string): boolean {
  return name.split('/').every((segment) => /^[^.\0][^\0]*$/.test(segment));
}

export function strings(option: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.some((entry) => typeof entry !== 'string')) {
    throw wrong(option, 'must be a list of strings');
  }
  return [...value];
}

export function size(option: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw wrong(option, 'must be a whole number of bytes, 0 or more');
  }
  return value;
}

export function callback<F>(option: string, value: F | undefined): F | undefined {
  if (value !== undefined && typeof value !== 'function') throw wrong(option, 'must be a function');
  return value;
}

export function wrong(option: string, problem: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', option, `Option ${option} ${problem}`);
}

export function flag(option: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrong(option, 'must be true or false');
  return value;
}

export function milliseconds(option: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > LONGEST_DELAY) {
    throw wrong(option, `must be a whole number of milliseconds from 0 to ${LONGEST_DELAY}`);
  }
  return value;
}

export function oneOf(option: string, words: readonly string[], value: unknown): string {
  const word = words.find((each) => each === value);
  if (word === undefined) throw wrong(option, `must be one of ${words.join(', ')}`);
  return word;
}
