/** The page's own script. What comes is HTML that the server has escaped; the page's policy lets no script in it run. */
export const SCRIPT = `
const live = document.getElementById('live');
const shown = {};
const events = new EventSource('?events');
events.onmessage = (event) => {
  const { time, sections } = JSON.parse(event.data);
  live.textContent = 'live, ' + time.slice(11, 19) + ' UTC';
  live.className = 'on';
  // What somebody is about to copy stays as it is.
  if (!getSelection().isCollapsed) return;
  for (const [id, html] of Object.entries(sections)) {
    const part = document.getElementById(id);
    if (!part || shown[id] === html) continue;
    shown[id] = html;
    const at = [...part.querySelectorAll('.wide')].map((one) => one.scrollLeft);
    part.innerHTML = html;
    part.querySelectorAll('.wide').forEach((one, nth) => { one.scrollLeft = at[nth] ?? 0; });
  }
};
events.onerror = () => {
  live.textContent = 'not connected, trying again';
  live.className = 'off';
};
`;
