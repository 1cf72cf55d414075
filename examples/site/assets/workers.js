const form = document.querySelector('#send');
const squares = document.querySelector('#squares');
const summary = document.querySelector('#summary');
const table = document.querySelector('#table');
const COLOURS = 8;

form.hidden = false;
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  try {
    await measure(Number(form.elements.count.value), Number(form.elements.together.value));
  } finally {
    button.disabled = false;
  }
});
form.requestSubmit();

async function measure(count, together) {
  const workers = new Map();
  const cells = Array.from({ length: count }, () => document.createElement('i'));
  squares.replaceChildren(...cells);
  const times = [];
  let failed = 0;
  let next = 0;
  const begin = performance.now();

  async function lane() {
    while (next < count) {
      const cell = cells[next++];
      const sent = performance.now();
      try {
        const response = await fetch('/workers.php?json', { cache: 'no-store' });
        if (!response.ok) throw new Error(`status ${response.status}`);
        const { worker, served, socket } = await response.json();
        const entry = workers.get(worker) ?? { number: workers.size, requests: 0, sockets: new Set() };
        workers.set(worker, entry);
        entry.requests++;
        if (socket !== null) entry.sockets.add(socket);
        cell.className = `w${entry.number % COLOURS}`;
        cell.title = `worker ${worker}, its request no. ${served ?? '?'}`;
        times.push(performance.now() - sent);
      } catch {
        failed++;
        cell.className = 'failed';
      }
      show(workers, count);
    }
  }
  await Promise.all(Array.from({ length: together }, lane));

  const all = Math.round(performance.now() - begin);
  const median = times.sort((a, b) => a - b)[times.length >> 1];
  const sockets = new Set([...workers.values()].flatMap((entry) => [...entry.sockets])).size;
  summary.textContent =
    `${count} requests in ${all} ms: ${plural(workers.size, 'worker')}` +
    (sockets > 0 ? `, ${plural(sockets, 'socket')}` : '') +
    (median === undefined ? '' : `, ${median.toFixed(1)} ms each (median)`) +
    `, ${failed === 0 ? 'none failed' : `${failed} failed`}.`;
}

function show(workers, count) {
  const rows = [...workers].map(([worker, { number, requests, sockets }]) => {
    const row = document.createElement('tr');
    row.append(
      cell('th', String(worker), { scope: 'row' }),
      cell('td', sockets.size === 0 ? 'unknown' : String(sockets.size), { title: [...sockets].join(', ') }),
      cell('td', String(requests)),
    );
    const share = cell('td', '');
    const bar = document.createElement('meter');
    bar.className = `w${number % COLOURS}`;
    bar.max = count;
    bar.value = requests;
    bar.textContent = `${requests} of ${count}`;
    share.append(bar);
    row.append(share);
    return row;
  });
  table.tBodies[0].replaceChildren(...rows);
  table.hidden = false;
}

function cell(name, text, attributes = {}) {
  const element = Object.assign(document.createElement(name), attributes);
  element.textContent = text;
  return element;
}

function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
