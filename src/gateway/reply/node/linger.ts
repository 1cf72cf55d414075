/**
 * The end of a connection of HTTP/1 whose last request is answered before all of its body is there. Node would close it at once: for
 * who is still sending, as nginx is by the HTTP/1.0 of a plain proxy_pass, the reset takes the place of the answer.
 */
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers';

/** Milliseconds for what is left of a body, and of these without a byte of it: nginx's lingering_time and -_timeout. */
const LINGER = 30_000;
const SILENCE = 5000;

/** From now on the connection ends so wherever `isBodyDue` then. Returns what takes that back. */
export function lingerBehindBody(socket: Socket, isBodyDue: () => boolean): () => void {
  const before = socket.destroySoon;
  socket.destroySoon = () => {
    if (isBodyDue()) linger(socket);
    else before.call(socket);
  };
  return () => {
    socket.destroySoon = before;
  };
}

function linger(socket: Socket): void {
  const destroy = (): void => void socket.destroy();
  socket.end();
  socket.setTimeout(SILENCE, destroy);
  const timer = setTimeout(destroy, LINGER);
  socket.once('close', () => clearTimeout(timer));
}
