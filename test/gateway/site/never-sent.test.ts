import { describe, expect, it } from 'vitest';
import { isHidden, isNeverSent, isSource } from '../../../src/gateway/site/never-sent.ts';

const sources = [
  'index.php',
  'wp-config.php',
  'x.PHP',
  'a.phtml',
  'old.php5',
  'lib.inc',
  'page.tpl',
  'x.blade.php',
];
const marks = [
  '~',
  '#',
  '.',
  '..',
  ' ',
  '$',
  '%',
  '_old',
  '-save',
  ' (copy)',
  '::$DATA',
  ';1',
  ',v',
  '%00.txt',
  '\\',
];
const endings = [
  ...[
    'bak',
    'bkp',
    'bk',
    'backup',
    'old',
    'orig',
    'original',
    'rej',
    'save',
    'sav',
    'swp',
    'swo',
    'swn',
    'tmp',
    'temp',
  ],
  ...[
    'copy',
    'dist',
    'sample',
    'example',
    'rpmnew',
    'rpmsave',
    'rpmorig',
    'dpkg-old',
    'dpkg-new',
    'dpkg-dist',
    'dpkg-tmp',
  ],
  ...['ucf-old', 'ucf-dist', 'pacnew', 'pacsave', 'pacorig', 'bak~', 'bak_2024', 'old-1'],
];
const onlyOfSource = [
  'txt',
  '1',
  '2024-01-31',
  'text',
  'gz',
  'zip',
  'tar.gz',
  'xml',
  'md',
  'doc',
  'diff',
  'patch',
  'json',
  'save.1',
];

describe('source and its copies are never sent', () => {
  it.each(sources)('%s, and whatever is made of its name', (name) => {
    const copies = [
      name,
      `#${name}#`,
      `${name}#`,
      `~${name}`,
      `.${name}.swp`,
      `.#${name}`,
      `Copy of ${name}`,
      ...marks.map((mark) => name + mark),
      ...[...endings, ...onlyOfSource].map((ending) => `${name}.${ending}`),
      ...endings.map((ending) => `${name}.${ending.toUpperCase()}`),
      ...endings.map((ending) => `${name}.${ending}.gz`),
    ];
    expect(copies.filter((copy) => !isNeverSent(`/a/${copy}`))).toEqual([]);
  });

  it.each([
    ...[
      'x.php3',
      'x.php7',
      'x.phps',
      'x.pht',
      'x.phar',
      'x.phpt',
      'x.php.inc',
      'j.php.',
      'x.inc.orig',
      'block.module',
    ],
    ...[
      'x.install',
      'x.engine',
      'x.profile',
      'x.theme',
      'page.twig',
      'x.latte',
      'x.ctp',
      'x.asp',
      'x.aspx',
      'x.jsp',
    ],
    ...[
      'x.cgi',
      'x.pl',
      'x.py',
      'x.rb',
      'deploy.sh',
      'artisan',
      'console',
      'occ',
      'config.inc.php-dist',
      'x.phpbak',
    ],
  ])('%s', (name) => {
    expect(isNeverSent(`/${name}`)).toBe(true);
  });
});

describe('what an editor or a package manager left is never sent', () => {
  it.each(['style.css', 'main.js', 'data.json', 'page.html', 'photo.jpg', 'LICENSE'])('of %s', (name) => {
    const copies = [
      `${name}~`,
      `#${name}#`,
      `.#${name}`,
      `.${name}.swp`,
      ...endings.map((ending) => `${name}.${ending}`),
    ];
    expect(copies.filter((copy) => !isNeverSent(`/${copy}`))).toEqual([]);
  });
});

