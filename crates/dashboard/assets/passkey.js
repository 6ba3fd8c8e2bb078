// Passkeys: a button asks the browser for one, and the form is sent with the answer. Codes work without this.

const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

for (const button of document.querySelectorAll('[data-passkey]')) {
  button.hidden = false;
  button.addEventListener('click', () => use(button));
}

async function use(button) {
  const { passkey, site, origin, user, email } = button.dataset;
  const form = button.form;
  const notice = form.querySelector('[data-passkey-says]');
  const say = (words) => { notice.textContent = words; };
  say('');
  if (passkey === 'create' && !form.reportValidity()) return;
  if (!window.PublicKeyCredential) {
    return say(window.isSecureContext ? 'This browser knows no passkeys.' : `Passkeys work at ${origin} only.`);
  }
  if (location.origin !== origin) return say(`Passkeys work at ${origin} only.`);
  const known = button.dataset.known.split(' ').filter(Boolean).map((id) => ({ type: 'public-key', id: bytes(id) }));
  const challenge = bytes(button.dataset.challenge);
  button.setAttribute('aria-disabled', 'true');
  try {
    const made = passkey === 'create'
      ? await navigator.credentials.create({ publicKey: {
        challenge, rp: { id: site, name: 'KaiCalls' }, user: { id: new TextEncoder().encode(user), name: email, displayName: email },
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })), excludeCredentials: known, attestation: 'none',
        authenticatorSelection: { residentKey: 'discouraged', userVerification: 'discouraged' }, timeout: 120_000,
      } })
      : await navigator.credentials.get({ publicKey: { challenge, rpId: site, allowCredentials: known, userVerification: 'discouraged', timeout: 120_000 } });
    const { response } = made;
    fill(form, button.dataset.prefix, passkey === 'create'
      ? { id: made.rawId, client: response.clientDataJSON, data: response.getAuthenticatorData(), key: response.getPublicKey() }
      : { id: made.rawId, client: response.clientDataJSON, data: response.authenticatorData, signature: response.signature });
    form.submit();
  } catch (error) {
    button.removeAttribute('aria-disabled');
    say(error.name === 'InvalidStateError' ? 'This device has a passkey for you already.' : 'No passkey was used. Try again, or take another way.');
  }
}

function fill(form, prefix, values) {
  for (const [name, value] of Object.entries(values)) {
    form.append(Object.assign(document.createElement('input'), { type: 'hidden', name: prefix + name, value: text(value) }));
  }
}
