/** The option `params`, checked. */
import { isUint8Array } from 'node:util/types';
import { isOptions } from '../../arguments.ts';
import { controlParams } from '../../cgi/control-params.ts';
import type { Params } from '../../cgi/env.ts';
import { flag, wrong } from '../checks.ts';
import type { GatewayOptions } from '../options.ts';

export function paramsOf<Req>(options: GatewayOptions<Req>): (request: Req) => Params | undefined {
  const { params, allowControlParams = false } = options;
  const mayControl = flag('allowControlParams', allowControlParams);
  if (typeof params === 'function') {
    return (request) => {
      const made = madeParams(params(request));
      return mayControl ? made : withoutControl(made);
    };
  }
  if (params !== undefined && !isOptions(params)) {
    throw wrong('params', 'must be an object of strings and Uint8Arrays, or a function that makes one');
  }
  for (const [name, value] of Object.entries(params ?? {})) {
    if (typeof value !== 'string' && !isUint8Array(value)) {
      throw wrong('params', `must hold strings and Uint8Arrays, and ${name} is neither`);
    }
  }
  if (!mayControl) withoutControl(params);
  return () => params;
}

/** What has no names of its own would be lost in silence, and REMOTE_USER with it. */
function madeParams(made: Params | null | undefined): Params | undefined {
  if (made === undefined || made === null) return undefined;
  if (made instanceof Promise) {
    made.catch(() => {});
    throw wrong('params', 'returned a promise: the params must be there at once');
  }
  if (typeof made !== 'object' || Symbol.iterator in made) {
    throw wrong('params', 'must return an object of strings and Uint8Arrays, or undefined');
  }
  return made;
}

/** A param that a request has filled in must not turn into a setting of PHP, or into another script. */
function withoutControl(params: Params | undefined): Params | undefined {
  const name = params && controlParams.find((each) => each in params);
  if (name === undefined) return params;
  throw wrong('params', `holds ${name}, which PHP-FPM obeys: allowControlParams: true allows it`);
}
