/**
 * Which files are never sent as they are, whatever a server is asked for. In six sentences:
 * 1. nothing in or behind a name that begins with a dot (`.well-known` at the top aside), nor what a version control or
 *    an operating system has put there for itself (`CVS/`, `__MACOSX/`);
 * 2. else whatever ends as a page, style sheet, browser's script, picture, font, film, sound or PDF does is sent;
 * 3. nothing with the ending of a server's program anywhere in its name (`x.php.txt` may be a copy of the source);
 * 4. no copy that an editor, a package manager or a person has left (`main.js~`, `style.css.bak`);
 * 5. no configuration, key, log, database or dump, packed or not, and no archive that is called as a backup or a whole site;
 * 6. nothing by a name that may be a file system's own for one of these (`GIT~1`, `x.ini::$DATA`).
 * Paths begin with a slash; each char is one byte. Letters of both cases are meant.
 */

import { folded, isObscured, isShortName } from './other-names.ts';

export function isNeverSent(path: string): boolean {
  return byEitherName(path, isPrivate);
}

/** By the name that is asked for, or by that under which a file system may find it. */
function byEitherName(path: string, isMeant: (path: string) => boolean): boolean {
  if (isMeant(path)) return true;
  const other = folded(path);
  return other !== path && isMeant(other);
}

function isPrivate(path: string): boolean {
  if (isHidden(path) || privateFolder.test(path) || isObscured(path)) return true;
  const name = nameIn(path);
  if (passive.test(name)) return false;
  if (isShortName(name)) return true;
  const unpacked = name.replace(packed, '');
  return (
    isProgram(name) ||
    leftover.test(name) ||
    leftover.test(unpacked) ||
    privateEnding.test(unpacked) ||
    toolName.test(unpacked) ||
    privateName.test(unpacked) ||
    (unpacked !== name && backup.test(unpacked))
  );
}

/** A segment begins with a dot (`.git`, `.env`), `.well-known` (RFC 8615) at the top aside. */
export function isHidden(path: string): boolean {
  const rest = path.startsWith('/.well-known/') ? path.slice('/.well-known'.length) : path;
  return rest.includes('/.');
}

/** Hidden, or that may be so under the name by which it is asked for: the ending of that name tells nothing. */
export function mayBeHidden(path: string): boolean {
  return byEitherName(path, (name) => isHidden(name) || isObscured(name) || isShortName(nameIn(name)));
}

/** Sentence 3: it may be the source of a program. */
export function isSource(path: string): boolean {
  return byEitherName(path, isProgram);
}

