const form = document.querySelector('#start');
const squares = document.querySelector('#squares');
const summary = document.querySelector('#summary');
const COLOURS = 8;

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  try {
    await compare(Number(form.elements.ms.value));
  } finally {
    button.disabled = false;
  }
});

async function compare(ms) {
  squares.replaceChildren();
  summary.textContent = 'It runs ...';
  const workers = new Map();
  const times = [];
  let failed = 0;
  let isRunning = true;
  const begin = performance.now();
  const slow = fetchJson(`/slow.php?json&ms=${ms}`).finally(() => {
    isRunning = false;
  });
  // told of below, where it is awaited
  slow.catch(() => {});
  while (isRunning) {
    const square = document.createElement('i');
    squares.append(square);
    const sent = performance.now();
    try {
      const { worker } = await fetchJson('/slow.php?json');
      if (!workers.has(worker)) workers.set(worker, workers.size);
      square.className = `w${workers.get(worker) % COLOURS}`;
      square.title = `worker ${worker}`;
      times.push(performance.now() - sent);
    } catch {
      failed++;
      square.className = 'failed';
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const end = await slow.then(
    ({ worker }) =>
      `The slow page came after ${Math.round(performance.now() - begin)} ms, by worker ${worker}.`,
    () => 'The slow page failed.',
  );
  const median = times.sort((a, b) => a - b)[times.length >> 1];
  const each = median === undefined ? '' : `, ${median.toFixed(1)} ms each (median)`;
  const losses = failed === 0 ? 'none failed' : `${failed} failed`;
  summary.textContent = `${end} Meanwhile: ${times.length} quick ones${each}, ${losses}.`;
}

async function fetchJson(url) {
  const response = await fetch(url, { cache: 'no-store' });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}
