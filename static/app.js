// Tokendesk's enhancements. Every action works without this file; it only makes things quicker.
// The one thing it takes away is a secret, from a page that is being left.
(() => {
  'use strict';
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // A short message that screen readers hear and that goes away by itself.
  const toast = document.getElementById('toast');
  let hush;
  const say = text => {
    if (!toast) return;
    toast.textContent = '';
    requestAnimationFrame(() => { toast.textContent = text; });
    clearTimeout(hush);
    hush = setTimeout(() => { toast.textContent = ''; }, 4000);
  };

  // Copy: data-copy is "#id" of an element, or the text itself. The clipboard needs TLS or localhost;
  // elsewhere the old command does it, and where that is refused too the text is left selected.
  const selectAll = node => getSelection().selectAllChildren(node);
  const copy = async (node, text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      if (!node) return false;
      node.focus();
      selectAll(node);
      return document.execCommand('copy');
    }
  };
  const showCopied = button => {
    const label = find('span:not(.vh)', button), use = find('use', button);
    if ('done' in button.dataset) return;
    const word = label?.textContent, shape = use?.getAttribute('href');
    button.dataset.done = '';
    if (label) label.textContent = 'Copied';
    use?.setAttribute('href', shape.replace(/#.*/, '#check'));
    setTimeout(() => {
      delete button.dataset.done;
      if (label) label.textContent = word;
      use?.setAttribute('href', shape);
    }, 2000);
  };
  document.addEventListener('click', async event => {
    const button = event.target.closest('[data-copy]');
    if (!button) return;
    const from = button.dataset.copy, node = from.startsWith('#') ? find(from) : null;
    if (await copy(node, (node ? node.textContent : from).trim())) {
      showCopied(button);
      say(button.dataset.said);
      if (node?.id === 'token') button.closest('dialog')?.setAttribute('data-copied', '');
    } else {
      say(node ? 'The browser blocked copying. The text is selected: press Ctrl+C or ⌘C.' : 'The browser blocked copying.');
    }
  });

  // Dialogs: a link to a page whose content is also a dialog here opens the dialog. A click that asks
  // for a new tab still gets the page.
  document.addEventListener('click', event => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    const link = event.target.closest('[data-dialog]');
    const dialog = link && document.getElementById(link.dataset.dialog);
    if (!dialog?.showModal) return;
    event.preventDefault();
    dialog.showModal();
    dialog.addEventListener('close', () => link.focus(), { once: true });
  });
  document.addEventListener('click', event => {
    event.target.closest('[data-close]')?.closest('dialog')?.close();
    const dialog = event.target;
    if (!(dialog instanceof HTMLDialogElement) || !dialog.matches(':modal') || dialog.getAttribute('closedby') === 'none') return;
    const box = dialog.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) dialog.close();
  });

  // The one-time reveal. The address becomes the record's, so that reload and Back lead there; the
  // secret leaves the page with the dialog or with the page, so that the back/forward cache has none;
  // and a stray Escape does not lose it.
  const reveal = document.getElementById('reveal');
  if (reveal) {
    const token = document.getElementById('token'), home = reveal.dataset.url;
    history.replaceState(null, '', home);
    const wipe = () => { token.textContent = ''; };
    addEventListener('pagehide', wipe);
    addEventListener('pageshow', event => { if (event.persisted) location.replace(home); });
    reveal.addEventListener('close', wipe);
    reveal.removeAttribute('open'); // not close(): that would wipe
    reveal.showModal();
    // The record is on the page already, below: closing is all that is left to do.
    // The address becomes that of the page, and the keyboard is where it came from.
    find('form[method=get]', reveal).addEventListener('submit', event => {
      event.preventDefault();
      wipe();
      reveal.close();
      say('');
      history.replaceState(null, '', event.target.action);
      (find('[data-dialog=create], [data-dialog=bearer], [data-opener]') ?? find('#main')).focus();
    });
    const stay = event => {
      event.preventDefault();
      find('[data-ack]', reveal).focus();
      say('Store the token first, then choose “I have stored it”.');
    };
    reveal.addEventListener('cancel', stay);
    reveal.addEventListener('keydown', event => { if (event.key === 'Escape') stay(event); });
    for (const moment of ['focus', 'click']) token.addEventListener(moment, () => selectAll(token));
  }

  // A file that is not taken: said in the summary and at its field, like everything that is wrong with a form.
  const make = (tag, props, ...children) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...children);
    return node;
  };
  const forgive = input => {
    find('.errs')?.remove();
    find(`#${input.id}-error`).hidden = true;
    input.removeAttribute('aria-invalid');
    input.setAttribute('aria-describedby', `${input.id}-hint`);
    document.title = document.title.replace(/^Error: /, '');
  };
  const refuse = (input, message) => {
    const error = find(`#${input.id}-error`);
    find('[data-error]', error).textContent = message;
    error.hidden = false;
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', `${input.id}-hint ${input.id}-error`);
    const summary = make('div', { className: 'errs', role: 'alert', tabIndex: -1 },
      make('h2', { id: 'problems-title', textContent: 'There is a problem' }),
      make('ul', {}, make('li', {}, make('a', { href: `#${input.id}`, textContent: message }))));
    summary.setAttribute('aria-labelledby', 'problems-title');
    find('#main').prepend(summary);
    document.title = `Error: ${document.title}`;
    summary.focus();
  };

  // A collection is sent with a progress bar. The answer to such a request is JSON: the location to go
  // to, or the message to show; the file stays chosen. Whoever is signed out is sent to the sign-in page,
  // and while a file is on its way some browsers make a broken connection of that.
  const signedOut = 'You are signed out, and nothing was installed. Sign in again in another tab, then send the file from here.';
  const isSignedOut = () => fetch(location.href, { method: 'HEAD', redirect: 'manual' }).then(answer => answer.type === 'opaqueredirect', () => false);
  for (const form of all('form[data-upload]')) {
    const input = find('[type=file]', form), install = find('[type=submit]', form), cancel = find('[data-cancel]', form);
    const area = find('.sending', form), bar = find('progress', area), told = find('[role=status]', form);
    let call = null;
    const show = (percent, words) => {
      bar.value = percent;
      find('.sent', area).textContent = words;
    };
    const hold = event => event.preventDefault(); // leaving would break the sending off: the browser asks
    const rest = words => {
      call = null;
      area.hidden = true;
      told.textContent = words;
      install.removeAttribute('aria-busy');
      removeEventListener('beforeunload', hold);
    };
    form.addEventListener('submit', event => {
      event.preventDefault();
      if (call) return;
      forgive(input);
      const file = input.files[0], max = Number(form.dataset.max);
      if (max && file?.size > max) {
        refuse(input, form.dataset.tooLarge);
        return;
      }
      call = new XMLHttpRequest();
      call.open('POST', form.action);
      call.setRequestHeader('Accept', 'application/json');
      call.responseType = 'json';
      call.upload.addEventListener('progress', ({ loaded, total }) => {
        const percent = Math.floor(100 * loaded / total);
        show(percent, `${percent}%`);
      });
      // From here on it can be installed, whatever becomes of this page.
      call.upload.addEventListener('load', () => {
        if (cancel.matches(':focus')) install.focus();
        cancel.disabled = true;
        show(100, 'Installing');
        told.textContent = 'The file is sent. Installing.';
      });
      call.addEventListener('load', () => {
        const { status, response } = call;
        rest('');
        if (status === 200 && response?.location) location.assign(response.location);
        else if (status === 401) refuse(input, signedOut);
        else refuse(input, response?.message ?? 'The server did not say what became of the file. Reload this page to see.');
      });
      call.addEventListener('error', async () => {
        rest('');
        refuse(input, await isSignedOut() ? signedOut : 'The connection broke off. Send it again.');
      });
      call.addEventListener('abort', () => {
        rest('Cancelled. Nothing was installed.');
        install.focus();
      });
      addEventListener('beforeunload', hold);
      install.setAttribute('aria-busy', 'true');
      cancel.disabled = false;
      show(0, '0%');
      area.hidden = false;
      told.textContent = file ? `Sending ${file.name}.` : '';
      call.send(new FormData(form));
    });
    cancel.addEventListener('click', () => call?.abort());
    // A page that is left for the back/forward cache would go on sending.
    addEventListener('pagehide', () => { if (!cancel.disabled) call?.abort(); });
  }

  // A form that came back begins at its summary; the chosen tab is in sight.
  find('.errs')?.focus();
  for (const here of all('.tabs [aria-current]')) {
    const tabs = here.closest('.tabs');
    tabs.scrollLeft = here.offsetLeft - (tabs.clientWidth - here.offsetWidth) / 2;
  }

  // Passwords can be read before they are sent, and are hidden again when they are, so that the
  // browser does not remember them as text.
  const peek = (button, shown) => {
    const word = shown ? 'Hide' : 'Show';
    find(button.dataset.peek).type = shown ? 'text' : 'password';
    find('span', button).textContent = word;
    button.setAttribute('aria-label', button.getAttribute('aria-label').replace(/^\w+/, word));
  };
  document.addEventListener('click', event => {
    const button = event.target.closest('[data-peek]');
    if (button) peek(button, find(button.dataset.peek).type === 'password');
  });

  // A list to choose from: all of it at once, and how many were chosen.
  for (const form of all('form[data-bulk]')) {
    const every = find('[data-all]', form), picked = find('[data-picked]', form), boxes = all('[name=id]', form);
    const count = () => {
      const n = boxes.filter(box => box.checked).length;
      picked.textContent = n + ' selected';
      every.checked = n > 0 && n === boxes.length;
      every.indeterminate = n > 0 && n < boxes.length;
    };
    form.addEventListener('change', event => {
      if (event.target === every) for (const box of boxes) box.checked = every.checked;
      count();
    });
    form.addEventListener('reset', () => setTimeout(count));
    count();
  }

  // The theme changes at once and is stored behind. Every other form is sent once.
  const switchTheme = (form, theme) => {
    const root = document.documentElement;
    if (theme === 'system') root.removeAttribute('data-theme');
    else root.setAttribute('data-theme', theme);
    for (const button of all('button', form)) button.setAttribute('aria-pressed', button.value === theme);
    fetch(form.action, { method: 'POST', body: new URLSearchParams({ theme }) }).catch(() => {});
  };
  // A whole key that was typed into the search of all credentials goes into the form that sends it in its body, and into no address.
  const wholeKey = /^[a-z0-9]{4}_[0-9A-Za-z]{49}$/;
  find('form[action="/credentials"][role=search]')?.addEventListener('submit', event => {
    const typed = find('input[name=q]', event.target), lookUp = find('form[action="/credentials/find"]');
    if (!lookUp || !wholeKey.test(typed.value.trim())) return;
    event.preventDefault();
    find('input[name=secret]', lookUp).value = typed.value.trim();
    typed.value = '';
    lookUp.requestSubmit();
  });
  document.addEventListener('submit', event => {
    const form = event.target;
    if (form.method !== 'post' || event.defaultPrevented) return;
    if (form.matches('[data-theme-form]')) {
      event.preventDefault();
      switchTheme(form, event.submitter.value);
      return;
    }
    if ('sent' in form.dataset) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = '';
    event.submitter?.setAttribute('aria-busy', 'true');
    for (const button of all('[data-peek]', form)) peek(button, false);
  });
  addEventListener('pageshow', () => {
    for (const form of all('form[data-sent]')) delete form.dataset.sent;
    for (const button of all('[aria-busy]')) button.removeAttribute('aria-busy');
  });
})();
