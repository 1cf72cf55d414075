/** What is answered where a file that was found cannot be read. */
import { errorCode } from '../../../errors.ts';
import type { Answer } from '../site.ts';

export function fileError(error: unknown): Omit<Answer, 'kind'> {
  const code = errorCode(error);
  // what nginx answers
  if (code === 'EACCES' || code === 'EPERM') return { statusCode: 403, reason: error };
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP')
    return { statusCode: 404, reason: undefined };
  return { statusCode: 500, reason: error };
}
