/**
 * Which files are never sent as they are, whatever a server is asked for. In four sentences:
 * 1. nothing in or behind a name that begins with a dot (`.well-known` at the top aside);
 * 2. nothing with the ending of a program's source anywhere in its name, unless it ends as a page, style sheet,
 *    browser's script, picture or font does (`x.php.txt` may be a copy of the source, `x.php.png` is a picture);
 * 3. no copy that an editor, a package manager or a person has left (`main.js~`, `style.css.bak`);
 * 4. no configuration, key, log, database or dump, packed or not, and no archive that is called as a backup or a whole site.
 * Paths begin with a slash; each char is one byte. Letters of both cases are meant.
 */

export function isNeverSent(path: string): boolean {
  if (isHidden(path) || privateFolder.test(path)) return true;
  const name = nameIn(path);
  const unpacked = name.replace(packed, '');
  return (
    isSource(name) ||
    leftover.test(name) ||
    leftover.test(unpacked) ||
    privateEnding.test(unpacked) ||
    privateName.test(unpacked) ||
    (unpacked !== name && backup.test(unpacked))
  );
}

/** A segment begins with a dot (`.git`, `.env`), `.well-known` (RFC 8615) at the top aside. */
export function isHidden(path: string): boolean {
  const rest = path.startsWith('/.well-known/') ? path.slice('/.well-known'.length) : path;
  return rest.includes('/.');
}

/** Sentence 2: it may be the source of a program. */
export function isSource(path: string): boolean {
  const [, ...parts] = nameIn(path).split('.');
  return parts.some((part) => sourcePart.test(part)) && !passive.test(path);
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

// what begins so is PHP's: php5, phps, phtml, phpt, `php~`, `php_old`; what other programs of servers are written in
const sourcePart =
  /^(?:php|pht|phar)|^(?:inc|tpl|twig|latte|blade|ctp|module|install|engine|profile|theme|hh|hack|aspx?|ashx|jspx?|cfm|cgi|fcgi|pl|py|rb|sh|bash)(?![a-z0-9])/i;

// what browsers show or run, and servers do not
const passive = /\.(?:x?html?|css|[cm]?js|map|svgz?|png|jpe?g|gif|webp|avif|ico|bmp|woff2?|ttf|otf|eot)$/i;

const packed = /(?:\.(?:gz|bz2|xz|zst|lz4?|lzma|br|zip|7z|rar|tar|tgz|tbz2?|txz|\d+))+$/i;

const backup =
  /(?:^|[-_. ])(?:backups?|bak|dump|database)(?:[-_. ]|$)|^(?:db|mysql|html|htdocs|httpdocs|public_html|web(?:root|site)?|wwwroot|www|site)$/i;

const leftover =
  /^[#~]|[#~$%. ]$|\.(?:bak|bkp?|back|backup|old|orig|original|rej|save?|sw[a-p]|te?mp|copy|dist|sample|example|default|prev|disabled|(?:rpm|dpkg|ucf|pac)-?(?:new|old|save|orig|dist|tmp|bak))(?:[-_~ ].*)?$/i;

const privateEnding =
  /\.(?:\w*sql|sqlite\w*|s3db|db\d?|mdb|accdb|rdb|dump|dmp|hprof|ini|conf|config|cnf|cfg|env|ya?ml|toml|neon|lock|log|key|pem|p8|p12|pfx|jks|keystore|kdbx?|ppk|ovpn|tfstate|tfvars|htaccess|htpasswd|htdigest)(?:[-_~ ].*)?$/i;

// package managers', builders' and deployers' files, keys, PHP programs without an ending, what PHP writes
const privateName =
  /^(?:composer\.json|(?:package|package-lock|npm-shrinkwrap|auth|installed|credentials|secrets?|parameters|sftp(?:-config)?|deployment-config|appsettings.*|service-?account.*)\.json|(?:phpunit|phpcs|psalm|phpbench)\.xml|(?:Docker|Make|Vagrant|Gem|Pip|Rake|Proc|Jenkins|Caddy)file(?:\.\w+)?|wp-config.*|env(?:\.(?:local|dev\w*|prod\w*|staging|test\w*))?|ht(?:passwd|digest|access)(?:\.txt)?|ftpconfig|ftpsync\.settings|id_(?:rsa|dsa|ecdsa|ed25519)(?!\.pub$).*|authorized_keys|known_hosts|artisan|console|occ|drush|cake|yii|spark|magento|(?:error|access|php_error)_log|nohup\.out|core)$/i;

// of version control, and what Java's servers hide
const privateFolder = /\/(?:CVS|WEB-INF|META-INF)\//i;
