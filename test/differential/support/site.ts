/** The document root that all servers share. */
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Fpm } from '../../fpm/support/index.ts';
import { phpAnswers } from '../cases/php-scripts.ts';
import { SECRET, scripts, source } from './scripts.ts';

const text = 'The quick brown fox jumps over the lazy dog.\n'.repeat(40);

/** Name below the root -> content. */
const files: Readonly<Record<string, string>> = {
  'static/text.txt': text,
  'static/site.css': 'body { color: #123 }\n',
  'static/app.js': 'export {};\n',
  'static/data.json': '{"a":1}\n',
  'static/pic.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
  'static/pic.png': '\u0089PNG\r\n\u001a\n',
  'static/empty.txt': '',
  'static/noext': 'no extension\n',
  'static/sp ace.txt': 'a blank in the name\n',
  'static/caf\u00e9.txt': 'not ASCII\n',
  'static/100%.txt': 'a percent sign\n',
  'static/a+b.txt': 'a plus\n',
  'static/q?.txt': 'a question mark\n',
  'static/semi;colon.txt': 'a semicolon\n',
  'static/back\\slash.txt': 'a backslash\n',
  'docs/index.html': '<p>docs</p>\n',
  'docs/deep/er/page.html': '<p>deep</p>\n',
  'files/only.txt': 'no index here\n',
  '.env': SECRET,
  '.git/config': SECRET,
  'static/.htpasswd': SECRET,
  '.well-known/security.txt': 'Contact: mailto:a@example.test\n',
};

/** All files bear the same date: Last-Modified is compared. */
const date = new Date('2024-02-29T12:34:56Z');

/** What lies outside the root lies beside it, in the folder that goes with PHP-FPM. */
export function buildSite(fpm: Fpm): void {
  const put = (name: string, content: string): void => {
    const path = join(fpm.root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    utimesSync(path, date, date);
  };
  for (const [name, php] of Object.entries({ ...scripts, ...phpAnswers })) put(name, source(php));
  for (const [name, content] of Object.entries(files)) put(name, content);
  mkdirSync(join(fpm.root, 'bare'));
  put('uploads/evil.jpg', source('echo 1;'));

  const outside = `${fpm.root}-outside`;
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret.txt'), SECRET);
  writeFileSync(join(outside, 'secret.php'), source(`echo '${SECRET}';`));
  symlinkSync(join(outside, 'secret.txt'), join(fpm.root, 'static/out.txt'));
  symlinkSync(join(outside, 'secret.php'), join(fpm.root, 'out.php'));
  symlinkSync(outside, join(fpm.root, 'outside'));
  symlinkSync('text.txt', join(fpm.root, 'static/in.txt'));
}
