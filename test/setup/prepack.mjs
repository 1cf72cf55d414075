// What `npm pack` and `npm publish` run first: no package leaves without its types.
import { build } from './build.mjs';
import { project } from './machine.mjs';

await build(project, { types: true });