describe('what may hold a secret is never sent', () => {
  it.each([
    ...[
      '.env',
      '.env.local',
      '.git/config',
      '.git/HEAD',
      '.svn/entries',
      '.hg/store',
      '.htaccess',
      '.htpasswd',
      '.npmrc',
    ],
    ...[
      '.DS_Store',
      '.user.ini',
      '.aws/credentials',
      '.ssh/id_rsa',
      '.idea/x.xml',
      '.vscode/sftp.json',
      'a/.git/x.png',
    ],
    ...['.well-known/.secret', 'a/.well-known/x', 'CVS/Entries', 'WEB-INF/web.xml', '..a'],
    ...[
      'composer.json',
      'composer.lock',
      'package.json',
      'package-lock.json',
      'yarn.lock',
      'symfony.lock',
      'auth.json',
    ],
    ...[
      'Gemfile',
      'Gemfile.lock',
      'Dockerfile',
      'Makefile',
      'Vagrantfile',
      'docker-compose.yml',
      'phpunit.xml',
    ],
    ...[
      'phpunit.xml.dist',
      'phpcs.xml',
      'web.config',
      'app.config',
      'php.ini',
      'my.cnf',
      'nginx.conf',
      'x.cfg',
      'prod.env',
      'env',
      'env.local',
      'env.production',
      'htpasswd',
      'htaccess.txt',
      'dump.rdb',
      'java_pid1.hprof',
    ],
    ...[
      'config.yml',
      'services.yaml',
      'pyproject.toml',
      'phpstan.neon',
      'settings.ini',
      'parameters.json',
      'secrets.json',
    ],
    ...[
      'dump.sql',
      'dump.SQL',
      'dump.sql.gz',
      'dump.sql.zip',
      'db.mysql',
      'x.pgsql',
      'app.sqlite',
      'app.sqlite3',
      'x.db',
    ],
    ...[
      'x.db3',
      'x.mdb',
      'x.dump',
      'backup.sql.bz2',
      'debug.log',
      'app.log.1',
      'app.log.2.gz',
      'error_log',
      'nohup.out',
    ],
    ...[
      'server.key',
      'server.pem',
      'x.p12',
      'x.pfx',
      'x.jks',
      'x.kdbx',
      'x.ppk',
      'id_rsa',
      'id_ed25519',
      'x.ovpn',
      'core',
    ],
    ...[
      'terraform.tfstate',
      'x.tfvars',
      'prod.auto.tfvars.json',
      'main.tf.json',
      'vault.hcl',
      'local.settings.json',
      'token.json',
      'application_default_credentials.json',
      'passwd.txt',
      'smbpasswd.txt',
      'crontab',
      'crontab.txt',
      'known_hosts',
      'service-account-1.json',
      'x.sql_old',
      'x.sql~',
      'Thumbs.db',
    ],
    ...[
      'wp-config',
      'wp-config.txt',
      'wp-config-backup.txt',
      'wp-config.zip',
      'php.ini.default',
      'Dockerfile.prod',
    ],
    ...['sftp-config.json', 'deployment-config.json', 'ftpsync.settings', 'id_rsa_old', 'id_rsa.1'],
    ...['dump.sql.tar', 'dump.sql.tar.gz', 'dump.sql.tgz', 'app.log.tar.xz', 'composer.json.zip'],
    ...[
      'backup.zip',
      'backup-2024-01-31.tar.gz',
      'site_backup.tgz',
      'www.tar',
      'public_html.rar',
      'db.gz',
      'site.7z',
    ],
  ])('%s', (path) => {
    expect(isNeverSent(`/${path}`)).toBe(true);
  });
});

