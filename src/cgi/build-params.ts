/** The params of one request that comes from nowhere but its caller: his arguments are checked. */
import { ArgumentError } from '../errors.ts';
import { checkedHeaders, checkFacts, checkScriptOptions } from './arguments.ts';
import { defaultFpmPages, type HttpFacts, type Params, ParamsBuilder, type ScriptOptions } from './env.ts';
import { defaultSplitPath, namedScript } from './script.ts';
import { parseTarget } from './target.ts';

/**
 * The params for one request, from the request alone: no file is looked at. `SCRIPT_FILENAME` is `root` and the
 * script's name; PATH_INFO is there only where something follows the script, PATH_TRANSLATED never: with
 * `cgi.fix_pathinfo = 0` PHP-FPM would run that file in place of the script. CONTENT_TYPE, CONTENT_LENGTH, HTTPS,
 * REMOTE_ADDR and REMOTE_PORT are absent rather than empty. Where nobody knows the server's end, SERVER_PORT is that
 * of the URL or of Host, else 443 or 80. REMOTE_USER is yours to set in `params`: an
 * Authorization header proves nothing until somebody has checked it (PHP gets it, as PHP_AUTH_USER).
 *
 * @throws ArgumentError FCGI_ERR_INVALID_ARG: `option` names the argument that cannot be. It is 'url' for a bad escape or
 * control byte, a path out of the root and one that names no script, too.
 */
export function buildParams(http: HttpFacts, script: ScriptOptions): Params {
  checkFacts(http);
  const headers = checkedHeaders(http);
  checkScriptOptions(script);
  const target = parseTarget(http.url);
  if ('refused' in target) throw wrongUrl(`The URL cannot be served: ${target.refused}`);
  const named = namedScript(target.path, {
    index: script.index ?? 'index.php',
    frontController: script.frontController,
    splitPath: script.splitPath ?? defaultSplitPath,
  });
  if (!named) throw wrongUrl('The path of the URL names no script, and there is no frontController');
  const builder = new ParamsBuilder(script.root, new Set(script.fpmPages ?? defaultFpmPages));
  return builder.build({ ...http, headers }, target, named, script.params);
}

function wrongUrl(message: string): ArgumentError {
  return new ArgumentError('FCGI_ERR_INVALID_ARG', 'url', message);
}
