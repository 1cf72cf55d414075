/** A file on its way to node's response object. */
import type { FilePart } from '../../site/static/file-part.ts';
import { cutShort, destroyResponse, isGone, type NodeResponse } from './node-response.ts';
import { SendTimeout } from './send-timeout.ts';

/** The head is set. `sendTimeout`: ms that the client may take nothing, 0: it may. */
export function pipeFile(part: FilePart, response: NodeResponse, sendTimeout: number): void {
  const timeout = new SendTimeout(response, () => {
    // a session of HTTP/2 whose client has vanished does not say when its stream is over
    part.destroy();
    destroyResponse(response);
  });
  part.on('error', () => cutShort(response));
  response.on('close', () => part.destroy());
  if (isGone(response)) {
    part.destroy();
    return;
  }
  if (sendTimeout > 0) timeout.start(sendTimeout);
  part.pipe(response);
}
