/** Debian's DokuWiki with page addresses behind the script, which need PATH_INFO. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fieldOf, PNG } from './client.mjs';

export const frontController = null;

export async function install(machine, folder) {
  const root = join(folder, 'www');
  await mkdir(join(folder, 'conf'));
  await machine.run('cp', ['-rL', '/usr/share/dokuwiki', root]);
  await machine.run('cp', ['-rL', '/etc/dokuwiki/.', join(folder, 'conf')]);
  await machine.run('cp', ['-rL', '/var/lib/dokuwiki/data', join(folder, 'data')]);
  await writeFile(
    join(root, 'inc/preload.php'),
    `<?php define('DOKU_CONF', '${folder}/conf/'); define('DOKU_LOCAL', '${folder}/conf/');`,
  );
  await writeFile(
    join(folder, 'conf/local.php'),
    `<?php
$conf['title'] = 'Steps'; $conf['useacl'] = 1; $conf['superuser'] = '@admin'; $conf['passcrypt'] = 'md5';
$conf['savedir'] = '${folder}/data'; $conf['userewrite'] = 2; $conf['updatecheck'] = 0;`,
  );
  const { createHash } = await import('node:crypto');
  const hash = createHash('md5').update('secret').digest('hex');
  await writeFile(join(folder, 'conf/users.auth.php'), `anna:${hash}:Anna:anna@site.test:admin,user\n`);
  await writeFile(join(folder, 'conf/acl.auth.php'), '*\t@ALL\t1\n*\t@user\t8\n');
  return root;
}

export async function steps(client) {
  await client.step('home', '/');
  await client.step('start', '/doku.php');
  await client.file('/lib/tpl/dokuwiki/images/logo.png');
  await client.step('styles', '/lib/exe/css.php?t=dokuwiki');
  await client.step('pretty URL', '/doku.php/wiki:syntax');
  const { body } = await client.step('login form', '/doku.php/start?do=login');
  const fields = { sectok: fieldOf(body, 'sectok'), id: 'start', do: 'login', u: 'anna' };
  await client.form('wrong password', '/doku.php/start', { ...fields, p: 'wrong' });
  await client.form('login', '/doku.php/start', { ...fields, p: 'secret' });
  const logged = await client.step('logged in', '/doku.php/start');
  const token = /sectok=([0-9a-f]+)/.exec(logged.body)?.[1] ?? fieldOf(logged.body, 'sectok');
  const save = {
    sectok: token,
    id: 'notes',
    do: 'save',
    wikitext: '====== Notes ======\nGrüße',
    summary: 'new',
  };
  await client.form('save a page', '/doku.php/notes', {
    ...save,
    'do[save]': '1',
    prefix: '',
    suffix: '',
    changecheck: '',
    rev: '0',
    date: '',
    target: 'section',
  });
  await client.step('its page', '/doku.php/notes');
  const upload = { sectok: token, ns: '', mediaid: 'dot.png', ow: '0' };
  await client.upload('upload', '/lib/exe/mediamanager.php?ns=', upload, 'upload', 'dot.png', PNG);
  await client.step('what was uploaded', '/lib/exe/fetch.php/dot.png');
  await client.step('part of it', '/lib/exe/fetch.php/dot.png', { headers: { Range: 'bytes=1-9' } });
  await client.step('logout', `/doku.php/start?do=logout&sectok=${token}`);
  await client.step('logged out', '/doku.php/start');
  await client.step('no such page', '/doku.php/nothing');
  await client.step('no such file', '/nothing.txt');
  await client.step('folder without slash', '/lib/scripts');
  await client.step('folder with an index', '/lib/');
  await client.step('dotfile', '/.htaccess.dist');
  return client.answers;
}
