/** Takes the steps of each application through nginx, serve and Express, and compares what they answer. */
import { rm } from 'node:fs/promises';
import { Client } from './client.mjs';
import { differences } from './compare.mjs';
import * as dokuwiki from './dokuwiki.mjs';
import { startFronts } from './fronts.mjs';
import { Machine } from './machine.mjs';
import * as symfony from './symfony.mjs';
import * as wordpress from './wordpress.mjs';

const applications = { wordpress, dokuwiki, symfony };
const wanted = process.argv.slice(2);
const names = wanted.length > 0 ? wanted : Object.keys(applications);
let different = 0;
for (const name of names) {
  const application = applications[name];
  if (!application) throw new Error(`no such application: ${name}; there is ${Object.keys(applications)}`);
  const machine = await Machine.create();
  try {
    console.log(`${name}:`);
    const fronts = await startFronts(machine, application);
    const answers = {};
    for (const [front, port] of Object.entries(fronts)) {
      answers[front] = await application.steps(new Client(port));
    }
    const { nginx, ...others } = answers;
    for (const [nth, right] of nginx.entries()) {
      const all = Object.entries(others).flatMap(([front, its]) =>
        differences(right, its[nth]).map((text) => `    ${front}: ${text}`),
      );
      console.log(
        `  ${all.length === 0 ? 'same     ' : 'different'} ${right.status} ${right.body.length} ${right.name}`,
      );
      for (const line of all) console.log(line);
      different += all.length;
    }
  } finally {
    await machine.stop();
    if (!process.env.KEEP) await rm(machine.folder, { recursive: true, force: true });
  }
}
console.log(`${different} differences`);
process.exit(different > 0 ? 1 : 0);
