/** Node's stacks of handlers, and the middlewares of npm that people put into them. */
import type http from 'node:http';
import { createRequire } from 'node:module';
import { Writable } from 'node:stream';

const require = createRequire(import.meta.url);

/** As connect and Express call it. */
export type Handler = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** What a middleware has seen, in its own words. */
export type Note = (seen: unknown) => void;

export const stacks: Readonly<Record<string, (handlers: readonly Handler[]) => http.RequestListener>> = {
  'node:http': (handlers) => (request, response) => {
    const run = (at: number): void =>
      handlers[at]?.(request, response, (error) => {
        if (error) throw error;
        run(at + 1);
      });
    run(0);
  },
  connect: (handlers) => using(require('connect')(), handlers),
  'Express 4': (handlers) => using(require('express-4')(), handlers),
  'Express 5': (handlers) => using(require('express')(), handlers),
};

interface App extends http.RequestListener {
  use(handler: Handler): unknown;
}

function using(app: App, handlers: readonly Handler[]): http.RequestListener {
  for (const handler of handlers) app.use(handler);
  return app;
}

/** Notes each line that is written to it. */
function lines(note: Note): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      note(String(chunk));
      done();
    },
  });
}

/** Headers as a middleware sees them just before they go out. */
function headersAt(
  onHeaders: (response: http.ServerResponse, listener: () => void) => void,
  note: Note,
): Handler {
  return (_request, response, next) => {
    onHeaders(response, () => {
      note([response.statusCode, response.getHeaders()]);
      response.setHeader('X-Late', 'yes');
    });
    next();
  };
}

const session = { secret: 'secret', resave: false, saveUninitialized: false, name: 'sid' };

export const middlewares: Readonly<Record<string, (note: Note) => Handler>> = {
  'on-headers 1.0': (note) => headersAt(require('on-headers-1.0'), note),
  'on-headers 1.1': (note) => headersAt(require('on-headers'), note),
  morgan: (note) =>
    require('morgan')(':method :url :status :res[content-length] :res[x-powered-by] :res[content-type]', {
      stream: { write: note },
    }),
  'cookie-session': () =>
    after(require('cookie-session')({ keys: ['a'] }), (request) => {
      request['session'].views = 1;
    }),
  'express-session': () =>
    after(require('express-session')({ ...session, genid: () => 'fixed' }), (request) => {
      request['session'].views = 1;
    }),
  'response-time': (note) =>
    require('response-time')((_request: unknown, response: http.ServerResponse) =>
      note(response.getHeaders()),
    ),
  'compression 1.7': () => require('compression-1.7')({ threshold: 100 }),
  compression: () => require('compression')({ threshold: 100 }),
  'pino-http': (note) => {
    const { pinoHttp, default: named } = require('pino-http');
    const make = pinoHttp ?? named;
    return make(
      {},
      lines((text) => {
        const { res } = JSON.parse(String(text));
        note(res);
      }),
    );
  },
  apicache: () => require('apicache').newInstance({ debug: false }).middleware('1 minute'),
  helmet: () => require('helmet')(),
  cors: () => require('cors')({ origin: 'http://other.example', credentials: true }),
  'cookie-parser': (note) => after(require('cookie-parser')(), (request) => note(request['cookies'])),
  'express-rate-limit': () =>
    require('express-rate-limit').rateLimit({
      limit: 100,
      standardHeaders: 'draft-6',
      legacyHeaders: false,
      validate: false,
      keyGenerator: () => 'a',
      windowMs: 3_600_000,
    }),
  'a logger of bodies': (note) => (_request, response, next) => {
    const chunks: Buffer[] = [];
    const { write, end } = response;
    response.write = ((chunk: Buffer, ...rest: unknown[]) => {
      chunks.push(chunk);
      return write.apply(response, [chunk, ...rest] as never);
    }) as typeof write;
    response.end = ((chunk?: Buffer, ...rest: unknown[]) => {
      if (chunk) chunks.push(chunk);
      note(Buffer.concat(chunks).toString('latin1'));
      return end.apply(response, [chunk, ...rest] as never);
    }) as typeof end;
    next();
  },
  // as that of express-interceptor
  'one whose write() does not say whether to go on': () => (_request, response, next) => {
    const { write } = response;
    response.write = ((...args: unknown[]) => {
      write.apply(response, args as never);
    }) as unknown as typeof write;
    next();
  },
  'one that sets a header when the page ends': () => (_request, response, next) => {
    const { end } = response;
    response.end = ((...args: unknown[]) => {
      if (!response.headersSent) response.setHeader('X-End', 'seen');
      return end.apply(response, args as never);
    }) as typeof end;
    next();
  },
};

// biome-ignore lint/suspicious/noExplicitAny: what a middleware puts on a request
type Touched = http.IncomingMessage & Record<string, any>;

function after(middleware: Handler, then: (request: Touched) => void): Handler {
  return (request, response, next) =>
    middleware(request, response, (error) => {
      if (!error) then(request as Touched);
      next(error);
    });
}
