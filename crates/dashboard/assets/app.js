// What every page does beyond links and forms: search as you type, keys, copying, dialogs, the theme. Pages work without it.

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

function toast(text) {
  $('.toast')?.remove();
  const note = Object.assign(document.createElement('div'), { className: 'toast', textContent: text });
  note.setAttribute('role', 'status');
  document.body.append(note);
  setTimeout(() => note.remove(), 2200);
}

// ---- Tables that narrow while somebody types.
let latest = 0;
async function narrow(form) {
  const asked = ++latest;
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ''));
  const address = `${form.getAttribute('action')}${query.size ? `?${query}` : ''}`;
  const results = $('#results');
  results.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(address, { headers: { accept: 'text/html' } });
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (asked !== latest) return;
    for (const id of ['results', 'views', 'export', 'view-query']) {
      const [there, here] = [page.getElementById(id), document.getElementById(id)];
      if (there && here) here.replaceWith(document.adoptNode(there));
    }
    history.replaceState(null, '', address);
  } catch {
    if (asked === latest) location.assign(address);
  }
}
for (const form of $$('form[data-narrows]')) {
  let timer;
  form.addEventListener('input', (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => narrow(form), event.target.type === 'search' ? 180 : 0);
  });
  form.addEventListener('submit', (event) => { event.preventDefault(); clearTimeout(timer); narrow(form); });
}

// ---- Keys.
const rows = () => $$('#results a.row');
function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step))];
  next.focus();
  next.closest('tr')?.scrollIntoView({ block: 'nearest' });
}
let went = 0;
document.addEventListener('keydown', (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || document.querySelector('dialog[open]')) return;
  const typing = event.target.closest('input, textarea, select, [contenteditable]');
  if (event.key === 'Escape' && typing) return event.target.blur();
  if (typing) return;
  if (event.timeStamp - went < 900) {
    const link = $(`.side nav a[data-go="${event.key}"]`);
    went = 0;
    if (link) { event.preventDefault(); return location.assign(link.href); }
  }
  const click = (selector) => { const found = $(selector); if (found) { event.preventDefault(); found.click(); } };
  switch (event.key) {
    case 'j': case 'ArrowDown': if (rows().length) { event.preventDefault(); move(1); } break;
    case 'k': case 'ArrowUp': if (rows().length) { event.preventDefault(); move(-1); } break;
    case 'n': click('[data-key="next"]'); break;
    case 'p': click('[data-key="previous"]'); break;
    case '/': { const box = $('input[type="search"]'); if (box) { event.preventDefault(); box.focus(); box.select(); } break; }
    case '?': event.preventDefault(); $('#help')?.showModal(); break;
    case ' ': if (!event.target.closest('button, a, summary')) click('[data-play]'); break;
    case 'g': went = event.timeStamp; break;
  }
});

// ---- Buttons that copy, open or choose.
document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy], [data-copy-from], [data-open], [data-close], [data-theme-to]');
  if (!button) return;
  if (button.dataset.open) return document.getElementById(button.dataset.open)?.showModal();
  if ('close' in button.dataset) return button.closest('dialog')?.close();
  if (button.dataset.themeTo) {
    const theme = button.dataset.themeTo;
    document.cookie = `kaicalls_theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    document.documentElement.dataset.theme = theme;
    return;
  }
  const text = button.dataset.copy ?? document.getElementById(button.dataset.copyFrom)?.textContent ?? '';
  try {
    await navigator.clipboard.writeText(text);
    toast('Copied');
  } catch {
    toast('The browser does not allow copying here');
  }
});
for (const form of $$('form[data-once]')) {
  form.addEventListener('submit', () => $$('button', form).forEach((button) => button.setAttribute('aria-disabled', 'true')));
}
for (const dialog of $$('dialog[data-shown]')) dialog.showModal();

// ---- Files that are read into a field.
for (const part of $$('[data-needs-script]')) part.hidden = false;
for (const input of $$('input[data-fills]')) {
  input.addEventListener('change', async () => {
    const [file] = input.files;
    if (!file) return;
    if (file.size > 1024 * 1024) return toast('The file has more than 1 MiB');
    document.getElementById(input.dataset.fills).value = await file.text();
  });
}

// ---- The zone in which the visitor is.
for (const field of $$('[data-own-zone]')) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !field.dataset.touched) field.value = zone;
}
