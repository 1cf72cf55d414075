/** Debian's WordPress on a private MariaDB, installed by its own pages. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fieldOf, HOST, PNG } from './client.mjs';

export const frontController = '/index.php';

/** Resolves with MariaDB's socket. */
export async function prepare(machine) {
  const data = join(machine.folder, 'db');
  const socket = join(machine.folder, 'db.sock');
  const user = machine.user ? [`--user=${machine.user}`] : [];
  await mkdir(data);
  await machine.give(data);
  // anybody who reaches the socket may do anything: it lies in a folder of our own for a minute
  await machine.run('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--skip-test-db', ...user]);
  const log = `--log-error=${data}/error.log`;
  const own = [
    `--datadir=${data}`,
    `--socket=${data}/db.sock`,
    '--skip-networking',
    '--skip-grant-tables',
    log,
  ];
  machine.start('mariadbd', ['--no-defaults', ...own, ...user]);
  await machine.file(`${data}/db.sock`);
  await machine.run('ln', ['-s', `${data}/db.sock`, socket]);
  await machine.run('chmod', ['755', data]);
  return socket;
}

export async function install(machine, folder, front, socket) {
  const root = join(folder, 'www');
  await machine.run('cp', ['-rL', '/usr/share/wordpress', root]);
  await machine.run('cp', ['-rLn', '/var/lib/wordpress/wp-content', root]);
  await mkdir(join(root, 'wp-content/uploads'), { recursive: true });
  const keys = ['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'].flatMap((name) => [
    `${name}_KEY`,
    `${name}_SALT`,
  ]);
  const values = {
    DB_NAME: `wp_${front}`,
    DB_USER: 'root',
    DB_PASSWORD: '',
    DB_HOST: `localhost:${socket}`,
    DB_CHARSET: 'utf8mb4',
    WP_HOME: `http://${HOST}`,
    WP_SITEURL: `http://${HOST}`,
    DISABLE_WP_CRON: true,
    WP_HTTP_BLOCK_EXTERNAL: true,
    AUTOMATIC_UPDATER_DISABLED: true,
    ...Object.fromEntries(keys.map((key) => [key, key])),
  };
  const lines = Object.entries(values).map(([key, value]) => `define('${key}', ${JSON.stringify(value)});`);
  await writeFile(
    join(root, 'wp-config.php'),
    `<?php\n${lines.join('\n')}\n$table_prefix = 'wp_';\nif (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');\nrequire_once ABSPATH . 'wp-settings.php';\n`,
  );
  await machine.run('mariadb', ['--no-defaults', `--socket=${socket}`, '-e', `CREATE DATABASE wp_${front}`]);
  return root;
}

export async function steps(client) {
  await client.step('not installed yet', '/');
  await client.step('installer', '/wp-admin/install.php');
  await client.form('install', '/wp-admin/install.php?step=2', {
    weblog_title: 'Steps',
    user_name: 'anna',
    admin_password: 'correct horse battery',
    admin_password2: 'correct horse battery',
    pw_weak: 'on',
    admin_email: `anna@${HOST}`,
    blog_public: '0',
    language: '',
  });
  await client.step('home', '/');
  await client.file('/wp-includes/js/wp-embed.js');
  await client.step('style sheet', '/wp-includes/css/buttons.css?ver=1');
  await client.step('login form', '/wp-login.php');
  const fields = {
    log: 'anna',
    'wp-submit': 'Log In',
    redirect_to: `http://${HOST}/wp-admin/`,
    testcookie: '1',
  };
  await client.form('wrong password', '/wp-login.php', { ...fields, pwd: 'wrong' });
  await client.form('login', '/wp-login.php', { ...fields, pwd: 'correct horse battery' });
  await client.step('dashboard', '/wp-admin/profile.php');
  await client.step('folder without slash', '/wp-admin');
  const { body } = await client.step('permalink options', '/wp-admin/options-permalink.php');
  await client.form('pretty URLs', '/wp-admin/options-permalink.php', {
    _wpnonce: fieldOf(body, '_wpnonce'),
    _wp_http_referer: '/wp-admin/options-permalink.php',
    selection: '/%postname%/',
    permalink_structure: '/%postname%/',
  });
  await client.step('pretty URL', '/hello-world/');
  await client.step('without its slash', '/hello-world');
  await client.step('REST', '/wp-json/wp/v2/posts?per_page=1');
  const media = await client.step('upload form', '/wp-admin/media-new.php?browser-uploader');
  const upload = { _wpnonce: fieldOf(media.body, '_wpnonce'), post_id: '0', 'html-upload': 'Upload' };
  await client.upload('upload', '/wp-admin/media-new.php', upload, 'async-upload', 'dot.png', PNG);
  const month = new Date().toISOString().slice(0, 7).replace('-', '/');
  await client.file(`/wp-content/uploads/${month}/dot.png`);
  const profile = await client.step('profile', '/wp-admin/profile.php');
  const nonce = /action=logout(?:&amp;|&#038;)_wpnonce=(\w+)/.exec(profile.body)?.[1];
  await client.step('logout', `/wp-login.php?action=logout&_wpnonce=${nonce}`);
  await client.step('logged out', '/wp-admin/profile.php');
  await client.step('no such page', '/nothing/here/');
  await client.step('no such file', '/wp-content/nothing.css');
  await client.step('no such script', '/nothing.php');
  await client.step('feed', '/feed/');
  return client.answers;
}