const more = `
x.make x.xtmpl x.volt x.smarty x.stub x.pm x.psgi x.wsgi x.pyc x.erb x.asax x.ascx x.ashx x.asmx x.cshtml x.vbhtml x.aspx.cs x.lua x.exs x.zsh x.ksh x.fish x.bat x.cmd x.ps1 x.psm1 block.module.txt x.phtm x.phar.gz
server.key.txt dump.sql.txt config.ini.txt database.yml.txt error.log.txt composer.json.txt error.log.2024-01-01 access.log.2024-01-01.gz error_log-20240101 access_log-20240101.gz error_log.txt error_log.1 php_errorlog catalina.out mysqld.err x.pid cachegrind.out.1234 cachegrind.out.1234.gz trace.1234.xt sess_0123456789abcdef0123456789 vgcore.123
credentials credentials.csv credentials.xml secret.txt passwords.txt passwd shadow _netrc wallet.dat x.jceks x.bks x.keytab x.pvk x.psafe3 x.pkcs12 privkey1 kubeconfig rootkey.csv accessKeys.csv client_secret_12.apps.googleusercontent.com.json client_secret.json service_account.json serviceAccountKey.json shop-firebase-adminsdk-x1.json
local.properties application.properties application-prod.properties gradle.properties db.properties nbproject/private/x.html pom.xml build.xml web.xml local.xml tomcat-users.xml sitemanager.xml filezilla.xml _notes/dwsync.xml phinx.json ormconfig.json bower.json tsconfig.json config.production.json bun.lockb go.mod go.sum requirements.txt requirements-dev.txt Podfile Capfile Guardfile Justfile Containerfile GNUmakefile Dockerfile-prod main.tf x.typoscript x.sublime-project x.code-workspace x.iml x.suo x.csproj
x.frm x.ibd x.MYD x.mdf x.bson x.pgdump x.mysqldump x.mbox ibdata1 ib_logfile0 x.sqlite-wal x.db-journal x.wpress x.jpa x.war public.zip src.tar.gz vendor.zip wordpress.zip wp-content.zip old.zip
index.html.LCK index.html.new main.js.bck main.js.bak1 main.js.old2 main.js.tmp1 x.autosave backup.tar.gz.part x.filepart main.js,v _darcs/prefs _svn/entries __MACOSX/x.html __pycache__/x.html _vti_pvt/x.html
backup1.zip backup2024.zip backup20240131.tar.gz dump2024.zip bak2.rar mybackup.zip dbbackup.gz wpbackup2.zip full-backup3.7z database2.tar 20240131_site_archive.daf x.daf
users.passwd ftp.passwd x.passwd.txt rsyncd.secrets x.secret smbpasswd htusers htgroup htgroups ssh_host_rsa_key ssh_host_ed25519_key private_key private_key.txt privatekey.txt secret-key.txt secret_key encryption_key.txt
bash_history zsh_history mysql_history psql_history bash_history.txt pgpass mbox x.ldif x.fdb x.bacpac x.dacpac x.heapsnapshot x.pcap x.pcapng x.har tnsnames.ora x.keychain aws_credentials aws_credentials.json vault_pass.txt vault-password secring.gpg shadow.txt hibernate.cfg.xml unattend.xml autounattend.xml NTUSER.DAT`;

describe('what programs, editors and systems leave behind is never sent', () => {
  it.each(more.trim().split(/\s+/))('%s', (path) => {
    expect(isNeverSent(`/${path}`)).toBe(true);
  });
});

const ordinary = `
sitemap.pl.xml messages.pl.json subs.pl.vtt movie.pl.srt terms.pl.pdf data.sh.json dark.theme.json button.module.scss user.profile.json linkedin.profile.pdf search.engine.json x.module.wasm St.Pharmacy.zip x.phthalate.doc company.inc.pdf manual.php.pdf lesson.php.mp4 x.sh.mp4
town.old-mill.jpg prism.default-dark.css app.config-ab12.js vendors.key-value.js main.log-viewer.js icons.lock-open.svg team.key-visual.jpg photo.sample-1.jpg tour.copy-of.html chart.db-schema.png report.example-1.pdf logo.orig_1.png #1-hit.mp3 #hashtag.png ~tilde.html wp-config.png Makefile.html
.well-known/openid-configuration .well-known/autoconfig/mail/config-v1.1.xml .well-known/security.txt.sig .well-known/openpgpkey/policy llms.txt app-ads.txt browserconfig.xml crossdomain.xml opensearch.xml swagger.json openapi.json config.json asset-manifest.json ngsw.json version.json tokens.json viewer.properties messages_de.properties i18n/app.properties
ssh_host_rsa_key.pub public_key.txt publickey.asc keyboard.txt archive.zip archive2024.zip backups.txt passwords-howto.md humpback.zip dumpling.zip x.mobileconfig x.appimage x.torrent x.crx x.gpg x.jar x.shp x.dbf x.sdf x.r00 x.unityweb x.data x.onnx x.dat x.gpx x.kml x.xsl x.dtd x.opus x.heic x.tif x.psd photo.2024.01.31.jpg app-1.0.0.tar.gz a+b.txt a&b.txt a;b.html (1).pdf @font.css !x.css data-dump.csv photo-backup.csv x.swf game.min.swf history.json order_history.csv browser_history.js x.swc shadow.css backup/index.html vendor/jquery.js node_modules/bootstrap/x.css uploads/2024/01/x.jpg`;