function isProgram(path: string): boolean {
  const [, ...parts] = nameIn(path).split('.');
  if (!parts.some((part) => sourcePart.test(part)) || passive.test(path)) return false;
  // `messages.pl.json` is Polish rather than Perl, `dark.theme.json` nobody's source
  return !data.test(path) || parts.some((part) => phpPart.test(part));
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

// what begins so is PHP's: php5, phps, phpt, `php~`, `php_old`
const phpPart = /^php|^(?:pht|phtml?|phar|inc|tpl|twig|latte|blade|ctp)(?![a-z0-9])/i;

// and what other programs of servers are written in
const sourcePart = new RegExp(
  `${phpPart.source}|^(?:module|install|engine|profile|theme|make|xtmpl|volt|smarty|stub|hh|hack|aspx?|as[ahm]x|asax|ascx|asa|(?:cs|vb)html|jspx?|cfm|cgi|fcgi|pl|pm|psgi|py[co]?|wsgi|rb|erb|lua|exs?|sh|bash|[ckz]sh|fish|bat|cmd|psm?1)(?![a-z0-9])`,
  'i',
);

// what browsers show or run, and servers do not
const passive =
  /\.(?:x?html?|css|s[ac]ss|less|[cm]?js|map|wasm|svgz?|png|jpe?g|gif|webp|avif|ico|bmp|woff2?|ttf|otf|eot|pdf|mp[34]|m4[av]|webm|og[agv]|wav|flac|mov|vtt|srt)$/i;

const data = /\.(?:json|xml|csv|md)$/i;

// numbers and dates of what is turned over (`app.log.1`, `app.log.2024-01-31`) are taken off as well
const packed = /(?:\.(?:gz|bz2|xz|zst|lz4?|lzma|br|zip|7z|rar|tar|tgz|tbz2?|txz|\d[\d_-]*))+$/i;

const backup =
  /(?:^|[-_. ])(?:db|full|my|site|sql|web|wp|www)?(?:backups?|bak|dump|database)\d*(?:[-_. ]|$)|^(?:db|mysql|html|htdocs|httpdocs|public(?:_html)?|web(?:root|site)?|wwwroot|www|site|src|vendor|wordpress|wp-content|old)$/i;

const leftover =
  /^[#~]|[#~$%. ]$|,v$|\.(?:ba(?:k|c|ckup|kup)?\d*|back|bck|bkp?\d*|old\d*|orig\d*|original|rej|saved?|sav|autosave|asv|lck|sw[abd-eg-p]|te?mp\d*|copy\d*|dist|sample|example|default|prev|disabled|new|mine|part|partial|filepart|crdownload|(?:rpm|dpkg|ucf|pac)-?(?:new|old|save|orig|dist|tmp|bak))(?:[-_~ ].*)?$/i;

const privateEnding =
  /\.(?:\w*sql|sqlite\w*|s3db|db\d?|mdb|accdb|rdb|frm|ibd|my[di]|[ml]df|ndf|bson|\w*dump|dmp|hprof|pst|mbox|wpress|daf|jpa|jps|ini|conf|config|cnf|cfg|env|ya?ml|toml|neon|typoscript|tsconfig|lockb?|log|err|pid|xt|key|pem|p8|p12|pfx|pkcs\d+|pvk|jks|jceks|bks|keystore|keytab|passwd|secrets?|kdbx?|psafe3|ppk|ovpn|tf(?:\.json)?|tfstate|tfvars(?:\.json)?|hcl|htaccess|htpasswd|htdigest|ldif|fdb|[bd]acpac|heapsnapshot|pcapng|pcap|har|ora|keychain|war|ear|iml|suo|sln|csproj|sublime-(?:project|workspace)|code-workspace)(?:[-_~ ].*|\.te?xt)?$/i;

// package managers', builders' and deployers' files
const toolName =
  /^(?:composer\.json(?:\.te?xt)?|(?:package|package-lock|npm-shrinkwrap|auth|installed|bower|[jt]sconfig|angular|phinx|ormconfig|infection|captainhook|homestead|sftp(?:-config)?|ftp(?:config)?|deployment-config|local\.settings|appsettings.*)\.json|(?:phpunit|phpcs|phpmd|phive|psalm(?:-\w+)?|phpbench|pom|build|web|local|tomcat-users|applicationContext|hibernate\.cfg|(?:auto)?unattend|dwsync|sitemanager|filezilla|recentservers)\.xml|(?:application.*|local|gradle|db|database|build|jdbc|log4j2?|hibernate|private|project|sonar-project)\.properties|requirements[-\w]*\.txt|go\.(?:mod|sum)|(?:Docker|Container|(?:GNU)?Make|Vagrant|Gem|Pip|Pod|Rake|Proc|Cap|Guard|Brew|Berks|Just|Jenkins|Caddy)file(?:[-.].*)?|ftpsync\.settings)$/i;

// keys, settings, PHP programs without an ending, what PHP and servers write
const privateName =
  /^(?:(?:(?:\w+_)?credentials|secrets?|passwords?|vault[-_]?pass(?:word)?)(?:\.\w+)?|token\.json|parameters\.json|service[-_]?account.*\.json|client_secrets?.*\.json|.*-adminsdk.*\.json|config\.(?:local|dev\w*|prod\w*|staging|test\w*)\.json|(?:root|access)_?keys?\.csv|wp-config.*|env(?:\.(?:local|dev\w*|prod\w*|staging|test\w*))?|ht(?:passwd|digest|access|users|groups?)(?:\.txt)?|(?:smb)?passwd(?:\.txt)?|crontab(?:\.txt)?|shadow(?:\.txt)?|(?:bash|z?sh|mysql|psql|sqlite|python|node_repl|rediscli)_history(?:\.txt)?|pgpass|mbox|secring\.gpg|NTUSER\.DAT|_?netrc|kubeconfig|wallet\.dat|privkey\d*|ssh_host_\w+_key|(?:private|secret|encryption)[-_]?key(?:\.txt)?|id_(?:rsa|dsa|ecdsa|ed25519)(?!\.pub$).*|authorized_keys|known_hosts|artisan|console|occ|drush|cake|yii|spark|magento|(?:error|access|php_?errors?)_?log(?:[-_.].*)?|(?:catalina|nohup)\.out|core|vgcore|cachegrind\.out|sess_[a-z0-9,-]{20,}|ibdata\d+|ib_logfile\d+)$/i;

// of version control, development and operating systems, and what Java's servers hide; FAT and NTFS do not see dots and blanks at the end
const privateFolder =
  /\/(?:CVS|_darcs|_svn|__MACOSX|__pycache__|nbproject|_vti_(?:cnf|pvt|log)|\$RECYCLE\.BIN|WEB-INF|META-INF)[. ]*\//i;
