// Parts of a page that follow what happens. The server sends the part anew, as it is now; a lost connection is said and resumed.

for (const part of document.querySelectorAll('[data-live]')) follow(part);

function follow(part) {
  const notice = document.getElementById('lost');
  let source;
  let last = part.dataset.after ?? '';

  const tell = (lost) => { if (notice) notice.hidden = !lost; };

  function open() {
    const address = new URL(part.dataset.live, location.href);
    if (last) address.searchParams.set('after', last);
    source = new EventSource(address);
    source.addEventListener('open', () => tell(false));
    source.addEventListener('part', (event) => { last = event.lastEventId || last; tell(false); show(event.data); });
    source.addEventListener('over', () => {
      source.close();
      if (!('stays' in part.dataset)) return location.reload();
      document.querySelectorAll('[data-while-live]').forEach((form) => form.remove());
    });
    source.addEventListener('gone', () => { source.close(); location.assign('/login'); });
    source.addEventListener('error', () => {
      tell(true);
      // The browser comes back by itself unless it was refused.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 3000);
    });
  }

  function show(html) {
    const focused = document.activeElement?.id;
    const kept = [...part.querySelectorAll('[data-stick]')].map((box) => ({
      id: box.id, top: box.scrollTop, end: box.scrollHeight - box.scrollTop - box.clientHeight < 40,
    }));
    const opened = [...part.querySelectorAll('details[open]')].map((details) => details.id);
    part.innerHTML = html;
    for (const { id, top, end } of kept) {
      const box = document.getElementById(id);
      if (box) box.scrollTop = end ? box.scrollHeight : top;
    }
    for (const id of opened) document.getElementById(id)?.setAttribute('open', '');
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  // A browser keeps few connections to one server; a tab that nobody sees gives its own back.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) source?.close();
    else if (source?.readyState === EventSource.CLOSED) open();
  });
  for (const box of part.querySelectorAll('[data-stick]')) box.scrollTop = box.scrollHeight;
  open();
}

// Words that somebody writes in a talk go there without leaving the page.
for (const form of document.querySelectorAll('form[data-writes]')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const [field, notice] = [form.elements.text, form.nextElementSibling];
    notice.hidden = true;
    // Success leads to another page, which is this one.
    const answer = await fetch(form.action, { method: 'POST', body, redirect: 'manual' }).catch(() => undefined);
    if (answer?.type === 'opaqueredirect') field.value = '';
    else notice.hidden = false;
    field.focus();
  });
}