describe('names that only look alike are sent', () => {
  it.each(ordinary.trim().split(/\s+/))('%s', (path) => {
    expect(isNeverSent(`/${path}`)).toBe(false);
  });
});

describe('all else is sent', () => {
  it.each([
    'env.js',
    'env.json',
    'env-config.js',
    'environment.html',
    'htpasswd.html',
    ...[
      'photo.jpg',
      'main.js',
      'main.min.js',
      'app.mjs',
      'style.css',
      'style.css.map',
      'x.svg',
      'x.woff2',
      'x.wasm',
    ],
    ...[
      'phpinfo.html',
      'php.css',
      'mode-php.js',
      'x.php.js',
      'x.php.png',
      'icon.php.svg',
      'php',
      'php.txt',
      'x.php.d/a.txt',
    ],
    ...[
      'include',
      'include/a.js',
      'a.include.js',
      'button.module.css',
      'list.tpl.html',
      'vue.runtime.js',
      'theme.css',
    ],
    ...[
      'index.html',
      'a.htm',
      'feed.xml',
      'sitemap.xml',
      'sitemap.xml.gz',
      'robots.txt',
      'humans.txt',
      'ads.txt',
      'LICENSE',
    ],
    ...[
      'README.md',
      'CHANGELOG',
      'manifest.json',
      'site.webmanifest',
      'data.json',
      'geo.geojson',
      'x.csv',
      'x.pdf',
      'x.zip',
    ],
    ...[
      'x.tar.gz',
      'web.svg',
      'backup.html',
      'site.zip.html',
      'data.tar.gz',
      'id_rsa.pub',
      'x.tgz',
      'x.7z',
      'x.mp4',
      'x.ts',
      'x.m3u8',
      'x.ogg',
      'x.glb',
      'x.apk',
      'x.exe',
      'x.dmg',
      'x.deb',
      'x.iso',
    ],
    ...[
      'x.docx',
      'x.xlsx',
      'x.epub',
      'x.ics',
      'x.vcf',
      'x.vtt',
      'x.po',
      'x.crt',
      'x.asc',
      'x.sha256',
      'x.rss',
      'x.atom',
    ],
    ...[
      '.well-known/acme-challenge/abc',
      '.well-known/security.txt',
      '.well-known/apple-app-site-association',
    ],
    ...[
      'apple-app-site-association',
      'favicon.ico',
      'keyboard.js',
      'catalog.html',
      'my.logo.png',
      'old.css',
      'backup.js',
    ],
    ...[
      'core.js',
      'console.css',
      'sample.html',
      'temp/a.png',
      'jquery-3.7.1.min.js',
      'chunk.2f3a1b.js',
      'tool.1',
      'v1.2.3',
    ],
    ...[
      'a b.txt',
      'caf\xc3\xa9.txt',
      'C++.html',
      '100%25.txt',
      'git/a.js',
      'logs/a.css',
      'log.html',
      'sql.html',
      'x.key.png',
    ],
  ])('%s', (path) => {
    expect(isNeverSent(`/${path}`)).toBe(false);
  });
});

it('source is told from secrets: the one is kept from other handlers, too', () => {
  expect(isSource('/x.php.txt')).toBe(true);
  expect(isSource('/composer.json')).toBe(false);
  expect(isHidden('/.well-known/x')).toBe(false);
});
