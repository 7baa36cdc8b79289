/**
 * The page's only script. It enhances what is there without it: ages that go on, filter, sorting, copying. It builds nothing
 * from text of the report, and the page's policy runs this very text and no other.
 */
export const SCRIPT = `
'use strict';
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Ages go on while the page is open.
const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const ageWords = (ms) =>
  ms < MINUTE ? 'just now'
  : ms < HOUR ? Math.round(ms / MINUTE) + ' min ago'
  : ms < 2 * DAY ? Math.round(ms / HOUR) + ' h ago'
  : Math.round(ms / DAY) + ' days ago';
const made = document.querySelector('.made');
const tick = () => {
  for (const time of all('time.age')) time.textContent = ageWords(Date.now() - Date.parse(time.dateTime));
  const age = Date.now() - Date.parse(made.querySelector('time').dateTime);
  made.classList.toggle('stale', age > Number(made.dataset.freshMs));
};
tick();
setInterval(tick, MINUTE / 4);

// What a reader has chosen outlives a reload; some browsers keep nothing for a page that was opened from disk.
const memory = {
  get: (key) => { try { return sessionStorage.getItem(key); } catch { return null; } },
  set: (key, value) => { try { sessionStorage.setItem(key, value); } catch {} },
};

// Copying: by the clipboard, else by the selection.
for (const button of all('button.copy')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const code = button.parentElement.querySelector('code');
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code);
      document.execCommand('copy');
    }
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
}

// Filter of the status table, by name and by severity.
const controls = document.querySelector('.controls');
if (controls !== null) {
  controls.hidden = false;
  const [word, severity] = [controls.querySelector('input'), controls.querySelector('select')];
  const rows = all('table.status tbody tr');
  const filter = () => {
    const wanted = word.value.trim().toLowerCase();
    for (const row of rows) {
      const isNamed = row.cells[0].textContent.toLowerCase().includes(wanted);
      row.hidden = !isNamed || (severity.value !== '' && row.dataset.severity !== severity.value);
    }
    controls.querySelector('output').textContent = rows.filter((row) => !row.hidden).length + ' of ' + rows.length;
    memory.set('word', word.value);
    memory.set('severity', severity.value);
  };
  word.value = memory.get('word') ?? '';
  severity.value = memory.get('severity') ?? '';
  word.addEventListener('input', filter);
  severity.addEventListener('change', filter);
  filter();
}

// Sorting by a heading; a second click turns the order round.
for (const table of all('table.sortable')) {
  const headings = all('thead th', table);
  const keyOf = (row, column) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
  const compare = (a, b) => (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);
  const sort = (column, order) => {
    const body = table.tBodies[0];
    const sign = order === 'ascending' ? 1 : -1;
    body.append(...[...body.rows].sort((a, b) => sign * compare(keyOf(a, column), keyOf(b, column))));
    headings.forEach((heading, index) => heading.setAttribute('aria-sort', index === column ? order : 'none'));
    memory.set('sort', column + ' ' + order);
  };
  headings.forEach((heading, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener('click', () => {
      // Names begin with a, figures with the most.
      const isText = [...table.tBodies[0].rows].some((row) => isNaN(keyOf(row, column)));
      const [first, second] = isText ? ['ascending', 'descending'] : ['descending', 'ascending'];
      sort(column, heading.getAttribute('aria-sort') === first ? second : first);
    });
  });
  const [column, order] = (memory.get('sort') ?? '').split(' ');
  if (headings[column] !== undefined && column !== '') sort(Number(column), order);
}
`;
