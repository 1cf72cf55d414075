const rows = document.querySelector('#asked tbody');
const FILE = '/assets/site.css';

const { etag } = await ask('The whole file', FILE);
await ask('Only if it has changed', FILE, { 'If-None-Match': etag });
await ask('Its first 100 bytes', FILE, { Range: 'bytes=0-99' });
await ask('Its last 20 bytes', FILE, { Range: 'bytes=-20' });
await ask('A copy of a script', '/index.php.bak');
await ask('A dotfile', '/.env');

async function ask(what, path, headers = {}) {
  const row = document.createElement('tr');
  row.append(cell('th', what), cell('td', path));
  rows.append(row);
  try {
    // its own cache is not to answer in our place; `no-cache`, which a browser would add, asks for the whole file again
    const response = await fetch(path, {
      cache: 'no-store',
      headers: { 'Cache-Control': 'max-age=0', ...headers },
    });
    const { byteLength } = await response.arrayBuffer();
    const got = (name) => response.headers.get(name);
    const and = got('content-range') ?? (response.ok ? `ETag ${got('etag')}` : '');
    row.append(
      cell('td', String(response.status)),
      cell('td', byteLength.toLocaleString('en')),
      cell('td', and),
    );
    return { etag: got('etag') ?? '' };
  } catch {
    row.append(cell('td', 'failed'), cell('td', ''), cell('td', ''));
    return { etag: '' };
  }
}

function cell(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
